/** `replay`: a database from the clients' NDJSON backups alone. */
import { readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { describe, TelemetryError } from '../errors.ts';
import { command } from './command.ts';
import { EXIT } from './exit.ts';
import type { Arguments } from './filter.ts';
import { Engine } from './import/engine.ts';
import { Sender } from './import/sender.ts';
import { Tally } from './import/tally.ts';
import { configOf, JSON_OUTPUT } from './options.ts';
import { count } from '../offline/figures.ts';
import { duration } from './pace.ts';
import { pagesOf } from './runs/pages.ts';
import { openTarget, type Target } from './target.ts';
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
    'Backups are only read.',
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
  exits: { [EXIT.found]: 'lines were rejected; all else was taken' },
  run: replay,
});

async function replay(args: Arguments, terminal: Terminal, rest: string[]): Promise<number> {
  const started = performance.now();
  const given = { ...args, db: typeof args.to === 'string' ? args.to : undefined };
  const config = configOf(given, terminal);
  const named = [...(typeof args.directory === 'string' ? [args.directory] : []), ...rest];
  const files = backupsIn(named.length > 0 ? named : [config.ndjsonDirectory]);
  const tally = new Tally(terminal);
  await using target = await openEmpty(given, config.database.path, terminal);
  const sender = new Sender({ target, onDuplicate: 'merge', maxRuns: BATCH, maxSize: BATCH_SIZE, tally });
  await new Engine({ terminal, tally, sender, maxLineBytes: config.http.maxBatchBytes }).take(files);
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

/** The backups of folders, by name and so by day. @throws TelemetryError where there are none */
function backupsIn(directories: readonly string[]): string[] {
  const files = directories.flatMap((directory) => {
    try {
      return readdirSync(directory).map((name) => join(resolve(directory), name));
    } catch (error) {
      const why = `The folder ${directory} cannot be read: ${describe(error)}. Name the folder of the NDJSON backups.`;
      throw new TelemetryError('refused', why, { cause: error });
    }
  });
  const backups = files.filter((path) => /\.ndjson(\.gz)?$/.test(path) && statSync(path).isFile());
  if (backups.length > 0) return backups.sort((a, b) => (basename(a) < basename(b) ? -1 : 1));
  const why = `There is no NDJSON backup (*.ndjson, *.ndjson.gz) in ${directories.join(', ')}. Name the folder where clients keep theirs.`;
  throw new TelemetryError('not_found', why);
}

/** @throws TelemetryError "refused" where the database holds a run */
async function openEmpty(args: Arguments, path: string, terminal: Terminal): Promise<Target> {
  // Looked at before it is opened for writing: an older database would be migrated by that.
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0) {
    await using looked = await openTarget(args, terminal, { writes: false });
    await requireEmpty(looked, path);
  }
  const target = await openTarget(args, terminal, { writes: true, creates: true });
  try {
    await requireEmpty(target, path);
    return target;
  } catch (error) {
    await target[Symbol.asyncDispose]();
    throw error;
  }
}

async function requireEmpty(target: Target, path: string): Promise<void> {
  for await (const page of pagesOf(target, new URLSearchParams(), 1)) {
    if (page.length === 0) continue;
    const remedy = 'Give a new file by --to, or bring the backups into this one with local-telemetry import.';
    throw new TelemetryError('refused', `The database ${path} holds runs already. ${remedy}`);
  }
}
