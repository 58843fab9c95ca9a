/** `import`: runs from NDJSON files and from other databases. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DatabaseConfig } from '../config.ts';
import { TelemetryError } from '../errors.ts';
import { command } from './command.ts';
import { EXIT, UsageError } from './exit.ts';
import type { Arguments } from './filter.ts';
import { Engine } from './import/engine.ts';
import { Sender } from './import/sender.ts';
import { checkSources, STDIN } from './import/source.ts';
import { Tally } from './import/tally.ts';
import { wholeNumber } from './numbers.ts';
import { configOf, DATABASE, JSON_OUTPUT } from './options.ts';
import { duration } from './pace.ts';
import { ELSEWHERE, openTarget } from './target.ts';
import type { Terminal } from './terminal.ts';

const DEFAULT_BATCH = '500';
/** A service takes no more in one batch, unless it is set otherwise. */
const MAX_BATCH = 10_000;
/** Characters of a batch: what the writer commits at once. */
const MAX_BATCH_SIZE = 8 * 1024 * 1024;

export default command({
  name: 'import',
  summary: 'Bring in runs from exports, backups of clients, spool files or another database',
  details:
    'Takes NDJSON, a run a line, also compressed by gzip, and databases of this or an earlier version; what a file is, its\n' +
    'content says. Records of a known run are merged into it, so that all may be imported again without harm. A line that\n' +
    'cannot be taken never costs the others. Of files of rejected lines the lines in them are taken. Events of a backup\n' +
    'are passed over. A file of an export that ends without its trailer is taken, and said to be incomplete.\n' +
    'Runs that retention has deleted come back with a file that holds them. An export is no backup: it does not tell when\n' +
    'each field was set, nor which values were defaults, so what clients send later may merge otherwise than it would have.\n' +
    'For that there are backup and restore. Sources are only read; but beside a database in WAL mode SQLite may leave files\n' +
    'that end in -wal and -shm, which the next program that opens it uses or removes.',
  args: {
    file: { type: 'positional', required: false, description: 'A file, or - for standard input' },
    'on-duplicate': {
      type: 'enum',
      options: ['merge', 'ignore'],
      default: 'merge',
      description: 'What becomes of a record of a known run',
    },
    'batch-size': {
      type: 'string',
      valueHint: 'number',
      description: `Runs that are stored at once; ${DEFAULT_BATCH}`,
    },
    rejected: {
      type: 'string',
      valueHint: 'path',
      description: 'A new file for all lines that cannot be taken, with the reasons',
    },
    'dry-run': { type: 'boolean', description: 'Read and check everything, and send nothing' },
    trailer: {
      type: 'boolean',
      default: true,
      description: 'Expect the trailer of an export',
      negativeDescription: 'Take an export without a trailer for complete',
    },
    create: { type: 'boolean', description: 'Make the database where there is none' },
    ...JSON_OUTPUT,
    ...DATABASE,
    ...ELSEWHERE,
  },
  many: true,
  examples: [
    ['import runs.ndjson.gz', 'an export, into the service or the database of this machine'],
    ['import --rejected rejected.ndjson /backup/raw/*.ndjson', 'several files'],
    ['import runs.ndjson.gz --create --db /srv/copy.sqlite', 'into a new database'],
    ['import old.sqlite --dry-run', 'how much of an older database can be taken'],
    ['import - --url http://host:8765', 'from standard input, into a service elsewhere'],
  ],
  exits: { [EXIT.found]: 'lines were rejected, or a file is not complete; all else was taken' },
  run: importFiles,
});

async function importFiles(args: Arguments, terminal: Terminal, rest: string[]): Promise<number> {
  const started = performance.now();
  const names = [...(typeof args.file === 'string' ? [args.file] : []), ...rest];
  if (names.length === 0) throw new UsageError('Name the files to import, or - for standard input');
  if (names.filter((name) => name === STDIN).length > 1) throw new UsageError('Standard input can be read once only');
  const batchSize = typeof args['batch-size'] === 'string' ? args['batch-size'] : DEFAULT_BATCH;
  const maxRuns = wholeNumber('batch-size', batchSize, 1, MAX_BATCH);
  const dryRun = args['dry-run'] === true;
  const creates = args.create === true;
  if (creates && args.url !== undefined)
    throw new UsageError('--create makes a file here: leave out --url, or --create');
  const { database, http } = configOf(args, terminal);
  checkSources(names);
  const rejected = typeof args.rejected === 'string' ? args.rejected : undefined;
  if (args.url === undefined && !dryRun) {
    if (!creates && !statSync(database.path, { throwIfNoEntry: false })) throw missing(database.path);
    await refuseItself(rejected === undefined ? names : [...names, rejected], database);
  }
  const tally = new Tally(terminal, rejected);
  try {
    await using target = dryRun ? undefined : await openTarget(args, terminal, { writes: true, creates });
    const onDuplicate = args['on-duplicate'] === 'ignore' ? 'ignore' : 'merge';
    // No second import writes to a file of rejected lines.
    const message = (stopped: string): string =>
      tally.rejected > 0 && rejected !== undefined
        ? `${stopped} Run it again with another file in --rejected, for ${rejected} is kept: what is stored already is not stored twice.`
        : `${stopped} Run the same command again: what is stored already is not stored twice.`;
    const sender = target && new Sender({ target, onDuplicate, maxRuns, maxSize: MAX_BATCH_SIZE, tally, message });
    const needsTrailer = args.trailer !== false;
    await new Engine({ terminal, tally, sender, maxLineBytes: http.maxBatchBytes, needsTrailer }).take(names);
  } finally {
    tally.close();
  }
  if (args.json === true) terminal.json({ dry_run: dryRun, files: names.length, ...tally.figures });
  else terminal.print(`${tally.summary(!dryRun)}, in ${duration(performance.now() - started)}`);
  return tally.rejected > 0 || tally.incomplete.length > 0 ? EXIT.found : EXIT.done;
}

const missing = (path: string): TelemetryError =>
  new TelemetryError(
    'refused',
    `There is no database ${path}. Add --create to make it, or name another with --db; for a service elsewhere give --url.`,
  );

/**
 * HAZARD: a source is opened by `fs` to see what it is, and rejected lines are written by it. Of the target, or of its lock
 * file, that would drop the locks that this process holds. The target may still have to be made.
 *
 * @throws TelemetryError where a file that is read or written is the database that is imported into
 */
async function refuseItself(names: readonly string[], { path, lockFile }: DatabaseConfig): Promise<void> {
  const { realPath } = await import('../actors/writer/real-path.ts');
  const realName = (name: string): string => {
    try {
      return realPath(name);
    } catch {
      // Its folder is not there yet.
      return resolve(name);
    }
  };
  const own = [path, `${realName(path)}.lock`, ...(lockFile === undefined ? [] : [lockFile])];
  const identities = new Set(own.map(identityOf).filter((identity) => identity !== undefined));
  const realNames = new Set(own.map(realName));
  for (const name of names) {
    if (name === STDIN || !(realNames.has(realName(name)) || identities.has(identityOf(name) ?? ''))) continue;
    const why = `${name} is the very database that it would be imported into, or its lock file. Name another with --db.`;
    throw new TelemetryError('refused', why);
  }
}

/** What file a path names: device and inode. `stat` opens nothing. */
function identityOf(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}`;
}
