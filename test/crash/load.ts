/** Posters: each with a keep-alive connection of its own, one request at a time, runs of its own. */
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Ledger, Sent } from './ledger.ts';
import { Random } from './random.ts';
import { aNewRun, type Answer, associateOf, batchOf, complaint, createOf, patchOf, readOf } from './requests.ts';

export interface LoadOptions {
  url: string;
  /** Called after each acknowledgement, in the same turn. */
  onAcknowledged: () => void;
  /** Milliseconds between an answer and the next request; 0 for none. */
  pause: () => number;
  /** Whether an answer that is read now proves nothing any more. */
  tooLate: () => boolean;
}

/** A request that gets no answer for so long has failed. */
const MAX_WAIT_MS = 60_000;

export class Poster {
  readonly #name: string;
  readonly #random: Random;
  readonly #ledger: Ledger;
  /** Sent without an answer: a good client sends it again. */
  #unanswered: Sent | undefined;
  #known: string[] = [];
  #count = 0;

  constructor(name: string, seed: number, ledger: Ledger) {
    this.#name = name;
    this.#random = new Random(seed);
    this.#ledger = ledger;
  }

  /** Posts until a request fails. @returns why it ended: the connection's error, or the status of a refusal */
  async post({ url, onAcknowledged, pause, tooLate }: LoadOptions): Promise<string> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      for (;;) {
        const sent = this.#again() ?? this.#next();
        this.#unanswered = sent;
        this.#ledger.send(this.#name, sent);
        const answer = await exchange(agent, url, sent);
        if (answer.status >= 500) return `status ${answer.status}`;
        if (tooLate()) return 'answered too late';
        this.#note(sent, answer);
        onAcknowledged();
        const wait = pause();
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      }
    } catch (error) {
      return String(error);
    } finally {
      agent.destroy();
    }
  }

  #note(sent: Sent, answer: Answer): void {
    const wrong = complaint(sent, answer, this.#ledger);
    this.#unanswered = undefined;
    if (wrong !== undefined) {
      this.#ledger.wrongAnswers.push(wrong);
      this.#ledger.open.delete(this.#name);
      return;
    }
    this.#ledger.acknowledge(this.#name, sent);
    for (const { event_id } of sent.creates) this.#known.push(event_id);
    if (this.#known.length > 200) this.#known = this.#known.slice(-100);
  }

  /** What is to be sent again; but what an unsafe service has lost is not patched. */
  #again(): Sent | undefined {
    const { runs } = this.#ledger;
    this.#known = this.#known.filter((eventId) => runs.has(eventId));
    const sent = this.#unanswered;
    return sent && (sent.creates.length > 0 || (sent.change && runs.has(sent.change.eventId))) ? sent : undefined;
  }

  #next(): Sent {
    const random = this.#random;
    const die = random.next();
    if (this.#known.length === 0 || die < 0.4) return createOf(this.#run());
    const known = random.pick(this.#known);
    if (die < 0.7) return patchOf(random, known);
    if (die < 0.75) return associateOf(random, known);
    // The same event_id with another content: ignored, and answered as a duplicate.
    if (die < 0.8) return createOf(aNewRun(random, known));
    if (die < 0.85) return readOf(known);
    const runs = Array.from({ length: random.between(1, 40) }, () => this.#run());
    if (random.chance(0.3)) runs.push(aNewRun(random, known));
    return batchOf(runs, random.chance(0.3) ? [{ ...this.#run(), items_failed: -1 }, 'not a run'] : []);
  }

  #run(): ReturnType<typeof aNewRun> {
    return aNewRun(this.#random, `${this.#name}-${++this.#count}`);
  }
}

/** @throws the connection's error; the outcome is unknown then */
async function exchange(agent: Agent, url: string, { method, path, body }: Sent): Promise<Answer> {
  const signal = AbortSignal.timeout(MAX_WAIT_MS);
  const call = request(url + path, { agent, method, signal, headers: { 'Content-Type': 'application/json' } });
  const answered = once(call, 'response') as Promise<[IncomingMessage]>;
  call.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = await answered;
  const answer = await text(response);
  return { status: response.statusCode ?? 0, body: JSON.parse(answer) as Answer['body'] };
}
