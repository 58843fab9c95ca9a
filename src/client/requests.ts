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

/** What an answer means for what was sent, so many runs. */
export function verdictOf({ status, retryAfterMs, body }: Answer, kind: Request['kind'], runs: number): Verdict {
  const reason = `${status} ${detailOf(body)}`.trim();
  if (status >= 200 && status < 300) {
    // Whoever stands between (a proxy, a login page) may say 200 as well: only the service's own words count.
    if (!isAnswer(body, kind))
      return { kind: 'later', reason: `${status}, but not from the service`, afterMs: undefined };
    return { kind: kind === 'create' && body.status === 'duplicate' ? 'duplicate' : 'stored' };
  }
  const ours = isJsonObject(body) && body.detail !== undefined;
  if (status === 404 && kind === 'update') return { kind: 'missing' };
  // Smaller parts may pass whoever says so; that one run never will is the service's word only.
  if (status === 413 && (ours || runs > 1)) return { kind: 'too_large', reason };
  if ((status === 400 || status === 422) && ours) return { kind: 'refused', reason };
  return { kind: 'later', reason, afterMs: retryAfterMs };
}

function isAnswer(body: unknown, kind: Request['kind']): body is Record<string, unknown> {
  if (!isJsonObject(body)) return false;
  if (kind === 'merge') return batchAnswer(body) !== undefined;
  return typeof body.event_id === 'string';
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

/** The counts of a batch; undefined where the answer is no such thing. */
export function batchAnswer(body: unknown): BatchAnswer | undefined {
  if (!isJsonObject(body)) return undefined;
  const { duplicates, merged, errors } = body;
  if (typeof duplicates !== 'number') return undefined;
  return { duplicates, merges: typeof merged === 'number', errors: Array.isArray(errors) ? errors.map(String) : [] };
}

function itemOf(error: string, eventIds: readonly string[]): number {
  const index = Number(/^index (\d+):/.exec(error)?.[1] ?? -1);
  if (index >= 0 && index < eventIds.length) return index;
  const named = eventIds.findIndex((id) => error.startsWith(`${id}:`));
  if (named !== -1) return named;
  // Another service's words; the longest, for one id may be part of another.
  const mentioned = eventIds.filter((id) => error.includes(id)).sort((a, b) => b.length - a.length);
  return mentioned[0] === undefined ? -1 : eventIds.indexOf(mentioned[0]);
}

/** The items of a batch that its errors speak of: `<event_id or index n>: why`; undefined where that cannot be told. */
export function refusedItems(eventIds: readonly string[], errors: readonly string[]): Set<number> | undefined {
  const refused = new Set<number>();
  const places = new Map(eventIds.map((id, index) => [id, index]));
  for (const error of errors) {
    const item = places.get(error.slice(0, error.indexOf(':'))) ?? itemOf(error, eventIds);
    if (item === -1) return undefined;
    refused.add(item);
  }
  return refused;
}
