import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeMount, mountOf, parseMounts } from '../../src/offline/mounts.ts';

const TEXT = `21 26 0:20 / /proc rw,nosuid shared:12 - proc proc rw
26 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
30 26 8:2 / /srv rw,relatime - xfs /dev/sda2 rw,attr2
31 30 0:44 / /srv/my\\040data\\134x rw master:3 propagate_from:2 - nfs4 server:/export rw,vers=4.2
32 26 8:3 / /srv rw,noatime - ext4 /dev/sdb1 rw,data=writeback
33 26 0:45 / /caf\\303\\251 ro - cifs //host/share rw
a line that is none
34 26 0:46 / /half rw,relatime -
`;

const typeOf = (path: string): string | undefined => mountOf(parseMounts(TEXT), path)?.type;

test('the longest mount point wins, and of two at one place the one mounted last', () => {
  assert.equal(typeOf('/home/user'), 'ext4');
  assert.deepEqual(mountOf(parseMounts(TEXT), '/srv/db')?.options, ['rw', 'noatime', 'data=writeback']);
  assert.equal(typeOf('/proc/self'), 'proc');
});

test('a mount point holds what is below it, not what begins like it', () => {
  assert.equal(mountOf(parseMounts(TEXT), '/srvother')?.mountPoint, '/');
  assert.equal(mountOf(parseMounts(TEXT), '/srv')?.mountPoint, '/srv');
});

test('characters in octal are read, those of several bytes too', () => {
  assert.equal(typeOf('/srv/my data\\x/db'), 'nfs4');
  assert.equal(mountOf(parseMounts(TEXT), '/café/x')?.mountPoint, '/café');
});

test('lines that are no mounts are left out, and no mounts give none', () => {
  assert.equal(parseMounts(TEXT).length, 6);
  assert.equal(mountOf(parseMounts(''), '/'), undefined);
});

test('options of the mount and of the file system are told together', () => {
  const { options } = parseMounts(TEXT).at(-1) ?? { options: [] };
  assert.deepEqual(options, ['ro', 'rw']);
});

const JUDGED: [type: string, options: string[], state: string][] = [
  ['ext4', ['rw', 'relatime'], 'ok'],
  ['xfs', ['rw'], 'ok'],
  ['btrfs', ['rw'], 'ok'],
  ...[
    'nfs',
    'nfs4',
    'cifs',
    'smb3',
    '9p',
    'fuse.sshfs',
    'vboxsf',
    'virtiofs',
    'prl_fs',
    'drvfs',
    'afs',
    'ceph',
    'glusterfs',
  ].map((type): [string, string[], string] => [type, ['rw'], 'bad']),
  ['overlay', ['rw'], 'warning'],
  ['tmpfs', ['rw'], 'warning'],
  ['vfat', ['rw'], 'warning'],
  ['ext4', ['rw', 'nobarrier'], 'warning'],
  ['ext4', ['rw', 'barrier=0'], 'warning'],
  ['ext4', ['rw', 'data=writeback'], 'warning'],
  ['ext4', ['ro'], 'bad'],
];

test('network and shared file systems are a problem, what may lose or damage files a warning', () => {
  for (const [type, options, state] of JUDGED) {
    const verdict = judgeMount({ mountPoint: '/', type, options });
    assert.equal(verdict.state, state, `${type} ${options.join()}`);
    assert.equal(/^.+: .+$/.test(verdict.why), state !== 'ok', 'what is not well has its remedy');
  }
});
