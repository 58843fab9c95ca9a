/**
 * Makes a release: a commit, a tag and a package, all of them here. Nothing is pushed, nothing is published.
 *
 *   npm run release -- <version|major|minor|patch> [--dry-run] [--skip-tests]
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { release } from './release/changelog.ts';
import { commitOf, mustBeClean, run } from './release/commands.ts';
import { lockWithVersion, withVersion } from './release/manifest.ts';
import { nextVersion } from './release/version.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const USAGE = 'npm run release -- <version|major|minor|patch> [--dry-run] [--skip-tests]';

interface Plan {
  version: string;
  notes: string;
  /** Texts by the name of their file: as they are, and as they will be. */
  before: Record<string, string>;
  after: Record<string, string>;
}

/** @throws Error where there is nothing to release, or not like this */
function planOf(wanted: string): Plan {
  mustBeClean(ROOT);
  const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
  const names = ['package.json', 'package-lock.json', 'CHANGELOG.md'];
  const before = Object.fromEntries(names.map((name) => [name, read(name)]));
  const [manifest = '', lock = '', text = ''] = Object.values(before);
  const version = nextVersion((JSON.parse(manifest) as { version: string }).version, wanted);
  if (commitOf(ROOT, `refs/tags/v${version}`))
    throw new Error(`The tag v${version} is there already. Say a greater version.`);
  const { changelog, notes } = release(text, version, new Date().toISOString().slice(0, 10));
  const after = {
    'package.json': withVersion(manifest, version),
    'package-lock.json': lockWithVersion(lock, version),
    'CHANGELOG.md': changelog,
  };
  return { version, notes, before, after };
}

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(ROOT, name), text);
}

/** Packs, commits and tags; if that fails before the commit, the files are as they were. */
function carryOut({ version, notes, before, after }: Plan): void {
  mkdirSync(join(ROOT, 'release'), { recursive: true });
  writeFileSync(join(ROOT, 'release', `notes-${version}.md`), notes);
  write(after);
  try {
    run(ROOT, 'npm', 'pack', '--pack-destination', 'release');
    run(ROOT, 'git', 'commit', '--quiet', '--message', `Release ${version}`, '--', ...Object.keys(after));
  } catch (error) {
    write(before);
    throw error;
  }
  run(ROOT, 'git', 'tag', '--annotate', `v${version}`, '--cleanup=verbatim', '--file', `release/notes-${version}.md`);
}

function main(): void {
  const { values, positionals } = parseArgs({
    options: { 'dry-run': { type: 'boolean' }, 'skip-tests': { type: 'boolean' } },
    allowPositionals: true,
  });
  const [wanted] = positionals;
  if (wanted === undefined || positionals.length > 1) throw new Error(`Say what to release: ${USAGE}`);
  const plan = planOf(wanted);
  const { version, notes } = plan;
  if (!values['skip-tests']) {
    run(ROOT, 'npm', 'run', 'check');
    run(ROOT, 'npm', 'test');
  }
  if (values['dry-run']) {
    process.stdout.write(`Version ${version} can be released. Nothing was changed. Its notes:\n\n${notes}`);
    return;
  }
  carryOut(plan);
  process.stdout.write(`
Version ${version} is committed, tagged v${version}, and packed. Nothing has left this machine. What remains:

  git push --follow-tags
  npm publish release/local-telemetry-${version}.tgz

and release/notes-${version}.md for whoever announces it. To take it all back instead:

  git tag --delete v${version} && git reset --hard HEAD~1
`);
}

try {
  main();
} catch (error) {
  process.stderr.write(`Nothing is released. ${(error as Error).message}\n`);
  process.exitCode = 1;
}
