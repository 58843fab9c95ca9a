/** What a release does: the package, the commit, the tag, in this order; and how to go on where one of them fails. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { release } from './changelog.ts';
import { ask, commitOf, mustBeClean, run } from './commands.ts';
import { lockWithVersion, withVersion } from './manifest.ts';
import { NAMING, withMentions } from './mentions.ts';
import { nextVersion } from './version.ts';

export interface Plan {
  version: string;
  notes: string;
  /** Texts by the name of their file: as they are, and as they will be. */
  before: Record<string, string>;
  after: Record<string, string>;
}

/** A release that got as far as its commit. */
export class Untagged extends Error {}

/** @throws Error where there is nothing to release, or not like this */
export function planOf(root: string, wanted: string): Plan {
  mustBeClean(root);
  const names = ['package.json', 'package-lock.json', 'CHANGELOG.md', ...NAMING];
  const before = Object.fromEntries(names.map((name) => [name, readFileSync(join(root, name), 'utf8')]));
  const [manifest = '', lock = '', text = ''] = Object.values(before);
  const { version: current } = JSON.parse(manifest) as { version: string };
  mustBeTagged(root, current);
  const version = nextVersion(current, wanted);
  if (commitOf(root, `refs/tags/v${version}`))
    throw new Error(`The tag v${version} is there already. Say a greater version.`);
  const { changelog, notes } = release(text, version, new Date().toISOString().slice(0, 10));
  const mentions = NAMING.map((name) => [name, withMentions(name, before[name] ?? '', current, version)]);
  const after = {
    'package.json': withVersion(manifest, version),
    'package-lock.json': lockWithVersion(lock, version),
    'CHANGELOG.md': changelog,
    ...(Object.fromEntries(mentions) as Record<string, string>),
  };
  return { version, notes, before, after };
}

/** @throws Untagged where the release of this version was committed, and has no tag */
function mustBeTagged(root: string, version: string): void {
  if (commitOf(root, `refs/tags/v${version}`)) return;
  const commit = ask(root, 'log', '-1', '--format=%h', `--grep=^Release ${version.replaceAll('.', '\\.')}$`);
  if (!commit) return;
  const elsewhere = 'Where it was tagged elsewhere, fetch the tag: git fetch --tags. Else';
  throw new Untagged(
    `Version ${version} is committed, and has no tag here. ${elsewhere} ${remedy(root, version, commit)}`,
  );
}

/** Packs, commits and tags; if that fails before the commit, the files are as they were. @throws Error, Untagged */
export async function carryOut(root: string, { version, notes, before, after }: Plan): Promise<void> {
  const head = commitOf(root, 'HEAD');
  const made = [notesOf(version), packageOf(version)];
  mkdirSync(join(root, 'release'), { recursive: true });
  writeFileSync(join(root, notesOf(version)), notes);
  try {
    write(root, after);
    await run(root, 'npm', 'pack', '--pack-destination', 'release');
    await run(root, 'git', 'commit', '--quiet', '--message', `Release ${version}`, '--', ...Object.keys(after));
    await run(root, 'git', ...tagWords(version));
  } catch (error) {
    const commit = commitOf(root, 'HEAD');
    // Asked of git, not of the step that failed: a signal may have come once the commit was made.
    if (commit === undefined || commit === head) {
      write(root, before);
      for (const name of made) rmSync(join(root, name), { force: true });
      throw error;
    }
    const done = `Version ${version} is committed and packed, but not tagged.`;
    throw new Untagged(`${done} ${(error as Error).message} Now ${remedy(root, version, commit.slice(0, 12))}`);
  }
}

export const packageOf = (version: string): string => `release/local-telemetry-${version}.tgz`;
export const notesOf = (version: string): string => `release/notes-${version}.md`;

const tagWords = (version: string, ...more: string[]): string[] => [
  'tag',
  '--annotate',
  `v${version}`,
  '--cleanup=verbatim',
  '--file',
  notesOf(version),
  ...more,
];

function remedy(root: string, version: string, commit: string): string {
  const isLast = commitOf(root, commit) === commitOf(root, 'HEAD');
  const back = isLast ? '\n\nTo take the commit back instead:\n\n  git reset --hard HEAD~1\n' : '\n';
  return `tag it, once what was in the way is put right:

  git ${tagWords(version, commit).join(' ')}${back}`;
}

function write(root: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
}
