/** `replay`: a database from the clients' NDJSON backups alone. */
import { readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { describe, TelemetryError } from '../errors.ts';
import { command } from './command.ts';
import { EXIT } from './exit.ts';
import type { Arguments } from './filter.ts';
import { Engine } from './import/engine.ts';
import { Sender } from './import/sender.ts';
import { SourceError } from './import/source.ts';
import { Tally } from './import/tally.ts';
import { configOf, JSON_OUTPUT } from './options.ts';
import { count } from '../offline/figures.ts';
import { duration } from './pace.ts';
import type { Terminal } from './terminal.ts';

const BATCH = 500;
/** Characters of a batch: what the writer commits at once. */
const BATCH_SIZE = 8 * 1024 * 1024;

export default command({
  name: 'replay',
  summary: 'Rebuild a database from the NDJSON backups of clients',
  details:
    'Reads every .ndjson and .ndjson.gz file of the folders and merges all states of each run. What only the service knew is not\n' +
    'in them: runs of programs that keep no backup, and changes made through its API. The target must be new or hold no run.\n' +
    'It is built beside its place and gets its name at the end, so that one that was killed is simply run again; only where\n' +
    'a service has the database open already are the runs sent to that. Backups are only read, and one that cannot be read\n' +
    'is named and left out.',
  args: {
    directory: {
      type: 'positional',
      required: false,
      description: 'A folder of backups, instead of TELEMETRY_NDJSON_DIR',
    },
    to: { type: 'string', valueHint: 'path', description: 'The database to build, instead of TELEMETRY_DB_PATH' },
    ...JSON_OUTPUT,
  },
  many: true,
  examples: [
    ['replay', 'after the database was lost: builds it anew'],
    ['replay --to rebuilt.sqlite', 'into another file, beside a database that lives'],
    ['replay --to rebuilt.sqlite /host-a/raw /host-b/raw', 'from the backups of several machines'],
  ],
  exits: { [EXIT.found]: 'lines were rejected, or a file is not complete or cannot be read; all else was taken' },
  run: replay,
});

async function replay(args: Arguments, terminal: Terminal, rest: string[]): Promise<number> {
  const started = performance.now();
  const given = { ...args, db: typeof args.to === 'string' ? args.to : undefined };
  const config = configOf(given, terminal);
  const named = [...(typeof args.directory === 'string' ? [args.directory] : []), ...rest];
  const files = backupsIn(named.length > 0 ? named : [config.ndjsonDirectory]);
  const tally = new Tally(terminal);
  // Only here, for SQLite takes its time to load.
  const { openPlace } = await import('./replay/place.ts');
  await using place = await openPlace(config, terminal);
  const { target } = place;
  const message = (stopped: string): string =>
    target.live
      ? `${stopped} Bring in the rest with local-telemetry import: what is stored already is not stored twice.`
      : `${stopped} Of the new database nothing is kept. Run the same command again.`;
  const sender = new Sender({ target, onDuplicate: 'merge', maxRuns: BATCH, maxSize: BATCH_SIZE, tally, message });
  const engine = new Engine({ terminal, tally, sender, maxLineBytes: config.http.maxBatchBytes });
  await takeAll(files, engine, tally);
  await place.finish();
  const { inserted: runs, lines, rejected } = tally;
  if (args.json === true)
    terminal.json({ database: config.database.path, runs, files: files.length, ...tally.figures });
  else {
    const read = `${count(lines, 'line')} of ${count(files.length, 'file')}`;
    const took = duration(performance.now() - started);
    terminal.print(
      `${config.database.path}: ${count(runs, 'run')} from ${read}, ${count(rejected, 'line')} rejected, in ${took}`,
    );
  }
  return rejected > 0 || tally.incomplete.length > 0 ? EXIT.found : EXIT.done;
}

/**
 * The backups of folders, by name and so by day.
 *
 * @throws TelemetryError where there are none
 */
function backupsIn(directories: readonly string[]): string[] {
  const files = directories.flatMap((directory) => {
    try {
      return readdirSync(directory).map((name) => join(resolve(directory), name));
    } catch (error) {
      const why = `The folder ${directory} cannot be read: ${describe(error)}. Name the folder of the NDJSON backups.`;
      throw new TelemetryError('refused', why, { cause: error });
    }
  });
  const backups = files.filter((path) => /\.ndjson(\.gz)?$/.test(path) && mayBeFile(path));
  if (backups.length > 0) return backups.sort((a, b) => (basename(a) < basename(b) ? -1 : 1));
  const why = `There is no NDJSON backup (*.ndjson, *.ndjson.gz) in ${directories.join(', ')}. Name the folder where clients keep theirs.`;
  throw new TelemetryError('not_found', why);
}

/** Of a link that leads nowhere it is said when its turn comes. */
function mayBeFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return true;
  }
}

/** One after the other; what is wrong with one of them costs no other. */
async function takeAll(files: readonly string[], engine: Engine, tally: Tally): Promise<void> {
  for (const file of files) {
    try {
      await engine.take([file]);
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      tally.missing(error.message);
    }
  }
}
