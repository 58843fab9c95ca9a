/** A file system in a file, from which the power can be cut. Linux and root only. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type FileSystemType = keyof typeof MAKE;

export const MAKE = { ext4: ['mkfs.ext4', '-q', '-F'], xfs: ['mkfs.xfs', '-q', '-f'] } as const;
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
const UNMOUNT_ATTEMPTS = 20;
const UNMOUNT_RETRY_MS = 50;
const SIZE_BYTES = 512 * 1024 * 1024;

/** @returns why power cuts cannot be made here; undefined where they can */
export function whyNot(type: FileSystemType = 'ext4'): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root';
  const tools = ['losetup', MAKE[type][0], 'mount', 'umount', 'xfs_io'];
  const missing = tools.filter((tool) => !PATH.split(':').some((directory) => isExecutable(join(directory, tool))));
  if (missing.length > 0) return `needs ${missing.join(', ')} (packages mount, e2fsprogs, xfsprogs)`;
  return attempt(type);
}

/** Containers often may not mount, whoever they run as. */
function attempt(type: FileSystemType): string | undefined {
  try {
    using fileSystem = new CutFileSystem(type);
    fileSystem.cut();
    return undefined;
  } catch (error) {
    return `needs the right to mount a loop device (${error instanceof Error ? error.message : String(error)})`;
  }
}

export class CutFileSystem implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'telemetry-power-'));
  readonly mountPoint = join(this.#directory, 'mnt');
  readonly #type: FileSystemType;
  #device: string | undefined;
  #mounted = false;
  readonly #onExit = (): void => this[Symbol.dispose]();

  /** @throws where a step fails; nothing is left behind then */
  constructor(type: FileSystemType = 'ext4') {
    this.#type = type;
    process.on('exit', this.#onExit);
    try {
      const image = join(this.#directory, 'image');
      writeFileSync(image, '');
      truncateSync(image, SIZE_BYTES);
      mkdirSync(this.mountPoint);
      const [tool, ...options] = MAKE[type];
      run(tool, ...options, image);
      this.#device = run('losetup', '--find', '--show', image);
      this.#mount();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** What the kernel has not flushed is gone, and whoever has files open there gets I/O errors. */
  cut(): void {
    // Without -f: the file system's own log is not flushed either.
    run('xfs_io', '-x', '-c', 'shutdown', this.mountPoint);
  }

  /** The machine comes back: the file system replays its log. Nobody may have files open there. */
  restore(): void {
    this.#unmount();
    this.#mount();
  }

  [Symbol.dispose](): void {
    process.off('exit', this.#onExit);
    try {
      this.#unmount();
    } catch {
      // Someone still has files open: it goes when they do.
      run('umount', '--lazy', this.mountPoint);
    } finally {
      if (this.#device !== undefined) run('losetup', '--detach', this.#device);
      this.#device = undefined;
      rmSync(this.#directory, { recursive: true, force: true });
    }
  }

  #mount(): void {
    run('mount', '-t', this.#type, String(this.#device), this.mountPoint);
    this.#mounted = true;
  }

  // A killed process lets go of its files a moment after it is dead.
  #unmount(): void {
    for (let attempt = 1; this.#mounted; attempt++) {
      try {
        run('umount', this.mountPoint);
        this.#mounted = false;
      } catch (error) {
        if (attempt === UNMOUNT_ATTEMPTS) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, UNMOUNT_RETRY_MS);
      }
    }
  }
}

/** @returns its output @throws with what it wrote to stderr */
function run(tool: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(tool, args, { env: { PATH }, encoding: 'utf8', timeout: 30_000 });
  if (status !== 0) throw new Error(`${tool} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
  return stdout.trim();
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
