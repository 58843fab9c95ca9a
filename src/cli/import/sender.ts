/** Sends runs in batches, as their own text, while the next ones are read. */
import { TelemetryError } from '../../errors.ts';
import { isJsonObject } from '../../run.ts';
import { labelOf } from '../../run/text.ts';
import { type Answer, strange, valueOf } from '../answer.ts';
import type { Target } from '../answer.ts';
import { type Pause, patiently } from './patience.ts';
import type { Place, Tally } from './tally.ts';

export interface Item extends Place {
  text: string;
  eventId: string;
}

export interface SenderOptions {
  target: Target;
  onDuplicate: 'merge' | 'ignore';
  /** Runs of a batch at most. */
  maxRuns: number;
  /** Characters of a batch at most, unless it is one run. */
  maxSize: number;
  tally: Tally;
  /** What is said where it stops midway: what went wrong and how far it came, and what can be done. */
  message: (stopped: string) => string;
  pause?: Pause;
}

/** A part of a batch may pass where the whole does not: too large, or refused for one run in it. */
const DIVISIBLE = [400, 413, 422];

interface Counts {
  inserted: number;
  duplicates: number;
  merged?: number;
  errors: string[];
}

export class Sender {
  readonly #options: SenderOptions;
  readonly #path: string;
  #maxRuns: number;
  #waiting: Item[] = [];
  #size = 0;
  #sending: Promise<void> = Promise.resolve();
  #last: Item | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#maxRuns = options.maxRuns;
    this.#path = `/api/v1/runs/batch?on_duplicate=${options.onDuplicate}&on_invalid=repair`;
  }

  /** Resolves once there is room for more. @throws TelemetryError saying how far it came */
  async add(item: Item): Promise<void> {
    if (this.#waiting.length > 0 && this.#size + item.text.length > this.#options.maxSize) await this.#sendWaiting();
    this.#waiting.push(item);
    this.#size += item.text.length + 1;
    if (this.#waiting.length >= this.#maxRuns) await this.#sendWaiting();
  }

  /** Resolves once all is stored. */
  async flush(): Promise<void> {
    await this.#sendWaiting();
    await this.#sending;
  }

  async #sendWaiting(): Promise<void> {
    const items = this.#waiting;
    this.#waiting = [];
    this.#size = 0;
    await this.#sending;
    this.#sending = this.#send(items);
    // Whoever comes next learns of it.
    this.#sending.catch(() => undefined);
  }

  async #send(items: readonly Item[]): Promise<void> {
    const [first] = items;
    if (!first) return;
    const answer = await this.#ask(items);
    if (answer.status < 300) {
      this.#count(items, countsOf(answer, items.length, this.#options.target.where));
      this.#last = items.at(-1);
    } else if (!DIVISIBLE.includes(answer.status)) {
      throw this.#stopped(errorOf(answer, this.#options.target.where));
    } else if (items.length > 1) {
      const half = Math.ceil(items.length / 2);
      if (answer.status === 413) this.#maxRuns = Math.min(this.#maxRuns, half);
      await this.#send(items.slice(0, half));
      await this.#send(items.slice(half));
    } else {
      this.#options.tally.reject(first, errorOf(answer, 'the service').message, first.text);
      this.#last = first;
    }
  }

  async #ask(items: readonly Item[]): Promise<Answer> {
    const { target, pause } = this.#options;
    const body = `[${items.map(({ text }) => text).join(',')}]`;
    try {
      return await patiently(target, () => target.request('POST', this.#path, body), pause);
    } catch (error) {
      throw error instanceof TelemetryError ? this.#stopped(error) : error;
    }
  }

  #count(items: readonly Item[], { inserted, duplicates, merged = 0, errors }: Counts): void {
    const { tally } = this.#options;
    tally.inserted += inserted;
    tally.duplicates += duplicates;
    tally.merged += merged;
    const left = new Set(items.keys());
    for (const error of errors) {
      const place = [...left].find((index) => error.startsWith(`${labelOf((items[index] as Item).eventId)}: `)) ?? -1;
      left.delete(place);
      // A service that words it otherwise: somewhere in this batch.
      const item = (items[place] ?? items[0]) as Item;
      tally.reject(item, place === -1 ? `in the batch from here on: ${error}` : error, item.text);
    }
  }

  #stopped({ code, message }: TelemetryError): TelemetryError {
    const at = this.#last;
    const far =
      at === undefined
        ? 'Nothing was stored.'
        : `Stored up to ${at.file}, ${at.offset === undefined ? 'row' : 'line'} ${at.line}.`;
    const detail = `${message} ${far}`;
    return new TelemetryError(code, this.#options.message(detail));
  }
}

function errorOf(answer: Answer, where: string): TelemetryError {
  try {
    valueOf(answer, where);
  } catch (error) {
    if (error instanceof TelemetryError) return error;
  }
  return strange(where);
}

/** What became of so many runs; an answer that speaks of others is not believed. */
function countsOf(answer: Answer, runs: number, where: string): Counts {
  const value = valueOf(answer, where);
  if (!isJsonObject(value) || !Array.isArray(value.errors)) throw strange(where);
  const { inserted, duplicates, merged = 0, errors, total } = value as Record<string, unknown> & { errors: unknown[] };
  const counts = [inserted, duplicates, merged] as number[];
  const sum = counts.reduce((left, right) => left + right, errors.length);
  if (!counts.every((count) => Number.isSafeInteger(count) && count >= 0) || sum !== runs || total !== runs)
    throw strange(where);
  return value as unknown as Counts;
}
