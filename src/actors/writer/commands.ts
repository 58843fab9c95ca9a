/** What each command does to the rows. Runs inside the group's transaction; knows no thread and no HTTP. */
import { invalid, TelemetryError } from '../../errors.ts';
import {
  FIELD_INDEX,
  isCleared,
  isJsonObject,
  isNothing,
  type Originals,
  PATCH_FIELDS,
  rowOf,
  shortId,
  storedValue,
  type FieldName,
  type SqlValue,
} from '../../run.ts';
import { acceptsPatch, acceptsRun, explainCommit, explainPatch, explainRun } from '../../run/check.ts';
import { parseBatch, parseBody } from '../body.ts';
import type { BatchResult, Commands, Created, PackedCommand, CommandResult } from '../protocol.ts';
import { patchRow } from './clocks.ts';
import { insert, storeItems } from './items.ts';
import { forget, merge } from './spool.ts';
import { eventIdOf, runIdOf, type StoredRow } from './store.ts';
import type { Workplace } from './workplace.ts';

/** @throws TelemetryError; any other error is the database's */
export function runCommand(command: PackedCommand, body: Uint8Array, at: Workplace): CommandResult {
  switch (command.name) {
    case 'create':
      return create(body, at);
    case 'batch':
      return batch(body, command.args, at);
    case 'update':
      return update(body, command.args.eventId, at);
    case 'associate':
      return associate(body, command.args.eventId, at);
    case 'merge':
      return merge(body, command.args, at);
    case 'forget':
      return forget(command.args.files, at);
    case 'delete':
      return at.care.delete(command.args, (id, row) => at.changed(id, row, undefined));
    case 'shrink':
      return at.care.shrink(command.args.pages);
    case 'optimize':
      return at.care.optimize(command.args.analyze);
    case 'reindex':
      return at.care.reindex(command.args.index);
    case 'recount':
      at.recount();
      return { recounting: true };
  }
}

function create(body: Uint8Array, at: Workplace): Created {
  const record = parseBody(body, 'body', at.mended);
  if (!acceptsRun(record)) throw invalid(explainRun(record));
  const row = rowOf(record, at.now, at.mended);
  return { created: insert(row, at), event_id: eventIdOf(row.values), run_id: runIdOf(row.values) };
}

function batch(body: Uint8Array, args: Commands['batch']['args'], at: Workplace): BatchResult {
  const { items, wrapped } = parseBatch(body, args.maxRuns, at.mended);
  return { ...storeItems(items, args, at), total: items.length, wrapped };
}

function update(body: Uint8Array, eventId: string, at: Workplace): { event_id: string; fields_updated: string[] } {
  const patch = parseBody(body, 'body', at.mended);
  if (!acceptsPatch(patch)) throw invalid(explainPatch(patch));
  const named = PATCH_FIELDS.map(({ name }) => name as FieldName).filter(
    (name) => !isNothing(patch[name]) || isCleared(FIELD_INDEX[name], patch[name]),
  );
  const current = find(eventId, at);
  if (named.length === 0) throw new TelemetryError('bad_request', 'No valid fields to update');
  change(current, new Map(named.map((name) => [name, patch[name]])), at);
  return { event_id: eventIdOf(current.values), fields_updated: named };
}

function associate(
  body: Uint8Array,
  eventId: string,
  at: Workplace,
): { event_id: string; run_id: string; commit_hash: string } {
  const commit = parseBody(body, 'body', at.mended);
  const issues = explainCommit(commit);
  if (issues.length > 0 || !isJsonObject(commit)) throw invalid(issues);
  const current = find(eventId, at);
  const given = new Map<FieldName, unknown>();
  for (const part of ['hash', 'source', 'author', 'timestamp'] as const) {
    const value = commit[`commit_${part}`];
    if (!isNothing(value)) given.set(`git_commit_${part}`, value);
  }
  change(current, given, at);
  const { values } = current;
  return { event_id: eventIdOf(values), run_id: runIdOf(values), commit_hash: String(commit.commit_hash) };
}

/** By the id that was sent: one that is too long may be stored in its short form. */
function find(eventId: string, at: Workplace): StoredRow {
  const short = shortId(eventId);
  const row = at.store.find(eventId) ?? (short === eventId ? undefined : at.store.find(short));
  if (!row) throw new TelemetryError('not_found', `Run not found: ${eventId}`);
  return row;
}

/** @param given checked values; an empty text clears its field */
function change(current: StoredRow, given: ReadonlyMap<FieldName, unknown>, at: Workplace): void {
  const originals: Originals = new Map();
  const changes = new Map<number, SqlValue>([[FIELD_INDEX.updated_at, at.now]]);
  for (const [name, value] of given) {
    const index = FIELD_INDEX[name];
    changes.set(index, value === '' ? null : storedValue(index, value, originals, at.mended));
  }
  const patched = patchRow(current, at.store.clocksOf(current.id), changes, at.now);
  at.store.replace(current.id, current, patched);
  if (originals.size > 0) at.store.keep(current.id, originals);
  at.changed(current.id, current, patched);
}
