/** systemd's own checks of the units, installed below a folder of their own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check, LAUNCHER, skip } from './checks.ts';
import { only, readUnit, SYSTEMD } from './unit-file.ts';

const SERVICES = ['local-telemetry.service', 'local-telemetry-backup.service'];
const UNITS = [...SERVICES, 'local-telemetry-backup.timer'];
/** In tenths; systemd calls up to 2 safe or nearly so. */
const MAX_EXPOSURE = 20;
const UNITS_FOLDER = 'etc/systemd/system';

export async function checkUnits(root: string): Promise<void> {
  install(root);
  await check('systemd-analyze verify has nothing to say of the units with their drop-ins', () => {
    for (const unit of UNITS) assert.equal(verify(root, unit), '', unit);
  });
  await check('and it would: it names a setting that does not exist', () => {
    const wrong = `${root}-wrong`;
    install(wrong);
    appendFileSync(join(wrong, UNITS_FOLDER, UNITS[0] ?? ''), '[Service]\nProtectSistem=strict\n');
    assert.match(verify(wrong, UNITS[0] ?? ''), /ProtectSistem/);
  });
  for (const unit of SERVICES) {
    await check(`systemd-analyze security: ${unit}`, () => {
      const { status, stdout } = analyze([
        'security',
        '--offline=true',
        `--threshold=${MAX_EXPOSURE}`,
        '--no-pager',
        `--root=${root}`,
        unit,
      ]);
      const exposure = /Overall exposure level for \S+: (.*)$/m.exec(stdout)?.[1];
      assert.equal(status, 0, exposure);
      return exposure;
    });
  }
  await check('systemd-analyze calendar understands the time of the timer', () => {
    const { status, stdout } = analyze([
      'calendar',
      only(readUnit('local-telemetry-backup.timer'), 'Timer', 'OnCalendar'),
    ]);
    assert.equal(status, 0);
    return /Next elapse: (.*)$/m.exec(stdout)?.[1];
  });
  if (process.getuid?.() !== 0) return skip('sysusers and tmpfiles', 'run this as root to try them');
  await check('systemd-sysusers and systemd-tmpfiles make the user, the group and the folders', () =>
    makeAccounts(root),
  );
}

function analyze(args: readonly string[]): { status: number | null; stdout: string } {
  return spawnSync('systemd-analyze', args, { encoding: 'utf8', timeout: 30_000 });
}

/** What systemd-analyze verify prints. */
function verify(root: string, unit: string): string {
  const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', `--root=${root}`, unit], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  return stdout + stderr;
}

/** Puts everything where docs/deployment.md says, below `root`. */
function install(root: string): void {
  const put = (from: string, to: string): void => {
    mkdirSync(dirname(join(root, to)), { recursive: true });
    cpSync(from, join(root, to));
  };
  const ours = (name: string): string => fileURLToPath(new URL(name, SYSTEMD));
  for (const unit of UNITS) put(ours(unit), join(UNITS_FOLDER, unit));
  put(ours('token.conf'), join(UNITS_FOLDER, 'local-telemetry.service.d/token.conf'));
  for (const unit of SERVICES) put(ours('shared-spool.conf'), join(UNITS_FOLDER, `${unit}.d/shared-spool.conf`));
  put(ours('sysusers.conf'), 'etc/sysusers.d/local-telemetry.conf');
  put(ours('tmpfiles.conf'), 'etc/tmpfiles.d/local-telemetry.conf');
  put(LAUNCHER, 'usr/local/bin/local-telemetry');
  // The targets and slices that the units name.
  const system = ['/usr/lib/systemd/system', '/lib/systemd/system'].find((path) => existsSync(path));
  for (const name of system ? readdirSync(system) : []) {
    if (/^[\w-]+\.(target|slice)$/.test(name)) put(join(String(system), name), join('usr/lib/systemd/system', name));
  }
}

function makeAccounts(root: string): void {
  const options = { encoding: 'utf8', timeout: 30_000 } as const;
  const users = spawnSync('systemd-sysusers', [`--root=${root}`, 'local-telemetry.conf'], options);
  assert.equal(users.status, 0, users.stderr);
  const folders = spawnSync('systemd-tmpfiles', [`--root=${root}`, '--create', 'local-telemetry.conf'], options);
  assert.equal(folders.status, 0, folders.stderr);
  const idIn = (file: string, name: string): number => {
    const line = readFileSync(join(root, file), 'utf8')
      .split('\n')
      .find((entry) => entry.startsWith(`${name}:`));
    return Number(line?.split(':')[2]);
  };
  const own = idIn('etc/passwd', 'local-telemetry');
  const backups = statSync(join(root, 'var/backups/local-telemetry'));
  assert.deepEqual([backups.uid, backups.mode & 0o7777], [own, 0o700]);
  const spool = statSync(join(root, 'var/spool/local-telemetry'));
  assert.deepEqual([spool.uid, spool.gid, spool.mode & 0o7777], [own, idIn('etc/group', 'telemetry-agents'), 0o3770]);
}
