/**
 * The units' commands under the restrictions that can be had without systemd: another user, no capability and none to
 * be had, a file system that is read-only but for the two folders, an empty /tmp, and for the backup no network.
 * (What filters system calls needs systemd itself.)
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { aRun, requester } from '../support/service.ts';
import { check, freePort, LAUNCHER, lineOf, start, stop } from './checks.ts';
import { environmentOf, only, readUnit, type Unit } from './unit-file.ts';

/** Nobody's on any machine that this may run on. */
const UID = 61_234;
const STATE = '/mnt/local-telemetry';
const BACKUPS = '/mnt/backups';
/** Where the program is seen: a checkout below /tmp would be hidden by the empty one. */
const CHECKOUT = '/mnt/checkout';

/** Binds the folders below a fresh /mnt, makes everything else read-only, and becomes the user. */
const CONFINE = `set -e
state=$1 backups=$2 checkout=$3 umask=$4; shift 4
mount --make-rprivate /
mount -t tmpfs -o size=1m tmpfs /mnt
mkdir ${STATE} ${BACKUPS} ${CHECKOUT}
mount --bind "$checkout" ${CHECKOUT}
mount -o remount,bind,ro ${CHECKOUT}
mount --bind "$state" ${STATE}
mount --bind "$backups" ${BACKUPS}
mount -t tmpfs -o size=16m,mode=1777 tmpfs /tmp
mount -o remount,bind,ro /mnt
mount -o remount,bind,ro /
umask "$umask"
cd ${STATE}
exec setpriv --reuid ${UID} --regid ${UID} --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs "$@"`;

interface Folders {
  state: string;
  backups: string;
}

export async function checkConfined(folder: string): Promise<void> {
  const folders = { state: join(folder, 'state'), backups: join(folder, 'backups') };
  for (const path of Object.values(folders)) {
    mkdirSync(path, { mode: 0o700 });
    chownSync(path, UID, UID);
  }
  // Its own folder must be passable, as /var/lib is.
  for (const path of [folder, join(folder, '..')]) chmodSync(path, 0o755);
  const port = await freePort();
  let service: ChildProcess | undefined;
  await check('the service runs with the restrictions of its unit and stores a run', async () => {
    service = await startConfined(folders, port);
    const answer = await requester(`http://127.0.0.1:${port}`)('POST', '/api/v1/runs', aRun());
    assert.equal(answer.status, 201);
    assert.equal(statSync(join(folders.state, 'db/telemetry.sqlite')).mode & 0o7777, 0o600);
    const { status, stderr } = run(folders, readUnit('local-telemetry.service'), ['sh', '-c', 'echo x > /var/written']);
    assert.ok(status !== 0 && /Read-only|denied/i.test(stderr), 'elsewhere it may write');
  });
  await check('the backup of its unit goes through the control socket without a network, and is checked', () => {
    const unit = readUnit('local-telemetry-backup.service');
    const [backup = '', verify = ''] = unit.Service?.ExecStart ?? [];
    for (let made = 1; made <= 2; made++) {
      const { status, stdout, stderr } = run(folders, unit, wordsOf(backup), ['--net']);
      assert.equal(status, 0, stderr);
      assert.match(stdout, /1 run, .*checked/);
    }
    const names = readdirSync(folders.backups);
    assert.equal(names.length, 2, names.join(', '));
    assert.equal(statSync(join(folders.backups, names[0] ?? '')).mode & 0o7777, 0o600);
    const verified = run(folders, unit, wordsOf(verify), ['--net']);
    assert.equal(verified.status, 0, verified.stdout + verified.stderr);
  });
  await check('SIGTERM stops the service in order', async () => {
    assert.ok(service, 'it did not start');
    assert.equal(await stop(service), 0);
  });
  await check('without the service the backup of its unit still works', () => {
    const unit = readUnit('local-telemetry-backup.service');
    const { status, stderr } = run(folders, unit, wordsOf(unit.Service?.ExecStart?.[0] ?? ''), ['--net']);
    assert.equal(status, 0, stderr);
  });
}

/** A command line of a unit, with our launcher and folder in the place of those that are installed. */
const wordsOf = (line: string): string[] =>
  line
    .replace('/usr/local/bin/local-telemetry', join(CHECKOUT, 'bin/local-telemetry'))
    .replace('/var/backups/local-telemetry', BACKUPS)
    .split(' ');

function confined(folders: Folders, unit: Unit, words: readonly string[], spaces: readonly string[]): string[] {
  const umask = only(unit, 'Service', 'UMask');
  const places = [folders.state, folders.backups, dirname(dirname(LAUNCHER))];
  return ['--mount', ...spaces, '--', 'sh', '-c', CONFINE, 'sh', ...places, umask, ...words];
}

const environment = (unit: Unit, more: Record<string, string> = {}): Record<string, string> => ({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  ...environmentOf(unit, '/mnt'),
  ...more,
});

function run(
  folders: Folders,
  unit: Unit,
  words: readonly string[],
  spaces: readonly string[] = [],
): ReturnType<typeof ended> {
  return ended(confined(folders, unit, words, spaces), environment(unit));
}

function ended(
  args: readonly string[],
  env: Record<string, string>,
): { status: number | null; stdout: string; stderr: string } {
  return spawnSync('unshare', args, { env, encoding: 'utf8', timeout: 60_000 });
}

async function startConfined(folders: Folders, port: number): Promise<ChildProcess> {
  const unit = readUnit('local-telemetry.service');
  const words = wordsOf(only(unit, 'Service', 'ExecStart'));
  const env = environment(unit, { TELEMETRY_API_PORT: String(port) });
  const child = start('unshare', confined(folders, unit, words, []), env);
  await lineOf(child, 'stdout', /"url": "http/);
  return child;
}
