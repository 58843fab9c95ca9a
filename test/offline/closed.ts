/** Databases as the writer leaves them when it is closed, and damaged ones. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Gate } from '../../src/actors/gate.ts';
import { Session } from '../../src/actors/writer/session.ts';
import { batch, codesOf, databaseConfig, groupOf } from '../support/database.ts';
import { behindOurBack } from '../support/session.ts';
import { aRun } from '../support/service.ts';

/** A database of so many runs in the folder `db` of a base directory, without thread and service. @returns its path */
export function closedDatabase(directory: string, runs: number, fields: Record<string, unknown> = {}): string {
  mkdirSync(join(directory, 'db'), { recursive: true });
  const database = databaseConfig(join(directory, 'db'));
  const techniques = { gate: true, directorySync: true, groupCommit: true };
  const session = new Session({ database, techniques, first: true }, new Gate());
  try {
    session.open();
    const outcomes = session.commit(groupOf(batch(Array.from({ length: runs }, () => aRun(fields)))));
    assert.deepEqual(codesOf(outcomes), ['ok']);
  } finally {
    session.close();
  }
  return database.path;
}

/** Flips a byte in the page where an index begins, of a database that nobody has open. */
export function damageIndex(path: string, index: string): void {
  const [root, size] = behindOurBack(path, (db) => [
    db.prepare("SELECT rootpage FROM sqlite_schema WHERE type = 'index' AND name = ?").pluck().get(index) as number,
    db.pragma('page_size', { simple: true }) as number,
  ]);
  const bytes = readFileSync(path);
  // Cells fill a page from its end.
  const at = (root as number) * (size as number) - 6;
  bytes[at] = (bytes[at] as number) ^ 0xff;
  writeFileSync(path, bytes);
}
