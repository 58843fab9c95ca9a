/** A service process under load until something ends it; shared by the scripts and the tests. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { OURS, type Environment, programOf, type ServiceProcess } from '../support/service.ts';
import type { Ledger } from './ledger.ts';
import { Poster } from './load.ts';

export interface Moment {
  /** The end comes with this acknowledgement of the cycle... */
  acknowledgements: number;
  /** ...or so much later; 0 is in the same turn, before anything else is read or sent. */
  delayMs: number;
  /** Milliseconds a poster rests after an answer. */
  pause?: () => number;
  /**
   * What is read after the end was acknowledged before it; unless the service outlives the end and
   * answers for some milliseconds more, which no machine without power does.
   */
  outlived?: boolean;
}

export function makePosters(count: number, seed: number, ledger: Ledger): Poster[] {
  return Array.from({ length: count }, (_, index) => new Poster(`s${seed}p${index}`, seed * 1_000 + index, ledger));
}

/**
 * Posts until `end` has ended the service, and everybody has noticed.
 *
 * @param end called once at the moment; must make every connection fail or answer 5xx
 * @throws when a request failed before that
 */
export async function loadUntil(
  service: ServiceProcess,
  posters: readonly Poster[],
  moment: Moment,
  end: () => void,
): Promise<void> {
  const { acknowledgements, delayMs, pause = () => 0, outlived = false } = moment;
  let seen = 0;
  let ended = false;
  const endNow = (): void => {
    ended = true;
    end();
  };
  const onAcknowledged = (): void => {
    if (++seen !== acknowledgements) return;
    if (delayMs === 0) endNow();
    else setTimeout(endNow, delayMs);
  };
  const early: string[] = [];
  const post = async (poster: Poster): Promise<void> => {
    const tooLate = (): boolean => outlived && ended;
    const reason = await poster.post({ url: service.url, onAcknowledged, pause, tooLate });
    if (!ended) early.push(reason);
  };
  await Promise.all(posters.map(post));
  if (early.length > 0) throw new Error(`The service failed by itself: ${early.join('; ')}`);
}

/** kill -9, and gone. */
export async function kill({ child, exited }: ServiceProcess): Promise<void> {
  child.kill('SIGKILL');
  await exited;
}

/**
 * Starts the service and kills it before it is ready, perhaps while it rolls back a journal.
 *
 * @param end what else ends, just before the kill
 */
export async function killWhileStarting(
  environment: Environment,
  afterMs: number,
  end: () => void = () => undefined,
  script?: string,
): Promise<void> {
  const child = spawn(process.execPath, programOf(script), { env: { ...OURS, ...environment }, stdio: 'ignore' });
  const exited = once(child, 'exit');
  setTimeout(() => {
    end();
    child.kill('SIGKILL');
  }, afterMs);
  await exited;
}
