/** `verify`: whether the database is whole, and has what the clients' own backup says. */
import { basename, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { TelemetryError } from '../errors.ts';
import { quoted } from '../actors/shell.ts';
import type { Check } from '../offline/check.ts';
import { isTrouble, lookedAt, removeWhole, statOf } from '../offline/files.ts';
import type { Beside } from '../offline/verify-files.ts';
import { copyThrough } from './backup.ts';
import { command } from './command.ts';
import { printChecks, printJson } from './doctor/report.ts';
import { EXIT } from './exit.ts';
import { configOf, DATABASE, JSON_OUTPUT } from './options.ts';
import type { Target } from './answer.ts';
import { openSocket } from './target.ts';
import type { Terminal } from './terminal.ts';

export default command({
  name: 'verify',
  summary: 'Check the database, its counts, and that it has what the NDJSON backup has',
  details:
    'A running service goes on: a copy of its database is checked, which needs room beside the database and is removed\n' +
    'after. Where none runs, none can start until the check has ended. Nothing is repaired. Runs that wait in the spool, and runs that retention deleted, are not missed.',
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

/** What the checks of all need, beside the database. */
interface All {
  beside: Beside;
  config: Config;
}

async function verify(args: Arguments, terminal: Terminal): Promise<number> {
  const config = configOf({ ...args }, terminal);
  const checks =
    args.file === undefined ? await checkAll(args, config, terminal) : await checkFile(args.file, args, terminal);
  const found = checks.some(({ state }) => state === 'bad' || (args.strict && state === 'warning'));
  if (args.json) printJson({ ok: !found, checks }, terminal);
  else printChecks(checks, terminal);
  return found ? EXIT.found : EXIT.done;
}

async function checkFile(given: string, args: Arguments, terminal: Terminal): Promise<Check[]> {
  const path = resolve(given);
  const { objection } = await import('../offline/beginning.ts');
  const none = objection(path);
  if (none !== undefined) throw new TelemetryError('refused', `${path} ${none}`);
  const { holdIfLocked } = await import('../offline/in-use.ts');
  using stack = new DisposableStack();
  stack.use(holdIfLocked(path));
  const beside = ['-journal', '-wal'].find((suffix) => (statOf(path + suffix)?.size ?? 0) > 0);
  if (beside !== undefined) {
    const what = `${path} has ${basename(path)}${beside} beside it: it is a raw copy, or a crash left it, and is complete only with that file.`;
    throw new TelemetryError(
      'refused',
      `${what} Back it up: local-telemetry backup --db ${quoted(path)}. Then verify the backup.`,
    );
  }
  return await checkOne(path, args, terminal);
}

async function checkAll(args: Arguments, config: Config, terminal: Terminal): Promise<Check[]> {
  const { path } = config.database;
  if (!lookedAt(path)) {
    throw new TelemetryError('refused', `There is no database ${path} to check. Set TELEMETRY_DB_PATH or give --db.`);
  }
  const { noteBeside } = await import('../offline/verify-files.ts');
  const { removeDeadCopies } = await import('../offline/verify-copy.ts');
  // Before the database is looked at: what was written until now must be in it, or on its way.
  using beside = noteBeside(config.ndjsonDirectory, config.spool.directory);
  await using service = await openSocket(config);
  removeDeadCopies(path);
  if (service) return await checkCopy(service, args, terminal, { beside, config });
  const { holdToRead } = await import('../offline/in-use.ts');
  const { recoverHeld } = await import('../offline/version.ts');
  using stack = new DisposableStack();
  stack.use(holdToRead(config.database));
  recoverHeld(path);
  // Awaited: what is held until the end of this block is needed for it.
  return await checkOne(path, args, terminal, { beside, config });
}

async function checkCopy(service: Target, args: Arguments, terminal: Terminal, all: All): Promise<Check[]> {
  const { copyPathOf } = await import('../offline/verify-copy.ts');
  const { path } = all.config.database;
  const copy = copyPathOf(path);
  try {
    await copyThrough(service, copy, path, (share) => terminal.progress(`Copying: ${Math.floor(100 * share)} %`));
    return await checkOne(copy, args, terminal, all);
  } catch (error) {
    if (!(error instanceof TelemetryError) || error.code !== 'full') throw error;
    const why = `The disk of ${path} is full: there is no room for the copy that would be checked. Free as much as the database has.`;
    throw new TelemetryError('full', why, { cause: error });
  } finally {
    removeWhole(copy);
  }
}

async function checkOne(path: string, { quick = false }: Arguments, terminal: Terminal, all?: All): Promise<Check[]> {
  const { checkDatabase, isCurrent, openToCheck, unfinished } = await import('../offline/verify.ts');
  const { checkBackup, checkSpool } = await import('../offline/verify-files.ts');
  const { unreadable } = await import('../offline/version.ts');
  const onProgress = (what: string): void => terminal.progress(what);
  using stack = new DisposableStack();
  try {
    const db = openToCheck(path);
    if ('state' in db) return [db];
    stack.defer(() => db.close());
    const checks = checkDatabase(db, { quick, onProgress });
    if (!all || !isCurrent(db)) return checks;
    const { maxBodyBytes: maxRunBytes } = all.config.http;
    const ndjson = checkBackup(db, all.beside, { maxRunBytes, onProgress });
    checks.push(await ndjson.catch((error: unknown) => unfinished('ndjson', error)));
    checks.push(checkSpool(db, all.beside, maxRunBytes));
    return checks;
  } catch (error) {
    if (isTrouble(error)) throw unreadable(path, error);
    throw error;
  }
}
