/**
 * A process that migrates, to be killed: `older-child.ts <database> [moment]`.
 *
 * It dies by its own hand at `step:17`, when it yields for the 17th time, or at `exchange:2`, before it gives the second file
 * another name; with `,no-links` behind that its file system has no hard links. It sets right what a killed one has left,
 * migrates where there is something to migrate, says "begins" before, and at its end as JSON what it took.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const [path = '', moments = ''] = process.argv.slice(2);
const [moment = '', links = ''] = moments.split(',');
const [kind, number] = moment.split(':');

let exchanges = 0;

function counted<A extends unknown[]>(work: (...args: A) => void): (...args: A) => void {
  return (...args) => {
    if (++exchanges === Number(number) && kind === 'exchange') process.kill(process.pid, 'SIGKILL');
    work(...args);
  };
}

function noLinks(): never {
  throw Object.assign(new Error('operation not permitted'), { code: 'EPERM' });
}

// Before anything imports them by name.
Object.assign(fs, {
  renameSync: counted(fs.renameSync),
  linkSync: links === 'no-links' ? noLinks : counted(fs.linkSync),
});
syncBuiltinESMExports();
const { migrateOlder } = await import('../../src/actors/writer/older/migrate.ts');

let steps = 0;
const phases = new Map<string, number>();
process.stdout.write('begins\n');
const began = performance.now();
try {
  for (const { phase } of migrateOlder(path)) {
    if (!phases.has(phase)) phases.set(phase, performance.now());
    if (++steps === Number(number) && kind === 'step') process.kill(process.pid, 'SIGKILL');
  }
} catch (error) {
  if (!String(error).includes('has version 9 already')) throw error;
}
const took = {
  steps,
  milliseconds: performance.now() - began,
  copyMilliseconds: (phases.get('index') ?? NaN) - (phases.get('copy') ?? NaN),
  rss: process.resourceUsage().maxRSS * 1024,
};
process.stdout.write(`${JSON.stringify(took)}\n`);
