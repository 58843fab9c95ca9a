/** What each command does to the rows. Runs inside the group's transaction; knows no thread and no HTTP. */
import { invalid, TelemetryError } from '../../errors.ts';
import {
  FIELD_INDEX,
  isJsonObject,
  PATCH_FIELDS,
  rowOf,
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
  const named = PATCH_FIELDS.filter(({ name }) => patch[name] !== null && patch[name] !== undefined);
  const fields = named.map(({ name }) => name as FieldName);
  const current = find(eventId, at);
  if (fields.length === 0) throw new TelemetryError('bad_request', 'No valid fields to update');
  const changes = new Map(
    fields.map((name) => [FIELD_INDEX[name], storedValue(FIELD_INDEX[name], patch[name], at.mended)]),
  );
  change(current, changes, at);
  return { event_id: eventId, fields_updated: fields };
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
  const changes = new Map<number, SqlValue>();
  for (const part of ['hash', 'source', 'author', 'timestamp'] as const) {
    const given = commit[`commit_${part}`];
    const index = FIELD_INDEX[`git_commit_${part}`];
    if (given !== null && given !== undefined) changes.set(index, storedValue(index, given, at.mended));
  }
  change(current, changes, at);
  return { event_id: eventId, run_id: runIdOf(current.values), commit_hash: String(commit.commit_hash) };
}

function find(eventId: string, at: Workplace): StoredRow {
  const row = at.store.find(eventId);
  if (!row) throw new TelemetryError('not_found', `Run not found: ${eventId}`);
  return row;
}

function change(current: StoredRow, changes: Map<number, SqlValue>, at: Workplace): void {
  changes.set(FIELD_INDEX.updated_at, at.now);
  const patched = patchRow(current, at.store.clocksOf(current.id), changes, at.now);
  at.store.replace(current.id, current, patched);
  at.changed(current.id, current, patched);
}
