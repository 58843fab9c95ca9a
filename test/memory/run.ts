/** `npm run test:memory`: each attack on a service of its own in 1 GiB. It lives, others are served meanwhile; a table of peaks. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { localEnvironment } from '../support/service.ts';
import { ATTACKS } from './attacks.ts';
import { type Boxed, LIMIT_BYTES, makeGroup, removeGroup, startBoxed } from './box.ts';
import { besiege, PATIENCE_MS, type Siege } from './siege.ts';

const LIMIT_MS = 20_000;
const say = (text: string): unknown => process.stdout.write(`${text}\n`);
const MIB = 1024 * 1024;

/** 300 agents whose names have a megabyte each, as a foreign program may leave them. */
function seed(path: string): void {
  const db = new Database(path, { fileMustExist: true });
  const insert = db.prepare(
    `INSERT INTO agent_runs (event_id, run_id, agent_name, job_type, start_time, status, created_at, updated_at)
     VALUES (?, ?, ?, 'j', '2026-01-10T12:00:00.000000+00:00', 'running', '2026-01-10T12:00:00.000000+00:00', '2026-01-10T12:00:00.000000+00:00')`,
  );
  db.transaction(() => {
    for (let index = 0; index < 300; index++) insert.run(`e${index}`, `r${index}`, `${index} ${'n'.repeat(MIB)}`);
  })();
  db.close();
}

async function siegeOf(name: string, group: string | undefined): Promise<Siege> {
  const directory = mkdtempSync(join(tmpdir(), 'telemetry-memory-'));
  const environment = localEnvironment(directory);
  let boxed: Boxed | undefined;
  try {
    if (name === 'names of a megabyte') {
      const first = await startBoxed(environment, undefined);
      await first.end();
      seed(join(directory, 'db', 'telemetry.sqlite'));
    }
    boxed = await startBoxed(environment, group);
    return await besiege(boxed, ATTACKS[name] ?? (() => Promise.resolve()), LIMIT_MS);
  } finally {
    if (boxed?.alive()) await boxed.end();
    rmSync(directory, { recursive: true, force: true });
  }
}

if (process.platform !== 'linux') {
  say('Skipped: memory is limited and measured on Linux only.');
  process.exit(0);
}
const only = process.argv.slice(2).join(' ');
const group = makeGroup();
say(
  group === undefined
    ? 'No cgroup of version 2 with a limit of memory can be made here (that needs root): the most that was resident is held to 1 GiB instead.'
    : `In ${group}, with 1 GiB and no swap.`,
);
say(
  `\n| Attack | Peak, MiB | Alive | Others asked | Not served | Longest, ms |\n| --- | --- | --- | --- | --- | --- |`,
);
let held = true;
for (const name of Object.keys(ATTACKS).filter((each) => each.includes(only))) {
  const { peak, alive, asked, failed, longestMs } = await siegeOf(name, group);
  held &&= alive && peak < LIMIT_BYTES && failed === 0 && longestMs <= PATIENCE_MS;
  const cells = [name, Math.round(peak / MIB), alive ? 'yes' : 'NO', asked, failed, Math.round(longestMs)];
  say(`| ${cells.join(' | ')} |`);
}
if (group !== undefined) removeGroup(group);
say(held ? '\nAll held.' : '\nNot all held.');
process.exitCode = held ? 0 : 1;
