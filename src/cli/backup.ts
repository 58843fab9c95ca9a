/** `backup`: a checked copy of the database, from the running service or from the closed file. */
import { basename } from 'node:path';
import type { Config } from '../config.ts';
import { TelemetryError } from '../errors.ts';
import type { Backup } from '../offline/backup.ts';
import { statOf } from '../offline/files.ts';
import { valueOf } from './answer.ts';
import { command } from './command.ts';
import { bytesOf, count } from '../offline/figures.ts';
import { wholeNumber } from './numbers.ts';
import { configOf, DATABASE, JSON_OUTPUT } from './options.ts';
import { openSocket, type Target } from './target.ts';
import type { Terminal } from './terminal.ts';

const LOOK_MS = 200;

export default command({
  name: 'backup',
  summary: 'Copy the database, checked and complete, while the service runs or not',
  details:
    'Without FILE the copy goes to the folder backups beside the database, named by its time; a folder as FILE gets such a\n' +
    'name inside. The copy holds what had been committed when it was complete. It is checked before it gets its name, and\n' +
    'never replaces a file. Spool files and NDJSON are not in it.',
  args: {
    file: { type: 'positional', required: false, valueHint: 'FILE', description: 'The new file, or a folder' },
    keep: { type: 'string', valueHint: 'number', description: 'So many backups stay in the folder; the oldest go' },
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
  if (!statOf(databasePath)) {
    throw new TelemetryError(
      'refused',
      `There is no database ${databasePath} to copy. Set TELEMETRY_DB_PATH or give --db.`,
    );
  }
  const { placeOf, prune } = await import('../offline/backup.ts');
  const path = placeOf(args.file, databasePath, new Date());
  const made = await make(path, config, terminal);
  const removed = keep === undefined ? [] : prune(path, keep);
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  if (args.json) {
    const { runs, bytes, orphans, schemaVersion: schema_version } = made;
    terminal.json({ path, runs, bytes, seconds, schema_version, orphans: orphans.length, removed });
    return 0;
  }
  if (made.orphans.length > 0) {
    const rows = count(made.orphans.length, 'row');
    terminal.note(
      `The backup is good, but ${rows} in it belong to runs that another program deleted; local-telemetry optimize --recount removes them.`,
    );
  }
  terminal.print(path);
  terminal.print(`${count(made.runs, 'run')}, ${bytesOf(made.bytes)}, checked, in ${seconds} s`);
  if (removed.length > 0) terminal.print(`Removed: ${removed.map((name) => basename(name)).join(', ')}`);
  return 0;
}

async function make(path: string, config: Config, terminal: Terminal): Promise<Backup> {
  const { copyOffline, failBackup, finishBackup, preparePartial } = await import('../offline/backup.ts');
  const show = (share: number): void => terminal.progress(`Copying: ${Math.floor(100 * Math.min(1, share))} %`);
  await using service = await openSocket(config);
  const partial = preparePartial(path, config.database.path);
  try {
    if (service) await copyThrough(service, partial, config.database.path, show);
    else await copyOffline(config.database, partial, show);
    terminal.progress('Checking the copy');
    return finishBackup(partial, path);
  } catch (error) {
    throw failBackup(path, error);
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
  const looking = setInterval(() => onProgress(sizeOf(path) / Math.max(1, sizeOf(databasePath))), LOOK_MS);
  try {
    valueOf(await service.request('POST', '/control/copy', JSON.stringify({ path })), service.where);
  } finally {
    clearInterval(looking);
  }
}
