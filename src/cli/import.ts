/** `import`: runs from NDJSON files and from other databases. */
import { realpathSync, statSync } from 'node:fs';
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
    'cannot be taken never costs the others. Events of a backup are passed over. Sources are only read.',
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
    ...JSON_OUTPUT,
    ...DATABASE,
    ...ELSEWHERE,
  },
  many: true,
  examples: [
    ['import runs.ndjson.gz', 'an export, into the service or the database of this machine'],
    ['import --rejected rejected.ndjson /backup/raw/*.ndjson', 'several files'],
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
  const { database, http } = configOf(args, terminal);
  checkSources(names);
  if (args.url === undefined && !dryRun) refuseItself(names, database);
  const tally = new Tally(terminal, typeof args.rejected === 'string' ? args.rejected : undefined);
  try {
    await using target = dryRun ? undefined : await openTarget(args, terminal, { writes: true });
    const onDuplicate = args['on-duplicate'] === 'ignore' ? 'ignore' : 'merge';
    const sender = target && new Sender({ target, onDuplicate, maxRuns, maxSize: MAX_BATCH_SIZE, tally });
    await new Engine({ terminal, tally, sender, maxLineBytes: http.maxBatchBytes }).take(names);
  } finally {
    tally.close();
  }
  if (args.json === true) terminal.json({ dry_run: dryRun, files: names.length, ...tally.figures });
  else terminal.print(`${tally.summary(!dryRun)}, in ${duration(performance.now() - started)}`);
  return tally.rejected > 0 || tally.incomplete.length > 0 ? EXIT.found : EXIT.done;
}

/**
 * HAZARD: a source is opened by `fs` to see what it is. Of the target, or of its lock file, that would drop the locks that
 * this process holds.
 *
 * @throws TelemetryError where a source is the database that is imported into
 */
function refuseItself(names: readonly string[], { path, lockFile }: DatabaseConfig): void {
  if (!statSync(path, { throwIfNoEntry: false })) return;
  const own = new Set([path, `${realpathSync(path)}.lock`, lockFile].map(identityOf));
  for (const name of names) {
    const identity = name === STDIN ? undefined : identityOf(name);
    if (identity === undefined || !own.has(identity)) continue;
    const why = `${name} is the very database that it would be imported into, or its lock file. Name another with --db.`;
    throw new TelemetryError('refused', why);
  }
}

/** What file a path names: device and inode. `stat` opens nothing. */
function identityOf(path: string | undefined): string | undefined {
  const found = path === undefined ? undefined : statSync(path, { bigint: true, throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}`;
}
