/** Names of runs and events: made here, or checked where the agent brings its own. */
import { getRandomValues } from 'node:crypto';
import { fits } from '../run/bounds.ts';
import { now, timestamp } from './clock.ts';

const MAX_LENGTH = 255;

/** How run ids came about, since the client was made. */
export interface RunIdMetrics {
  generated: number;
  custom_accepted: number;
  /** Custom ones that could not be taken, by the reason; a generated one stood in. */
  rejected: { empty: number; too_long: number; invalid_chars: number };
  /** Of an id that was active already; a suffix made it another. */
  duplicates: number;
}

export class RunIds {
  readonly #metrics: RunIdMetrics = {
    generated: 0,
    custom_accepted: 0,
    rejected: { empty: 0, too_long: 0, invalid_chars: 0 },
    duplicates: 0,
  };

  /**
   * The id for a new run.
   *
   * @param custom the agent's own; undefined or null where it has none
   * @param isActive whether a run of that id is active in this client
   * @returns `{YYYYMMDD}T{HHMMSS}Z-{agent}-{8 hex}`, or the custom one
   */
  next(custom: unknown, agentName: string, isActive: (runId: string) => boolean): string {
    const taken = custom === undefined || custom === null ? undefined : this.#accepted(custom);
    if (taken === undefined) this.#metrics.generated++;
    const runId = taken ?? generated(agentName);
    if (!isActive(runId)) return runId;
    this.#metrics.duplicates++;
    const suffix = `-duplicate-${randomHex(4)}`;
    // toWellFormed: the cut may fall within a character.
    return runId.slice(0, MAX_LENGTH - suffix.length).toWellFormed() + suffix;
  }

  get metrics(): RunIdMetrics {
    return { ...this.#metrics, rejected: { ...this.#metrics.rejected } };
  }

  #accepted(custom: unknown): string | undefined {
    const why = objection(custom);
    if (why === undefined) {
      this.#metrics.custom_accepted++;
      return custom as string;
    }
    this.#metrics.rejected[why]++;
    return undefined;
  }
}

function objection(custom: unknown): keyof RunIdMetrics['rejected'] | undefined {
  if (typeof custom !== 'string') return 'invalid_chars';
  if (custom.trim() === '') return 'empty';
  if (custom.length > MAX_LENGTH) return 'too_long';
  return /[/\\\0]/.test(custom) || !custom.isWellFormed() ? 'invalid_chars' : undefined;
}

function generated(agentName: string): string {
  const time = timestamp().replace(/[-:]|\.\d+/g, '');
  const some = agentName.slice(0, 200);
  // So that the service takes it as it is.
  const agent = (fits(some, 400) ? some : some.slice(0, 130)).replace(/[/\\\0]/g, '-');
  return `${time}-${agent.toWellFormed()}-${randomHex(4)}`;
}

/** What startRun returns when even starting a run failed. */
export const errorRunId = (): string => `error-${randomHex(4)}`;

/** A UUID of version 7: its order is the order of time, which is kind to the service's index. */
export function eventId(at = now()): string {
  const time = at.toString(16).padStart(12, '0');
  const random = randomHex(10);
  const variant = ((parseInt(random[3] as string, 16) & 3) | 8).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${random.slice(7, 19)}`;
}

// Random bytes are fetched in stock: a call for each id costs more than the id.
const stock = Buffer.alloc(4096);
let used = stock.length;

export function randomHex(bytes: number): string {
  if (used + bytes > stock.length) {
    getRandomValues(stock);
    used = 0;
  }
  used += bytes;
  return stock.toString('hex', used - bytes, used);
}
