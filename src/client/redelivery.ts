/** Delivers lines of a spool file by merging, which makes it harmless that they may have been delivered before. */
import { isJsonObject, parsePlainJson } from '../run.ts';
import { batchAnswer, MERGE_PATH, patchOf, refusedItems, runPath, type Verdict, verdictOf } from './requests.ts';
import type { Transport } from './transport.ts';

/** What can never be delivered. */
export interface Rejected {
  line: string;
  reason: string;
}

export interface Redelivered {
  verdict: Verdict;
  /** Complete where the verdict is `stored`; what is sent again is judged again. */
  rejected: Rejected[];
}

type Item = [eventId: string, line: string];

/** @throws where there is no answer */
export async function redeliver(lines: readonly string[], transport: Transport): Promise<Redelivered> {
  const rejected: Rejected[] = [];
  // The newest state of a run holds all that the older ones said.
  const newest = new Map<string, string>();
  for (const line of lines.filter((each) => each.trim() !== '')) {
    const eventId = eventIdOf(line);
    if (eventId === undefined) rejected.push({ line, reason: 'not a record of a run' });
    else newest.set(eventId, line);
  }
  const verdict = await deliver([...newest], transport, rejected);
  return { verdict, rejected };
}

async function deliver(items: readonly Item[], transport: Transport, rejected: Rejected[]): Promise<Verdict> {
  if (items.length === 0) return { kind: 'stored' };
  const answer = await transport.request('POST', MERGE_PATH, `[${items.map(([, line]) => line).join(',')}]`);
  const ids = items.map(([eventId]) => eventId);
  const verdict = verdictOf(answer, 'merge', ids);
  if (verdict.kind === 'later') return verdict;
  const result = batchAnswer(answer, items.length);
  const refused = refusedItems(ids, result?.errors ?? []);
  if ((verdict.kind !== 'stored' || !refused) && items.length > 1) {
    const half = Math.ceil(items.length / 2);
    const first = await deliver(items.slice(0, half), transport, rejected);
    return first.kind === 'stored' ? deliver(items.slice(half), transport, rejected) : first;
  }
  const whole = 'reason' in verdict ? verdict.reason : undefined;
  for (const [index, [, line]] of items.entries()) {
    if (whole === undefined && refused?.has(index) === false) continue;
    rejected.push({ line, reason: whole ?? result?.errors.join('; ') ?? '' });
  }
  if (result && !result.merges && result.duplicates > 0) return changeEach(items, transport);
  return { kind: 'stored' };
}

/** A service that does not merge has ignored the runs it knew: the ends among them go by PATCH. */
async function changeEach(items: readonly Item[], transport: Transport): Promise<Verdict> {
  for (const [eventId, line] of items) {
    const record = parsePlainJson(line) as Record<string, unknown>;
    if (record.status === 'running') continue;
    const answer = await transport.request('PATCH', runPath(eventId), patchOf(record, Object.keys(record)));
    const verdict = verdictOf(answer, 'update', [eventId]);
    if (verdict.kind === 'later') return verdict;
  }
  return { kind: 'stored' };
}

function eventIdOf(line: string): string | undefined {
  try {
    const record = parsePlainJson(line);
    return isJsonObject(record) && typeof record.event_id === 'string' ? record.event_id : undefined;
  } catch {
    return undefined;
  }
}
