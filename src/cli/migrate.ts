/** `migrate`: a database of an earlier version becomes one of this version; the earlier one stays as the backup. */
import { statSync } from 'node:fs';
import { TelemetryError } from '../errors.ts';
import { command } from './command.ts';
import { configOf, DATABASE, JSON_OUTPUT } from './options.ts';
import { bytesOf, count } from '../offline/figures.ts';
import { duration, Pace } from './pace.ts';
import type { Terminal } from './terminal.ts';
import type { Migrated, Progress } from '../actors/writer/older/migrate.ts';
import type { Survey } from '../actors/writer/older/survey.ts';

export default command({
  name: 'migrate',
  summary: 'Bring a database of an earlier version (1 to 7) to this one',
  details:
    'Builds a new database beside the old one, compares the two, and puts the new one in its place. The old one is only\n' +
    'read, and stays beside it as <database>.v6-<time>.backup. Killed at any moment, it leaves one or the other in place:\n' +
    'start it again. Stop the earlier service first. A service of this version migrates at its start, up to\n' +
    'TELEMETRY_AUTO_MIGRATE_MAX_ROWS runs.',
  args: {
    'dry-run': { type: 'boolean', description: 'Only say what is there, what would be done, and how long it takes' },
    ...DATABASE,
    ...JSON_OUTPUT,
  },
  examples: [
    ['migrate --dry-run', 'changes not a byte'],
    ['migrate --db /data/telemetry.sqlite', 'migrates that file'],
  ],
  run: migrate,
});

async function migrate(args: Readonly<Record<string, unknown>>, terminal: Terminal): Promise<undefined> {
  const config = configOf(args, terminal);
  const { path } = config.database;
  const { survey } = await import('../actors/writer/older/survey.ts');
  const { completeName } = await import('../actors/writer/older/files.ts');
  const isThere = (file: string): boolean => statSync(file, { throwIfNoEntry: false }) !== undefined;
  if (args['dry-run'] === true) {
    if (!isThere(path) && isThere(completeName(path))) throw interrupted(path);
    if (!isThere(path)) throw missing(path);
    const found = survey(path);
    if (args.json) terminal.json(surveyJson(found));
    else for (const line of described(found)) terminal.print(line);
    return undefined;
  }
  const { ProcessLock } = await import('../actors/writer/lock.ts');
  const { realPath } = await import('../actors/writer/real-path.ts');
  const { repairInterrupted } = await import('../actors/writer/older/migrate.ts');
  const { look } = await import('../actors/writer/inspect.ts');
  const { readMigrations } = await import('../actors/writer/migrate.ts');
  const real = located(path, realPath);
  // Where a killed migration has come as far as that, the new one only needs its name.
  if (!isThere(real) && !isThere(completeName(real))) throw missing(path);
  const migrations = readMigrations();
  if (isThere(real)) requireDatabase(() => look(real, migrations));
  const lock = new ProcessLock(real, config.database.lockFile);
  try {
    repairInterrupted(real);
    const { version, older } = look(real, migrations);
    if (older) done(await migrated(real, terminal), args, terminal);
    else if (args.json) terminal.json({ migrated: false, version });
    else
      terminal.print(
        `There is nothing to migrate: ${path} ${version === 0 ? 'is empty' : `has version ${version} already`}.`,
      );
  } finally {
    lock.release();
  }
  return undefined;
}

/**
 * A file that is nobody's database, or somebody else's, gets no lock file beside it. What can only be told under the lock, for
 * another program has it just now, is told there.
 */
function requireDatabase(look: () => unknown): void {
  try {
    look();
  } catch (error) {
    if (error instanceof TelemetryError) throw error;
  }
}

function missing(path: string): TelemetryError {
  return new TelemetryError('refused', `There is no database ${path}. Set TELEMETRY_DB_PATH or give --db.`);
}

