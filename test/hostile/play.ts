/** Plays inputs against the service: some at a time, each connection its own. */
import { type Answer, faultOf, nextOf } from './answers.ts';
import { Connection } from './connection.ts';
import type { Figures } from './figures.ts';
import type { Findings } from './findings.ts';
import { exchangeOf, type Input } from './input.ts';
import type { World } from './world.ts';

/** The bound on an answer behind its request's last byte. */
export const LATE_MS = 1_000;

/** One who sends, with a connection that is kept alive. */
export class Player {
  readonly #world: World;
  #connection: Connection | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  /** @returns the answers to an input; the last may be a missing one */
  async play({ exchange, apart, act }: Input): Promise<Answer[]> {
    act?.(this.#world);
    if (!exchange) return [];
    if (apart) {
      const own = await Connection.open(this.#world.port);
      const answers = await own.exchange(exchange);
      own.destroy();
      return answers;
    }
    if (this.#connection === undefined || this.#connection.closed)
      this.#connection = await Connection.open(this.#world.port);
    const answers = await this.#connection.exchange(exchange);
    if (exchange.steps.includes('end')) this.close();
    return answers;
  }

  close(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }
}

/** 501 and 505 are about methods and versions that nobody speaks. */
const isTrouble = (status: number): boolean => status >= 500 && status !== 501 && status !== 505;

/** @returns what is wrong with the answers to an input, but that they were late */
export function faultsIn(input: Input, answers: readonly Answer[]): string | undefined {
  for (const answer of answers) {
    if (answer.status <= 0) {
      if (input.apart) continue;
      return answer.status === 0 ? 'the connection was closed without an answer' : 'no answer came';
    }
    const fault = isTrouble(answer.status)
      ? `it answered ${answer.status} ${answer.body.toString('utf8', 0, 200)}`
      : faultOf(answer);
    if (fault !== undefined) return fault;
  }
  return input.judge?.(answers);
}

export interface Stage {
  world: World;
  figures: Figures;
  findings: Findings;
  /** How many are in flight. */
  players: number;
}

/** Plays these inputs. @returns those whose answer came late */
export async function playAll({ world, figures, findings, players }: Stage, inputs: Iterator<Input>): Promise<Input[]> {
  const late: Input[] = [];
  const one = async (player: Player, input: Input): Promise<void> => {
    const answers = await player.play(input);
    figures.note(input, answers);
    const fault = faultsIn(input, answers);
    if (fault !== undefined) findings.of(input, fault);
    else for (const eventId of input.creates?.(answers) ?? []) world.acknowledged.add(eventId);
    if (answers.some(({ status, ms }) => status > 0 && ms > LATE_MS)) late.push(input);
    const next = input.kind === 'reads' && answers[0]?.status === 200 ? nextOf(answers[0]) : undefined;
    if (next === undefined) return;
    const [page] = await player.play({ ...input, exchange: exchangeOf({ method: 'GET', path: next }) });
    if (page?.status !== 200) findings.of(input, `its Link ${next} was answered ${page?.status}`);
  };
  const run = async (): Promise<void> => {
    const player = new Player(world);
    for (let next = inputs.next(); !next.done && world.alive; next = inputs.next()) {
      try {
        await one(player, next.value);
      } catch (error) {
        // A connection that is refused; who does not live is found behind the stage.
        if (world.alive) findings.of(next.value, String(error));
      }
    }
    player.close();
  };
  await Promise.all(Array.from({ length: players }, run));
  return late;
}

/** Plays each again while nothing else runs: what is late twice more is late. */
export async function playLateAgain({ world, findings }: Stage, late: readonly Input[]): Promise<void> {
  const player = new Player(world);
  for (const input of late) {
    const again: number[] = [];
    for (let times = 0; times < 2; times++) {
      const answers = await player.play(input);
      again.push(Math.max(...answers.map(({ status, ms }) => (status > 0 ? ms : Infinity))));
    }
    if (Math.min(...again) > LATE_MS)
      findings.of(input, `its answers came after ${again.map(Math.round).join(' and ')} ms, alone`);
  }
  player.close();
}
