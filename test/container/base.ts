/**
 * A stand-in for the image's base: this machine's programs, with the Node of this folder and npm below /usr/local, as the real
 * one has them. Of a stage only what it changes is kept; /usr is looked at through it.
 */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const TOOLS = ['unshare', 'nsenter', 'setpriv', 'chroot', 'mount', 'ip', 'git', 'npm', 'tini'];
const LINKS = ['bin', 'sbin', 'lib', 'lib64'];
const FOLDERS = ['app', 'data', 'dev', 'etc', 'opt', 'proc', 'root', 'tmp', 'usr', 'usr/local', 'var'];
const DEVICES = ['null', 'zero', 'random', 'urandom'];

/** Where a program is; undefined where there is none. */
function which(program: string): string | undefined {
  try {
    return execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

/** Why the walk is not possible here; undefined where it is. */
export function whyNot(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root, to mount and to become another user';
  const missing = TOOLS.filter((tool) => which(tool) === undefined);
  if (missing.length > 0) return `needs ${missing.join(', ')}: install them`;
  if (!lstatSync('/bin').isSymbolicLink()) return 'needs a system whose /bin is a link to /usr/bin';
  try {
    execFileSync('unshare', ['--mount', '--pid', '--net', '--fork', 'true'], { stdio: 'ignore' });
  } catch {
    return 'needs the right to make namespaces of its own';
  }
  return undefined;
}

/** Makes the files of the base in `root`. @param node the program that is its Node */
export function makeBase(root: string, node: string): void {
  for (const folder of FOLDERS) mkdirSync(join(root, folder), { recursive: true });
  for (const name of LINKS) if (existsSync(`/${name}`)) symlinkSync(`usr/${name}`, join(root, name));
  for (const device of DEVICES) writeFileSync(join(root, 'dev', device), '');
  const local = join(root, 'usr', 'local');
  mkdirSync(join(local, 'bin'));
  mkdirSync(join(local, 'lib', 'node_modules'), { recursive: true });
  copyFileSync(node, join(local, 'bin', 'node'));
  const npm = dirname(dirname(realpathSync(which('npm') ?? '')));
  cpSync(npm, join(local, 'lib', 'node_modules', 'npm'), { recursive: true });
  for (const name of ['npm', 'npx'])
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, 'bin', name));
  writeFileSync(join(root, 'etc', 'passwd'), 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n');
  writeFileSync(join(root, 'etc', 'group'), 'root:x:0:\nnode:x:1000:\n');
  for (const name of ['hosts', 'resolv.conf', 'nsswitch.conf'])
    if (existsSync(join('/etc', name))) copyFileSync(join('/etc', name), join(root, 'etc', name));
  if (existsSync('/etc/ssl/certs'))
    cpSync('/etc/ssl/certs', join(root, 'etc', 'ssl', 'certs'), { recursive: true, dereference: true });
}

/** The lines of a shell that make `root` a place to live in; within a mount namespace of its own. */
export function mounts(root: string): string[] {
  return [
    'set -eu',
    // Looked at from a second place, for /usr is about to be covered.
    `mount --bind ${root} ${root}`,
    `mount --bind ${root}/usr/local ${root}/opt`,
    `mount --bind /usr ${root}/usr`,
    `mount -o remount,ro,bind ${root}/usr`,
    `mount --move ${root}/opt ${root}/usr/local`,
    ...DEVICES.map((device) => `mount --bind /dev/${device} ${root}/dev/${device}`),
    `mount -t proc proc ${root}/proc`,
  ];
}
