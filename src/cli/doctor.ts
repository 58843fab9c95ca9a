/** `doctor`: a look at everything the platform stands on; nothing is written, nothing made. */
import { bad, type Check } from '../offline/check.ts';
import { describe } from '../errors.ts';
import { command } from './command.ts';
import { checkNode, checkPackages, checkSqlite } from './doctor/runtime.ts';
import { printChecks, printJson } from './doctor/report.ts';
import { EXIT } from './exit.ts';
import { DATABASE, JSON_OUTPUT } from './options.ts';
import type { Terminal } from './terminal.ts';

export default command({
  name: 'doctor',
  summary: 'Look at the installation, the configuration, the disks and the database, and say what to do',
  details:
    'A line a check: ok, warning or problem, with the remedy. It writes nothing and makes nothing, and opens no database\n' +
    'that a service has. local-telemetry verify looks into the database itself.',
  args: { ...DATABASE, ...JSON_OUTPUT },
  examples: [
    ['doctor', 'as the user of the service, in its environment'],
    ['doctor --json', 'the same for a script'],
  ],
  exits: { [EXIT.found]: 'there is a problem; warnings alone are not' },
  run: doctor,
});

async function doctor(args: Readonly<Record<string, unknown>>, terminal: Terminal): Promise<number> {
  const checks = [checkNode(), await checkPackages(), await checkSqlite()];
  // Without SQLite and the packages nothing else can be loaded.
  if (checks.every(({ state }) => state !== 'bad')) checks.push(...(await checkRest(args, terminal)));
  const problem = checks.some(({ state }) => state === 'bad');
  const named = checks.map((check) => ({ ...check, state: check.state === 'bad' ? 'problem' : check.state }));
  if (args.json === true) printJson({ ok: !problem, checks: named }, terminal);
  else printChecks(checks, terminal, 'problem');
  return problem ? EXIT.found : EXIT.done;
}

async function checkRest(args: Readonly<Record<string, unknown>>, terminal: Terminal): Promise<Check[]> {
  const { checkSettings } = await import('./doctor/settings.ts');
  const { look: lookAt, realOf } = await import('./doctor/look.ts');
  const { checkLock, lockOf } = await import('./doctor/lock.ts');
  const { checkDatabase, checkPragmas } = await import('./doctor/database.ts');
  const { checkFileSystems, checkPermissions, checkSpace } = await import('./doctor/places.ts');
  const { checkClock } = await import('./doctor/clock.ts');
  const { checkSpool } = await import('./doctor/spool.ts');
  const { checkPort } = await import('./doctor/port.ts');
  const { checkLeftovers } = await import('./doctor/leftovers.ts');
  const { config, check } = checkSettings(args, terminal);
  const lock = lockOf([`${realOf(config.database.path)}.lock`, config.database.lockFile]);
  await using look = await lookAt(config, lock.held);
  const checks: [name: string, run: () => Check | Promise<Check>][] = [
    ['database', () => checkDatabase(look, lock.held)],
    ['pragmas', () => checkPragmas(look)],
    ['lock', () => checkLock(lock, look)],
    ['file_systems', () => checkFileSystems(look)],
    ['space', () => checkSpace(look)],
    ['permissions', () => checkPermissions(look)],
    ['clock', () => checkClock(look)],
    ['spool', () => checkSpool(look)],
    ['port', () => checkPort(look, lock.held)],
    ['leftovers', () => checkLeftovers(look, lock.held)],
  ];
  const found = [check];
  for (const [name, run] of checks) {
    try {
      found.push(await run());
    } catch (error) {
      found.push(bad(name, `could not be looked at: ${describe(error)}`, 'Run this as the user of the service'));
    }
  }
  return found;
}
