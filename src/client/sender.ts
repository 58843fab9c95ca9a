/**
 * Sends what waits, one request at a time, for as long as it takes. What is acknowledged is retired
 * from the spool; what fails is tried again after a pause that grows.
 */
import { clearTimeout, setImmediate, setTimeout } from './clock.ts';
import { deferred } from './deferred.ts';
import { type Guard, reasonOf } from './guard.ts';
import type { Leftovers } from './leftovers.ts';
import type { Entry, Outbox } from './outbox.ts';
import {
  type BatchAnswer,
  batchAnswer,
  nextRequest,
  patchableFields,
  refusedItems,
  type Request,
  type Verdict,
  verdictOf,
} from './requests.ts';
import type { Answer, Transport } from './transport.ts';

const MAX_BATCH = 500;
const MAX_BATCH_TEXT = 4 * 1024 * 1024;
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;
/** Steps in a row that may settle nothing: a batch is halved until it is one run, which then goes another way. */
const MAX_FRUITLESS = 15;
/** Longest time a timer of Node takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface SenderOptions {
  outbox: Outbox;
  leftovers: Leftovers;
  transport: Transport;
  guard: Guard;
  backoffFactor: number;
  /** What must be known before a run is sent, such as its repository; never rejects. */
  ready: () => Promise<void>;
  /** Keeps what the service will never take. @returns whether it could be kept */
  reject: (entry: Entry, reason: string) => boolean;
}

export interface DeliveryCounts {
  /** States of runs: a run that was sent at its start and at its end counts twice. */
  delivered: number;
  rejected: number;
  failed_attempts: number;
  last_error: string | null;
}

export class Sender {
  readonly #options: SenderOptions;
  readonly counts: DeliveryCounts = { delivered: 0, rejected: 0, failed_attempts: 0, last_error: null };
  #running = false;
  #stopped = false;
  #failures = 0;
  /** States settled so far, and steps in a row that settled none. */
  #settled = 0;
  #fruitless = 0;
  #batch = MAX_BATCH;
  #merges: boolean | undefined;
  #endPause: (() => void) | undefined;
  readonly #watchers = new Set<() => void>();

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** There is something to send. */
  wake(): void {
    this.#stopped = false;
    if (this.#running) return;
    this.#running = true;
    // A turn later, so that a run that starts and ends in this one goes as one record.
    setImmediate(() => void this.#run());
  }

  /** Sends no more before it is woken again. */
  stop(): void {
    this.#stopped = true;
    this.#endPause?.();
  }

  /**
   * Waits until everything is delivered.
   *
   * @param patient goes on after failures until the time is up; if not, the first failure ends it, and
   *   the time that is left goes to what dead processes left behind
   * @returns whether all of this client's was delivered
   */
  async drained(timeoutMs: number, patient: boolean): Promise<boolean> {
    const { leftovers } = this.#options;
    const failures = this.counts.failed_attempts;
    const through = (): boolean => this.#idle && (patient || !leftovers.pending);
    const done = (): boolean => through() || (!patient && this.counts.failed_attempts > failures);
    if (!through()) this.wake();
    this.#endPause?.();
    // This timer holds the process: sockets and pauses do not.
    const { promise: late, resolve: giveUp } = deferred<void>();
    const timer = setTimeout(giveUp, Math.min(timeoutMs, MAX_TIMER_MS));
    let over = timeoutMs <= 0;
    while (!done() && !over) {
      const changed = new Promise<void>((resolve) => this.#watchers.add(resolve));
      over = await Promise.race([changed.then(() => false), late.then(() => true)]);
    }
    clearTimeout(timer);
    return this.#idle;
  }

  get #idle(): boolean {
    return this.#options.outbox.size === 0 && !this.#options.leftovers.ownPending;
  }

  async #run(): Promise<void> {
    const { outbox, leftovers, guard } = this.#options;
    await this.#options.ready();
    while (!this.#stopped && (outbox.size > 0 || leftovers.pending)) {
      const reading = outbox.size === 0;
      const settled = this.#settled;
      const step = (): Promise<Verdict> => (reading ? this.#readBack() : this.#sendNext());
      const verdict = await guard.attemptAsync('Sending', step, () => later('a fault of the client'));
      const stuck = this.#stuckAfter(verdict, reading || this.#settled > settled);
      if (stuck) await this.#pause(stuck.reason, stuck.afterMs);
      this.#notify();
    }
    this.#running = false;
    this.#notify();
  }

  /** Whether to pause: also where a service contradicts itself (known, but not to be changed), so that steps lead nowhere. */
  #stuckAfter(verdict: Verdict, progress: boolean): Later | undefined {
    if (verdict.kind === 'later') return verdict;
    if (!progress) return ++this.#fruitless > MAX_FRUITLESS ? later('its answers contradict each other') : undefined;
    this.#fruitless = 0;
    this.#failures = 0;
    return undefined;
  }

  async #sendNext(): Promise<Verdict> {
    const { outbox } = this.#options;
    const request = nextRequest(outbox.next(this.#batch, MAX_BATCH_TEXT), this.#merges);
    if (!request) return { kind: 'stored' };
    const told = request.entries.map((entry) => ({ entry, version: entry.version, changes: begin(entry) }));
    if (request.body === '{}') {
      for (const { entry, version } of told) this.#settle(entry, version);
      return { kind: 'stored' };
    }
    const ids = request.entries.map(({ run }) => run.eventId);
    const { verdict, answer } = await this.#ask(request, ids);
    const result = answer && request.kind === 'merge' ? batchAnswer(answer, ids.length) : undefined;
    if (result) this.#merges = result.merges;
    const refused = result && refusedItems(ids, result.errors);
    for (const [index, { entry, version, changes }] of told.entries()) {
      const isRefused = result !== undefined && (refused?.has(index) ?? true);
      const settled = verdict.kind === 'stored' && !(result && this.#kept(result, isRefused, entry, version));
      if (settled) this.#stored(entry, version);
      else for (const name of changes) entry.changes.add(name);
    }
    const [first] = told;
    if (first && verdict.kind !== 'stored' && verdict.kind !== 'later') this.#refused(request, verdict, first.version);
    return verdict;
  }

  async #ask(request: Request, ids: readonly string[]): Promise<{ verdict: Verdict; answer: Answer | undefined }> {
    try {
      const method = request.kind === 'update' ? 'PATCH' : 'POST';
      const answer = await this.#options.transport.request(method, request.path, request.body);
      return { verdict: verdictOf(answer, request.kind, ids), answer };
    } catch (error) {
      return { verdict: noAnswer(error), answer: undefined };
    }
  }

  /** Whether an entry of a batch that was taken must be sent again all the same. */
  #kept(result: BatchAnswer, refused: boolean, entry: Entry, version: number): boolean {
    if (refused) {
      // By itself it goes another way where there is one, and if not its error is final.
      if (!entry.alone) entry.alone = true;
      else this.#reject(entry, version, result.errors.join('; '));
      return true;
    }
    if (result.merges || result.duplicates === 0) return false;
    // A service that does not merge may have ignored all but the run's first state.
    if (version === 1 && !entry.run.known) return false;
    this.#changeInstead(entry);
    return true;
  }

  #stored(entry: Entry, version: number): void {
    entry.run.known = true;
    this.#batch = Math.min(MAX_BATCH, this.#batch * 2);
    this.counts.delivered++;
    this.#settle(entry, version);
  }

