/**
 * A container by hand: the tree read-only, namespaces of its own for mounts, processes and network, an unprivileged user
 * without capabilities, the image's environment and no other; only the volume may be written to.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { mounts } from './base.ts';
import type { ImageConfig } from './dockerfile.ts';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const MAX_MS = 60_000;

export interface Ended {
  code: number;
  text: string;
}

export interface Box {
  /** Process 1 of the container, as this machine counts. */
  pid: number;
  /** Resolves once a line of its output has `text`. @throws Error where it ends before */
  said(text: string): Promise<void>;
  /** `docker exec`. */
  exec(words: readonly string[]): Promise<Ended>;
  /** `docker stop`, without its patience. */
  stop(): Promise<Ended>;
  ended: Promise<Ended>;
}

const unprivileged = (user: string): string[] => {
  const [uid = '', gid = ''] = user.split(':');
  const ids = ['--reuid', uid, '--regid', gid, '--clear-groups'];
  return ['setpriv', ...ids, '--bounding-set=-all', '--inh-caps=-all', '--no-new-privs'];
};

const environmentOf = ({ env, directory }: ImageConfig, settings: Readonly<Record<string, string>>): string[] => {
  const all = { PATH, HOSTNAME: 'container', ...env, ...settings };
  const words = Object.entries(all).map(([name, value]) => `${name}=${value}`);
  return ['env', '-i', `--chdir=${directory}`, ...words];
};

/** `docker run --read-only --cap-drop ALL --security-opt no-new-privileges -v <data>:/data`. */
export function startBox(root: string, data: string, image: ImageConfig, settings: Record<string, string> = {}): Box {
  const script = [
    ...mounts(root),
    // A mount of its own stays as it was when what lies below becomes read-only.
    `mount --bind ${data} ${root}${image.volumes[0]}`,
    `mount -o remount,ro,bind ${root}/usr/local`,
    `mount -o remount,ro,bind ${root}`,
    'ip link set lo up',
    'exec "$@"',
  ].join('\n');
  const within = [...environmentOf(image, settings), ...unprivileged(image.user)];
  const words = ['chroot', root, ...within, ...image.entrypoint, ...image.command];
  const namespaces = ['--mount', '--pid', '--net', '--fork', '--kill-child'];
  const child = spawn('unshare', [...namespaces, 'sh', '-c', script, 'sh', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const waiting = new Set<() => void>();
  const tell = (): void => waiting.forEach((look) => look());
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      tell();
    });
  }
  const tooLong = setTimeout(() => child.kill('SIGKILL'), MAX_MS);
  const ended = once(child, 'close').then(([code]): Ended => {
    clearTimeout(tooLong);
    return { code: (code as number | null) ?? -1, text };
  });
  const inside = (): number => Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim());
  return {
    get pid() {
      return inside();
    },
    ended,
    said(wanted) {
      const said = new Promise<void>((resolve) => {
        const look = (): void => {
          if (text.includes(wanted)) resolve();
        };
        waiting.add(look);
        look();
      });
      const never = ended.then(({ code }) => {
        throw new Error(`It ended with ${code} without saying "${wanted}":\n${text}`);
      });
      return Promise.race([said, never]);
    },
    exec: (command) =>
      execute(['nsenter', '--target', String(inside()), '--mount', '--pid', '--net', '--root', ...within, ...command]),
    stop() {
      process.kill(inside(), image.stopSignal as NodeJS.Signals);
      return ended;
    },
  };
}

async function execute([program = '', ...words]: readonly string[]): Promise<Ended> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, words, { timeout: MAX_MS });
    return { code: 0, text: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, text: stdout + stderr };
  }
}
