/** `verify`: whether the database is whole, and has what the clients' own backup says. */
import { resolve } from 'node:path';
import type { Config } from '../config.ts';
import { describe, TelemetryError } from '../errors.ts';
import type { Check } from '../offline/check.ts';
import { isLocked, statOf } from '../offline/files.ts';
import type { Beside } from '../offline/verify-files.ts';
import { copyThrough } from './backup.ts';
import { command } from './command.ts';
import { printChecks } from './doctor/report.ts';
import { EXIT } from './exit.ts';
import { configOf, DATABASE, JSON_OUTPUT } from './options.ts';
import { openSocket } from './target.ts';
import type { Terminal } from './terminal.ts';

export default command({
  name: 'verify',
  summary: 'Check the database, its counts, and that it has what the NDJSON backup has',
  details:
    'A running service goes on: a copy of its database is checked, which needs room beside the database and is removed\n' +
    'after. Nothing is repaired. Runs that wait in the spool, and runs that retention deleted, are not missed.',
  args: {
    quick: { type: 'boolean', description: 'Leave out whether every index entry has its row' },
    strict: { type: 'boolean', description: 'Count warnings, such as rejected lines of the spool, as found' },
    file: { type: 'string', valueHint: 'path', description: 'Check this backup, and nothing beside it' },
    ...DATABASE,
    ...JSON_OUTPUT,
  },
  examples: [
    ['verify', 'everything, beside the running service'],
    ['verify --file /mnt/backups/telemetry-20260110T120000Z.sqlite', 'a backup'],
    ['verify --quick --json', 'faster, for a script'],
  ],
  exits: { [EXIT.found]: 'something is not as it should be' },
  run: verify,
});

interface Arguments {
  quick?: boolean | undefined;
  strict?: boolean | undefined;
  file?: string | undefined;
  db?: string | undefined;
  json?: boolean | undefined;
}

async function verify(args: Arguments, terminal: Terminal): Promise<number> {
  const config = configOf({ ...args }, terminal);
  const checks =
    args.file === undefined ? await checkAll(args, config, terminal) : await checkFile(args.file, args, terminal);
  const found = checks.some(({ state }) => state === 'bad' || (args.strict && state === 'warning'));
  if (args.json) terminal.json({ ok: !found, checks });
  else printChecks(checks, terminal);
  return found ? EXIT.found : EXIT.done;
}

async function checkFile(given: string, args: Arguments, terminal: Terminal): Promise<Check[]> {
  const path = resolve(given);
  if (!statOf(path)?.isFile())
    throw new TelemetryError('refused', `There is no file ${path}. Give a backup to --file.`);
  const { holdIfLocked } = await import('../offline/in-use.ts');
  using stack = new DisposableStack();
  stack.use(holdIfLocked(path));
  return await checkOne(path, args, terminal);
}

async function checkAll(args: Arguments, config: Config, terminal: Terminal): Promise<Check[]> {
  const { path } = config.database;
  if (!statOf(path)) {
    throw new TelemetryError('refused', `There is no database ${path} to check. Set TELEMETRY_DB_PATH or give --db.`);
  }
  const { noteBeside } = await import('../offline/verify-files.ts');
  // Before the database is looked at: what was written until now must be in it, or on its way.
  using beside = noteBeside(config.ndjsonDirectory, config.spool.directory);
  await using service = await openSocket(config);
  if (!service) {
    const { recoverUnlessInUse } = await import('../offline/version.ts');
    recoverUnlessInUse(path);
    // Awaited: what is held until the end of this block is needed for it.
    return await checkOne(path, args, terminal, { beside, config });
  }
  const { removeWhole } = await import('../offline/files.ts');
  const copy = `${path}.verifying`;
  removeWhole(copy);
  try {
    await copyThrough(service, copy, path, (share) => terminal.progress(`Copying: ${Math.floor(100 * share)} %`));
    return await checkOne(copy, args, terminal, { beside, config });
  } catch (error) {
    if (!(error instanceof TelemetryError) || error.code !== 'full') throw error;
    const why = `The disk of ${path} is full: there is no room for the copy that would be checked. Free as much as the database has.`;
    throw new TelemetryError('full', why, { cause: error });
  } finally {
    removeWhole(copy);
  }
}

async function checkOne(
  path: string,
  { quick = false }: Arguments,
  terminal: Terminal,
  all?: { beside: Beside; config: Config },
): Promise<Check[]> {
  const { checkDatabase, isCurrent, openToCheck } = await import('../offline/verify.ts');
  const { checkBackup, checkSpool } = await import('../offline/verify-files.ts');
  const onProgress = (what: string): void => terminal.progress(what);
  const db = opened(() => openToCheck(path), path);
  if ('state' in db) return [db];
  try {
    const checks = checkDatabase(db, { quick, onProgress });
    if (!all || !isCurrent(db)) return checks;
    const { maxBodyBytes: maxRunBytes } = all.config.http;
    checks.push(await checkBackup(db, all.beside, { maxRunBytes, onProgress }));
    checks.push(checkSpool(db, all.beside, maxRunBytes));
    return checks;
  } catch (error) {
    if (!isLocked(error)) throw error;
    const why = `${path} is locked by another program: a service was started meanwhile, say. Run verify again.`;
    throw new TelemetryError('unavailable', why, { cause: error });
  } finally {
    db.close();
  }
}

function opened<T>(open: () => T, path: string): T {
  try {
    return open();
  } catch (error) {
    const why = `${path} cannot be opened: ${describe(error)}. Run this as a user who may read it.`;
    throw new TelemetryError('refused', why, { cause: error });
  }
}
