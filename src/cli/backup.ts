/** `backup`: a checked copy of the database, from the running service or from the closed file. */
import { basename } from 'node:path';
import type { Config } from '../config.ts';
import { describe, TelemetryError } from '../errors.ts';
import type { Backup } from '../offline/backup.ts';
import type { Place } from '../offline/backup-place.ts';
import { lookedAt, removeWhole, statOf } from '../offline/files.ts';
import { bytesOf, count } from '../offline/figures.ts';
import { valueOf } from './answer.ts';
import { command } from './command.ts';
import { EXIT, UsageError } from './exit.ts';
import { onInterrupt } from './interrupt.ts';
import { wholeNumber } from './numbers.ts';
import { configOf, DATABASE, JSON_OUTPUT } from './options.ts';
import type { Target } from './answer.ts';
import { openSocket } from './target.ts';
import type { Terminal } from './terminal.ts';

const LOOK_MS = 200;

export default command({
  name: 'backup',
  summary: 'Copy the database, checked and complete, while the service runs or not',
  details:
    'Without FILE the copy goes to the folder backups beside the database, named by the database and the time; a folder as\n' +
    'FILE gets such a name inside, and must be there. The copy holds what had been committed when it was complete. It is\n' +
    'checked before it gets its name, and never replaces a file. Spool files and NDJSON are not in it. --keep removes\n' +
    'backups of this very database only; it needs a folder, or no FILE.',
  args: {
    file: { type: 'positional', required: false, valueHint: 'FILE', description: 'The new file, or a folder' },
    keep: { type: 'string', valueHint: 'number', description: 'So many of its backups stay there; the oldest go' },
    ...DATABASE,
    ...JSON_OUTPUT,
  },
  examples: [
    ['backup', 'to backups/telemetry-20260110T120000Z.sqlite beside the database'],
    ['backup /mnt/backups/ --keep 14', 'into a folder, of which the newest 14 stay'],
    ['backup before-upgrade.sqlite --json', 'to this file, and says as JSON what it made'],
  ],
  run: backup,
});

interface Arguments {
  file?: string | undefined;
  keep?: string | undefined;
  db?: string | undefined;
  json?: boolean | undefined;
}

async function backup(args: Arguments, terminal: Terminal): Promise<number> {
  const started = performance.now();
  const keep = args.keep === undefined ? undefined : wholeNumber('keep', args.keep, 1, 1_000_000);
  const config = configOf({ ...args }, terminal);
  const { path: databasePath } = config.database;
  if (!lookedAt(databasePath)) {
    throw new TelemetryError(
      'refused',
      `There is no database ${databasePath} to copy. Set TELEMETRY_DB_PATH or give --db.`,
    );
  }
  const { placeOf } = await import('../offline/backup-place.ts');
  const place = placeOf(args.file, databasePath, new Date());
  if (keep !== undefined && place.given !== undefined) {
    throw new UsageError('--keep removes old backups of a folder: give a folder as FILE, or no FILE');
  }
  const made = await make(place, config, terminal);
  const pruned = keep === undefined ? { removed: [] } : await pruneAfter(made.path, place, keep);
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  show({ ...made, ...pruned, seconds }, args.json === true, terminal);
  return pruned.problem === undefined ? EXIT.done : EXIT.failed;
}

interface Pruned {
  removed: string[];
  /** Why not all that should go are gone; the backup is made all the same. */
  problem?: string;
}

async function pruneAfter(newest: string, place: Place, keep: number): Promise<Pruned> {
  const { prune } = await import('../offline/prune.ts');
  try {
    return { removed: prune(newest, place, keep) };
  } catch (error) {
    const problem = `The backup is made, but the oldest could not be removed: ${describe(error)}. Remove them by hand, and see that this user may.`;
    return { removed: [], problem };
  }
}

function show(made: Backup & Pruned & { seconds: number }, json: boolean, terminal: Terminal): void {
  const { path, runs, bytes, seconds, orphans, schemaVersion: schema_version, removed, problem } = made;
  if (orphans.length > 0 && !json) {
    const rows = count(orphans.length, 'row');
    terminal.note(
      `The backup is good, but ${rows} in it belong to runs that another program deleted; local-telemetry optimize --recount removes them.`,
    );
  }
  if (problem !== undefined) terminal.note(problem);
  if (json) {
    const pruning = problem === undefined ? {} : { prune_problem: problem };
    terminal.json({ path, runs, bytes, seconds, schema_version, orphans: orphans.length, removed, ...pruning });
    return;
  }
  terminal.print(path);
  terminal.print(`${count(runs, 'run')}, ${bytesOf(bytes)}, checked, in ${seconds} s`);
  if (removed.length > 0) terminal.print(`Removed: ${removed.map((name) => basename(name)).join(', ')}`);
}

async function make(place: Place, config: Config, terminal: Terminal): Promise<Backup> {
  const { copyOffline, failBackup, finishBackup, preparePartial } = await import('../offline/backup.ts');
  const onProgress = (share: number): void => terminal.progress(`Copying: ${Math.floor(100 * Math.min(1, share))} %`);
  await using service = await openSocket(config);
  const partial = preparePartial(place, config.database.path);
  try {
    if (service) await copyThrough(service, partial, config.database.path, onProgress);
    else {
      using stack = new DisposableStack();
      stack.use(onInterrupt(() => removeWhole(partial)));
      await copyOffline(config.database, partial, onProgress);
    }
    terminal.progress('Checking the copy');
    return finishBackup(partial, place, config.database.path);
  } catch (error) {
    throw failBackup(partial, place, error);
  }
}

/** Has the service copy its database. @throws TelemetryError in its words */
export async function copyThrough(
  service: Target,
  path: string,
  databasePath: string,
  onProgress: (share: number) => void,
): Promise<void> {
  // Only `stat`: nobody else may open a live database.
  const sizeOf = (file: string): number => statOf(file)?.size ?? 0;
  // The service ends its copy when this connection goes.
  using stack = new DisposableStack();
  stack.use(onInterrupt(() => removeWhole(path)));
  const looking = setInterval(() => onProgress(sizeOf(path) / Math.max(1, sizeOf(databasePath))), LOOK_MS);
  try {
    valueOf(await service.request('POST', '/control/copy', JSON.stringify({ path })), service.where);
  } finally {
    clearInterval(looking);
  }
}
