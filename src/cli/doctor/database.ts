/** The database file, and what is in force in it. */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bad, type Check, ok, warning } from '../../offline/check.ts';
import { bytesOf, numberOf } from '../../offline/figures.ts';
import { statOf } from '../../offline/files.ts';
import { schemaVersion } from '../../offline/version.ts';
import { SCHEMA_VERSION } from '../../run.ts';
import type { Look } from './look.ts';

const MAY_NOT = 'Run this as the user of the service; if that is so, look at the disk';

export function checkDatabase({ path, db, header, unread, status, socketProblem }: Look, held: boolean): Check {
  const found = statOf(path);
  if (!found) return ok('database', `${path} is not there yet: the first start makes it`);
  if (!found.isFile()) return bad('database', `${path} is not a file`, 'Set TELEMETRY_DB_PATH to a file');
  if (found.nlink > 1) return twice(path, found.ino, found.nlink);
  const seen = `${path}, ${bytesOf(found.size)}`;
  if (status) return ok('database', `${seen}, version ${SCHEMA_VERSION}, in use by the service`);
  if (held || socketProblem !== undefined) return ok('database', `${seen}, in use by a service`);
  if (found.size === 0) return ok('database', `${seen}: the first start makes the schema`);
  if (!header) {
    if (unread !== undefined) return bad('database', `${path} cannot be read: ${unread}`, MAY_NOT);
    const remedy = 'Set TELEMETRY_DB_PATH to a telemetry database, or restore a backup';
    return bad('database', `${path} is not a SQLite database`, remedy);
  }
  if (!db) return unreadState(seen, unread);
  const version = schemaVersion(db);
  if (version === undefined) {
    return bad('database', `${path} is a database of something else`, 'Set TELEMETRY_DB_PATH to a telemetry database');
  }
  if (version > SCHEMA_VERSION) {
    return bad('database', `${seen}, of the newer version ${version}`, 'Install a newer local-telemetry');
  }
  if (version < SCHEMA_VERSION) {
    const remedy = 'The next start migrates it, or local-telemetry migrate; back it up first';
    return warning('database', `${seen}, of version ${version || 'unknown'}`, remedy);
  }
  return ok('database', `${seen}, version ${version}`);
}

/** Neither WAL nor a journal is a problem; what SQLite cannot read is. */
function unreadState(seen: string, unread = ''): Check {
  const expected = /journal, which only|WAL mode/.test(unread);
  if (expected) return ok('database', `${seen}; not opened, for ${unread}`);
  return bad('database', `${seen}: ${unread}`, `local-telemetry verify says whether it is damaged. ${MAY_NOT}`);
}

/** A restore that was killed leaves two names; everything else is somebody's mistake. */
function twice(path: string, inode: number, names: number): Check {
  const folder = dirname(path);
  const second = readdirSync(folder).find(
    (name) => name.includes('.replaced-') && statOf(join(folder, name))?.ino === inode,
  );
  if (second !== undefined) {
    const remedy = 'Run local-telemetry restore again, with the same backup';
    return bad('database', `${path} is also ${second}: a restore was interrupted`, remedy);
  }
  return bad(
    'database',
    `${path} has ${names} names (hard links), under each of which a writer could start`,
    'Copy it with cp instead of ln',
  );
}

export function checkPragmas({ status, header, config, path }: Look): Check {
  if (status)
    return ok(
      'pragmas',
      `journal_mode=${status.journal_mode}, synchronous=${status.synchronous}, as the service has it`,
    );
  const { journalMode, synchronous } = config.database;
  const asked = `journal_mode=${journalMode}, synchronous=${synchronous}, from the next start on`;
  if (!header) return ok('pragmas', asked);
  const { pageSize, pages, freePages, autoVacuum, wal } = header;
  const free = pages === 0 ? 0 : freePages / pages;
  const details = [
    `the file is in ${wal ? 'WAL' : 'DELETE'} mode`,
    `page_size=${pageSize}, auto_vacuum=${autoVacuum}, ${numberOf(freePages)} of ${numberOf(pages)} pages are free`,
  ];
  if (free > 0.5 && freePages * pageSize > 100 * 1024 * 1024) {
    const seen = `more than half of ${path} is free pages`;
    return warning('pragmas', seen, 'local-telemetry retention gives them back after it has deleted', details);
  }
  return ok('pragmas', asked, details);
}