  #settle(entry: Entry, version: number, keep = false): void {
    this.#settled++;
    this.#options.outbox.settle(entry, version, keep);
  }

  /** @param version of the first entry, as it was sent */
  #refused(request: Request, verdict: Exclude<Verdict, { kind: 'stored' | 'later' }>, version: number): void {
    const entry = request.entries[0] as Entry;
    if (verdict.kind === 'duplicate') return this.#changeInstead(entry);
    if (verdict.kind === 'missing') {
      entry.missing = true;
      entry.run.known = false;
    } else if (request.entries.length > 1) {
      this.#batch = Math.ceil(request.entries.length / 2);
      if (verdict.kind === 'refused' && request.entries.length <= 2)
        for (const each of request.entries) each.alone = true;
    } else if (request.kind === 'merge' && !entry.alone) {
      entry.alone = true;
    } else {
      this.#reject(entry, version, verdict.reason);
    }
  }

  #reject(entry: Entry, version: number, reason: string): void {
    this.counts.rejected++;
    const kept = this.#options.reject(entry, reason);
    this.#settle(entry, version, !kept);
  }

  /** The service has the run, perhaps in an older state: what came after its start is brought as a change. */
  #changeInstead(entry: Entry): void {
    entry.run.known = true;
    entry.missing = false;
    if (entry.version === 1 && this.#merges === false) this.#settle(entry, entry.version);
    else for (const name of patchableFields(entry)) entry.changes.add(name);
  }

  async #readBack(): Promise<Verdict> {
    const { leftovers, transport } = this.#options;
    try {
      return await leftovers.step(transport);
    } catch (error) {
      return noAnswer(error);
    }
  }

  async #pause(reason: string, afterMs: number | undefined): Promise<void> {
    this.#failures++;
    this.counts.failed_attempts++;
    this.counts.last_error = reason;
    this.#options.guard.warn(
      'delivery',
      `the service does not take runs now (${reason}); they wait on disk${hintFor(reason)}`,
    );
    this.#notify();
    const grown = FIRST_PAUSE_MS * this.#options.backoffFactor ** (this.#failures - 1);
    // Half of it by chance: many clients must not come back all at once.
    const own = Math.min(grown, MAX_PAUSE_MS) * (0.5 + Math.random() / 2);
    const pause = afterMs === undefined ? own : Math.max(afterMs, FIRST_PAUSE_MS / 2);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pause).unref();
      this.#endPause = (): void => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#endPause = undefined;
  }

  #notify(): void {
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const resolve of watchers) resolve();
  }
}

/** What the agent's user can do about it, behind the warning. */
function hintFor(reason: string): string {
  if (reason.startsWith('401')) return '. Set TELEMETRY_API_AUTH_TOKEN';
  return reason.includes('ECONNREFUSED') ? '. Start it; TELEMETRY_API_URL says where it is' : '';
}

/** Why there is no answer. Where a name has several addresses the error itself says nothing, and only its code is left. */
const noAnswer = (error: unknown): Later => later(reasonOf(error) || String((error as { code?: unknown }).code));

type Later = Extract<Verdict, { kind: 'later' }>;

const later = (reason: string): Later => ({ kind: 'later', reason, afterMs: undefined });

/** Takes the changes that go with this request; new ones gather beside. */
function begin(entry: Entry): Set<string> {
  const changes = entry.changes;
  entry.changes = new Set();
  return changes;
}
