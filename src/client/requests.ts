/** Which request comes next, and what its answer means. Pure: the sender does what is said here. */
import { isJsonObject, PATCH_FIELDS } from '../run.ts';
import type { Entry } from './outbox.ts';
import type { Answer } from './transport.ts';

export type Request =
  | { kind: 'create'; entries: [Entry]; path: string; body: string }
  | { kind: 'merge'; entries: Entry[]; path: string; body: string }
  | { kind: 'update'; entries: [Entry]; path: string; body: string };

export type Verdict =
  | { kind: 'stored' }
  /** The service had the run already, and has ignored what was sent. */
  | { kind: 'duplicate' }
  /** It does not know the run that was to be changed. */
  | { kind: 'missing' }
  /** It will never take this. */
  | { kind: 'refused'; reason: string }
  | { kind: 'too_large'; reason: string }
  /** It may take this later. */
  | { kind: 'later'; reason: string; afterMs: number | undefined };

export const MERGE_PATH = '/api/v1/runs/batch?on_duplicate=merge';
const PATCHABLE: ReadonlySet<string> = new Set(PATCH_FIELDS.map(({ name }) => name));

/**
 * The request for the oldest entry, with others that can go along. Changes go by merging wherever the
 * service merges: like the spool, and unlike PATCH, it may come twice, late, or after what followed it.
 *
 * @param merges whether the service merges; undefined where it is not known yet
 */
export function nextRequest(waiting: readonly Entry[], merges: boolean | undefined): Request | undefined {
  const [first] = waiting;
  if (!first) return undefined;
  const byPatch = ({ run, missing }: Entry): boolean => run.known && !missing && merges === false;
  if (byPatch(first)) return update(first);
  const batch = first.alone ? [first] : waiting.filter((entry) => !entry.alone && !byPatch(entry));
  const fresh = !first.run.known && (first.alone || !first.missing);
  return batch.length === 1 && fresh ? create(first) : merge(batch);
}

function create(entry: Entry): Request {
  return { kind: 'create', entries: [entry], path: '/api/v1/runs', body: entry.text };
}

function merge(entries: Entry[]): Request {
  return { kind: 'merge', entries, path: MERGE_PATH, body: `[${entries.map(({ text }) => text).join(',')}]` };
}

function update(entry: Entry): Request {
  const { record, eventId } = entry.run;
  return { kind: 'update', entries: [entry], path: runPath(eventId), body: patchOf(record, entry.changes) };
}

export const runPath = (eventId: string): string => `/api/v1/runs/${encodeURIComponent(eventId)}`;

/** The body of a PATCH: what of the named fields it can set. */
export function patchOf(record: Readonly<Record<string, unknown>>, names: Iterable<string>): string {
  const fields = [...names].filter((name) => PATCHABLE.has(name));
  return JSON.stringify(Object.fromEntries(fields.map((name) => [name, record[name]])));
}

/** Everything of a run that PATCH can set and that has been said. */
export function patchableFields({ run }: Entry): string[] {
  return Object.keys(run.record).filter((name) => PATCHABLE.has(name));
}

/** What an answer means for what was sent. */
export function verdictOf(answer: Answer, kind: Request['kind'], eventIds: readonly string[]): Verdict {
  const { status, retryAfterMs, body } = answer;
  const reason = `${status} ${detailOf(body)}`.trim();
  if (status >= 200 && status < 300) {
    // Whoever stands between (a proxy, a cache, a login page) may say 200 as well: only an answer to what was sent counts.
    const word = wordOf(answer, kind, eventIds);
    return word ? { kind: word } : { kind: 'later', reason: `${status}, but not from the service`, afterMs: undefined };
  }
  const ours = isJsonObject(body) && body.detail !== undefined;
  if (status === 404 && kind === 'update') return { kind: 'missing' };
  // Smaller parts may pass whoever says so; that one run never will is the service's word only.
  if (status === 413 && (ours || eventIds.length > 1)) return { kind: 'too_large', reason };
  if ((status === 400 || status === 422) && ours) return { kind: 'refused', reason };
  return { kind: 'later', reason, afterMs: retryAfterMs };
}

/** What a success says of just these runs; undefined where it says nothing of them. */
function wordOf(
  answer: Answer,
  kind: Request['kind'],
  eventIds: readonly string[],
): 'stored' | 'duplicate' | undefined {
  if (kind === 'merge') return batchAnswer(answer, eventIds.length) ? 'stored' : undefined;
  const { status, body } = answer;
  if (!isJsonObject(body) || body.event_id !== eventIds[0]) return undefined;
  if (kind === 'update') return status === 200 && body.updated === true ? 'stored' : undefined;
  if (body.status === 'created') return status === 201 ? 'stored' : undefined;
  // 201: an older service.
  return body.status === 'duplicate' && (status === 200 || status === 201) ? 'duplicate' : undefined;
}

function detailOf(body: unknown): string {
  const detail = (body as { detail?: unknown } | undefined)?.detail;
  return (typeof detail === 'string' ? detail : (JSON.stringify(detail) ?? '')).slice(0, 500);
}

export interface BatchAnswer {
  duplicates: number;
  /** Whether the service merges; one that does not has ignored what it knew. */
  merges: boolean;
  errors: string[];
}

/** The counts of a batch of so many runs; undefined where the answer is not one to it. */
export function batchAnswer({ status, body }: Answer, runs: number): BatchAnswer | undefined {
  if ((status !== 200 && status !== 201) || !isJsonObject(body)) return undefined;
  const { inserted, duplicates, merged, errors, total } = body;
  const counts: unknown[] = [inserted, duplicates, merged ?? 0];
  if (!counts.every(isCount) || !Array.isArray(errors) || total !== runs) return undefined;
  const sum = counts.reduce((left, right) => left + right, errors.length);
  if (sum !== runs) return undefined;
  return { duplicates: duplicates as number, merges: merged !== undefined, errors: errors.map(String) };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function itemOf(error: string, eventIds: readonly string[]): number {
  const index = Number(/^index (\d+):/.exec(error)?.[1] ?? -1);
  if (index >= 0 && index < eventIds.length) return index;
  const named = longest(eventIds.filter((id) => error.startsWith(`${id}:`)));
  // Another service's words.
  return eventIds.indexOf(named ?? longest(eventIds.filter((id) => error.includes(id))) ?? '');
}

/** For one id may be part of another. */
const longest = (ids: string[]): string | undefined => ids.sort((a, b) => b.length - a.length)[0];

/**
 * The items of a batch that its errors speak of: `<event_id or index n>: why`; undefined where that cannot be told, also
 * where two speak of one, for then another is refused that none names.
 */
export function refusedItems(eventIds: readonly string[], errors: readonly string[]): Set<number> | undefined {
  const refused = new Set(errors.map((error) => itemOf(error, eventIds)));
  return refused.has(-1) || refused.size < errors.length ? undefined : refused;
}
