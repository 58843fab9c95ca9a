/** The checks of a database by itself: what SQLite says of the file, and what we say of what is in it. */
import type { Connection } from '../actors/database.ts';
import { describe } from '../errors.ts';
import { SCHEMA_VERSION } from '../run.ts';
import { bad, type Check, firstOf, ok, warning } from './check.ts';
import { foreignKeyProblems, integrityProblems, MAX_PROBLEMS, openProven } from './checks.ts';
import { count, numberOf } from './figures.ts';
import { isTrouble } from './files.ts';
import { rollupDifferences } from './rollups.ts';
import { unreadableRuns } from './readable.ts';
import { unsoundRuns } from './runs.ts';
import { schemaDifferences } from './schema.ts';
import { schemaVersion } from './version.ts';

export interface DatabaseOptions {
  /** Leaves out whether every index entry has its row. */
  quick: boolean;
  onProgress: (what: string) => void;
}

const BUSY_TIMEOUT_MS = 10_000;
const RESTORE = 'local-telemetry restore puts a backup in its place; keep the damaged file';

/**
 * A connection for checking; a file that is too damaged to be opened is a finding, not an error.
 *
 * @throws the system's error where the file cannot be opened at all
 */
export function openToCheck(path: string): Connection | Check {
  try {
    return openProven(path, BUSY_TIMEOUT_MS);
  } catch (error) {
    if (!/^SQLITE_(CORRUPT|NOTADB)/.test((error as { code?: string }).code ?? '')) throw error;
    return bad('integrity', `the file cannot be read: ${describe(error)}`, RESTORE);
  }
}

/** Every check that the schema's version allows. */
export function checkDatabase(db: Connection, { quick, onProgress }: DatabaseOptions): Check[] {
  onProgress('Checking the pages');
  const checks = [guarded('integrity', () => integrity(db, quick))];
  const version = versionOf(db);
  if (version !== SCHEMA_VERSION) return [...checks, otherVersion(version)];
  onProgress('Checking the references');
  checks.push(guarded('foreign_keys', () => foreignKeys(db)));
  checks.push(guarded('schema', () => schema(db)));
  checks.push(guarded('rollups', () => rollups(db, onProgress)));
  checks.push(guarded('runs', () => runs(db, onProgress)));
  return checks;
}

/** Whether a database keeps what the checks of NDJSON and spool need. */
export const isCurrent = (db: Connection): boolean => versionOf(db) === SCHEMA_VERSION;

function versionOf(db: Connection): number | undefined {
  try {
    return schemaVersion(db);
  } catch (error) {
    if (isTrouble(error)) throw error;
    // Damaged; the check of the pages tells how.
    return undefined;
  }
}

/** On a damaged file any statement may fail. */
function guarded(name: string, check: () => Check): Check {
  try {
    return check();
  } catch (error) {
    return unfinished(name, error);
  }
}

/** What stopped a check, where that is the file itself. @throws the error where it says nothing of the file */
export function unfinished(name: string, error: unknown): Check {
  if (isTrouble(error)) throw error;
  return bad(name, `the check could not be finished: ${describe(error)}`, RESTORE);
}

function otherVersion(version: number | undefined): Check {
  if (version === undefined) {
    return bad('schema', 'the runs are not there, or cannot be read', 'Give a telemetry database, or restore a backup');
  }
  if (version > SCHEMA_VERSION) {
    const seen = `schema version ${version}; this release knows versions up to ${SCHEMA_VERSION}`;
    return bad('schema', seen, 'Install a newer local-telemetry');
  }
  const seen = `schema version ${version || 'not recorded'}: only its pages were checked`;
  return warning('schema', seen, 'The next start of the service migrates it, or local-telemetry migrate');
}

function integrity(db: Connection, quick: boolean): Check {
  const problems = integrityProblems(db, quick);
  const pages = count(db.pragma('page_count', { simple: true }) as number, 'page');
  const seen = quick ? `${pages}, quickly: indexes were not compared with rows` : `${pages}, every index entry`;
  if (problems.length === 0) return ok('integrity', seen);
  const many =
    problems.length === MAX_PROBLEMS ? `${MAX_PROBLEMS} problems or more` : count(problems.length, 'problem');
  const onlyIndexes = problems.every((problem) =>
    /missing from index|wrong # of entries|non-unique entry/.test(problem),
  );
  const remedy = onlyIndexes ? 'local-telemetry optimize --reindex builds the indexes anew' : RESTORE;
  return bad('integrity', `the file is damaged: ${many}`, remedy, problems);
}

function foreignKeys(db: Connection): Check {
  const problems = foreignKeyProblems(db);
  if (problems.length === 0) return ok('foreign_keys', 'every reference leads to a row');
  const remedy = 'Another program deleted runs. local-telemetry optimize --recount removes what belonged to them';
  return bad('foreign_keys', 'rows refer to runs that are not there', remedy, problems);
}

function schema(db: Connection): Check {
  const differences = schemaDifferences(db);
  if (differences.length === 0) return ok('schema', `version ${SCHEMA_VERSION}, every table, column and index`);
  const remedy =
    'Stop the service and start it again, which completes a schema; restore a backup if that does not help';
  return bad('schema', `not that of version ${SCHEMA_VERSION}`, remedy, firstOf(differences));
}

function rollups(db: Connection, onProgress: (what: string) => void): Check {
  const differences = rollupDifferences(db, (id) => onProgress(`Counting the runs: ${numberOf(id)}`));
  const trusted = db.prepare('SELECT trusted FROM rollup_state').pluck().get() === 1;
  const lines = firstOf(differences.map(({ key, kept, counted }) => `${key}: kept ${kept}, counted ${counted}`));
  if (differences.length === 0) return ok('rollups', 'every count is that of the runs');
  if (!trusted) {
    const remedy = 'The service counts them anew by itself; look again when it has';
    return warning('rollups', `not right yet: ${count(differences.length, 'count')}`, remedy, lines);
  }
  const remedy = 'local-telemetry optimize --recount counts them anew';
  return bad('rollups', `not as the runs are: ${count(differences.length, 'count')}`, remedy, lines);
}

function runs(db: Connection, onProgress: (what: string) => void): Check {
  const found = unsoundRuns(db, (checked) => onProgress(`Checking the runs: ${numberOf(checked)}`));
  const seen = count(found.runs, 'run');
  const { unreadable, first } = unreadableRuns(db, (read) => onProgress(`Reading the runs: ${numberOf(read)}`));
  if (unreadable > 0) {
    const remedy = 'Lists leave out nothing, so they fail. Report it, and delete these rows or restore a backup';
    return bad('runs', `${numberOf(unreadable)} of ${seen} cannot be read`, remedy, firstOf(first, unreadable));
  }
  if (found.unsound === 0) return ok('runs', `${seen}, each one that could be sent`);
  const remedy = 'Another program wrote them. Change them by PATCH, or restore a backup from before that';
  return bad(
    'runs',
    `${numberOf(found.unsound)} of ${seen} could not have been sent`,
    remedy,
    firstOf(found.first, found.unsound),
  );
}