function interrupted(path: string): TelemetryError {
  const why = `A migration of ${path} was killed when it was complete but for its last step. Run local-telemetry migrate: it takes that step.`;
  return new TelemetryError('refused', why);
}

function located(path: string, realPath: (path: string) => string): string {
  try {
    return realPath(path);
  } catch {
    throw missing(path);
  }
}

const PHASES: Readonly<Record<Progress['phase'], string>> = {
  check: 'Checking the earlier database',
  copy: 'Copying',
  index: 'Making indexes',
  count: 'Counting',
  verify: 'Comparing',
};

async function migrated(path: string, terminal: Terminal): Promise<Migrated> {
  const { migrateOlder } = await import('../actors/writer/older/migrate.ts');
  const steps = migrateOlder(path);
  let phase: Progress['phase'] | undefined;
  let pace = new Pace(0);
  try {
    for (;;) {
      const { done: ended, value } = steps.next();
      if (ended) return value;
      if (value.phase !== phase) pace = new Pace(value.total);
      const first = value.phase !== phase;
      phase = value.phase;
      if (first) terminal.note(`${PHASES[phase]}…`);
      else if (phase !== 'check')
        terminal.progress(`${PHASES[phase]}: ${pace.at(value.done, phase === 'index' ? 'indexes' : 'rows')}`);
    }
  } finally {
    steps.return(undefined as never);
  }
}

const rounded = (seconds: number): number => Math.round(seconds * 1_000) / 1_000;

/** For scripts: what goes outside is in snake_case. */
function surveyJson({ expectedSeconds, freeBytes, neededBytes, ...found }: Survey): object {
  return {
    ...found,
    expected_seconds: rounded(expectedSeconds),
    free_bytes: freeBytes,
    needed_bytes: neededBytes,
  };
}

const migratedJson = ({ leftBehind, seconds, ...result }: Migrated): object => ({
  migrated: true,
  ...result,
  left_behind: leftBehind,
  seconds: rounded(seconds),
});

function done(result: Migrated, args: Readonly<Record<string, unknown>>, terminal: Terminal): void {
  if (args.json) return terminal.json(migratedJson(result));
  const { from, to, rows, events, commits, repaired, repairs, backup, leftBehind, seconds } = result;
  terminal.print(
    `Migrated from version ${from || 'unknown'} to ${to} in ${duration(seconds * 1_000)}: ${amounts(rows, events, commits)}.`,
  );
  if (repaired > 0) {
    terminal.print(
      `${count(repaired, 'run')} could not be taken over as they were; the originals are in the table run_originals:`,
    );
    for (const [repair, times] of Object.entries(repairs))
      terminal.print(`  ${times.toLocaleString('en-US')} x ${repair}`);
  }
  for (const what of leftBehind) terminal.print(`Only in the backup: ${what}`);
  terminal.print(`The earlier database is kept as ${backup}; remove it when all is well.`);
}

const amounts = (rows: number, events: number, commits: number): string =>
  `${count(rows, 'run')}, ${count(events, 'event')}, ${count(commits, 'commit')}`;

function described(found: Survey): string[] {
  const { path, shape, rows, events, commits, notes, steps, expectedSeconds, freeBytes, neededBytes } = found;
  const lines = [
    `Database: ${path} (${bytesOf(found.bytes)})`,
    `Version:  ${shape}`,
    `Holds:    ${amounts(rows, events, commits)}`,
  ];
  for (const note of notes) lines.push(`Note:     ${note}`);
  if (steps.length === 0) return [...lines, 'There is nothing to migrate.'];
  lines.push('', 'Migrating would:', ...steps.map((step, index) => `  ${index + 1}. ${step}`), '');
  lines.push(
    `It takes about ${duration(expectedSeconds * 1_000)} and ${bytesOf(neededBytes)} of space; ${bytesOf(freeBytes)} are free.`,
  );
  if (freeBytes < neededBytes)
    lines.push('That is not enough: free space there, or move the database to a larger disk.');
  return [...lines, 'Nothing was changed.'];
}
