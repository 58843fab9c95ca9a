/** Carries out the Dockerfile's instructions by hand, in folders of their own, each RUN behind chroot. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { makeBase, mounts } from './base.ts';
import { CHANGING, configOf, type Instruction, type Stage } from './dockerfile.ts';

/** What a build may take from outside, as Docker's own proxy arguments. */
const FROM_OUTSIDE = /^(https?|no)_proxy$|^NODE_EXTRA_CA_CERTS$/i;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const MAX_RUN_MS = 300_000;

export interface Building {
  /** The folder of what `docker build` is sent. */
  context: string;
  /** Where stages are made, in folders by number. */
  folder: string;
  /** The Node of the base. */
  node: string;
  say: (line: string) => void;
}

/** @returns the root folder of the last stage. @throws Error naming the line that failed */
export function build(stages: readonly Stage[], building: Building): string {
  const roots = new Map<string, string>();
  let root = '';
  for (const [index, stage] of stages.entries()) {
    if (!/^node:24(\.|-)/.test(stage.base)) throw new Error(`the base ${stage.base} is not Node 24`);
    root = join(building.folder, String(index));
    mkdirSync(root);
    // Whoever started this may have a narrow umask, the base has none.
    chmodSync(root, 0o755);
    makeBase(root, building.node);
    if (stage.name !== undefined) roots.set(stage.name, root);
    carryOut(stage, root, { ...building, roots });
  }
  return root;
}

function carryOut(stage: Stage, root: string, building: Building & { roots: ReadonlyMap<string, string> }): void {
  const { env } = configOf(stage);
  let directory = '/';
  for (const instruction of stage.instructions.filter(({ name }) => CHANGING.has(name))) {
    const { name, text, line } = instruction;
    if (name === 'WORKDIR') {
      directory = resolve(directory, text);
      mkdirSync(join(root, directory), { recursive: true });
    } else if (name === 'COPY') copy(instruction, root, directory, building);
    else if (text.startsWith('apt-get '))
      building.say(`skipped  line ${line}, the system's packages are this machine's: ${text}`);
    else run(text, { root, directory, env });
  }
}

function copy(
  { text, flags, line }: Instruction,
  root: string,
  directory: string,
  { context, roots }: { context: string; roots: ReadonlyMap<string, string> },
): void {
  const paths = text.split(/\s+/);
  const to = paths.pop() ?? '';
  const from = flags.from === undefined ? context : roots.get(flags.from);
  if (from === undefined) throw new Error(`Dockerfile:${line}: there is no stage ${flags.from}`);
  const target = join(root, resolve(directory, to));
  for (const path of paths) {
    const source = join(from, path);
    if (!existsSync(source)) throw new Error(`Dockerfile:${line}: there is no ${path} (is it in .dockerignore?)`);
    const isFolder = statSync(source).isDirectory();
    const place = isFolder || !/(^\.|\/)$/.test(to) ? target : join(target, basename(path));
    mkdirSync(dirname(place), { recursive: true });
    cpSync(source, place, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  }
}

/** Runs a shell's line as root in the stage, with the network and the npm settings of this machine. */
function run(
  line: string,
  { root, directory, env }: { root: string; directory: string; env: Record<string, string> },
): void {
  const outside = Object.entries(process.env).filter(([name]) => FROM_OUTSIDE.test(name));
  const registry = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  const all = {
    PATH,
    HOME: '/root',
    npm_config_registry: registry,
    npm_config_cache: '/tmp/npm',
    ...Object.fromEntries(outside),
    ...env,
  };
  const words = Object.entries(all).map(([name, value]) => `${name}=${value}`);
  const script = [...mounts(root), `mount -t tmpfs tmpfs ${root}/tmp`, 'exec "$@"'].join('\n');
  const inside = ['chroot', root, 'env', '-i', `--chdir=${directory}`, ...words, 'sh', '-c', `umask 022; ${line}`];
  try {
    execFileSync('unshare', ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', script, 'sh', ...inside], {
      timeout: MAX_RUN_MS,
      encoding: 'utf8',
      stdio: 'pipe',
    });
  } catch (error) {
    const { stderr = '', stdout = '', message } = error as { stderr?: string; stdout?: string; message: string };
    throw new Error(`RUN ${line} failed: ${stderr || stdout || message}`, { cause: error });
  }
}
