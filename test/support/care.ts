/** The operator's commands to a writer without its thread. */
import assert from 'node:assert/strict';
import Database from 'better-sqlite3';
import type { GroupWriter } from '../../src/actors/writer/group.ts';
import { timestampOf } from '../../src/run.ts';
import { aRecord, groupOf, insertRuns, type Sent } from './database.ts';

export const day = (number: number): string => timestampOf(Date.UTC(2026, 0, number));
export const remove = (before: string, limit = 1_000): Sent => ({ name: 'delete', args: { before, limit }, body: '' });
export const shrink = (pages = 100_000): Sent => ({ name: 'shrink', args: { pages }, body: '' });
export const reindex = (index: string): Sent => ({ name: 'reindex', args: { index }, body: '' });
export const optimize = (analyze: boolean): Sent => ({ name: 'optimize', args: { analyze }, body: '' });

/** The value of the only command of a group. */
export function done(writer: GroupWriter, sent: Sent): unknown {
  const [outcome] = writer.execute(groupOf(sent));
  return outcome?.ok ? outcome.value : assert.fail(JSON.stringify(outcome));
}

/** Takes an index away while a run is stored, and puts it back: it lacks the entry then. */
export function loseEntry(path: string, index: string, fields: Record<string, unknown> = {}): void {
  const hide = new Database(path).unsafeMode();
  hide.pragma('writable_schema = ON');
  const entry = hide.prepare('SELECT * FROM sqlite_schema WHERE name = ?').raw().get(index) as unknown[];
  hide.prepare('DELETE FROM sqlite_schema WHERE name = ?').run(index);
  hide.close();
  const store = new Database(path);
  insertRuns(store, [aRecord(fields)]);
  store.close();
  const show = new Database(path).unsafeMode();
  show.pragma('writable_schema = ON');
  show.prepare('INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)').run(...entry);
  show.close();
}
