/** What a release leaves behind where it fails or is ended on its way: in a repository of its own, with git and npm. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { NAMING } from '../../scripts/release/mentions.ts';
import { folder } from '../support/database.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ENVIRONMENT = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|GIT_|NODE_)/i.test(name))),
  PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}`,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  npm_config_update_notifier: 'false',
};

interface Repository {
  root: string;
  git: (...words: string[]) => string;
}

/** A project of version 0.1.0 with something to release. @param prepack what npm runs before it packs */
function repository(t: TestContext, prepack: string): Repository {
  const root = folder(t);
  const own = { name: 'local-telemetry', version: '0.1.0', type: 'module' };
  const files = {
    'package.json': JSON.stringify({ ...own, scripts: { prepack } }),
    'package-lock.json': JSON.stringify({ ...own, packages: { '': own } }),
    'CHANGELOG.md': '# Changelog\n\n## Unreleased\n\n- One.\n',
    '.gitignore': '/release/\n',
    ...Object.fromEntries(NAMING.map((name) => [name, 'local-telemetry:0.1.0\n'])),
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  const scripts = ['scripts/release', 'scripts/release.ts'];
  for (const name of scripts) cpSync(join(ROOT, name), join(root, name), { recursive: true });
  const git = (...words: string[]): string =>
    execFileSync('git', words, { cwd: root, env: ENVIRONMENT, encoding: 'utf8' }).trim();
  git('init', '--quiet');
  for (const [name, value] of Object.entries({ 'user.name': 'a', 'user.email': 'a@b', 'commit.gpgSign': 'false' }))
    git('config', name, value);
  git('add', '--all');
  git('commit', '--quiet', '--message', 'The beginning');
  return { root, git };
}

function start({ root }: Repository, wanted: string): { child: ChildProcess; ended: Promise<string> } {
  const child = spawn(process.execPath, ['scripts/release.ts', wanted, '--skip-tests'], {
    cwd: root,
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
  child.stdout.resume();
  return { child, ended: once(child, 'close').then(([code]) => `exit ${code}\n${told}`) };
}

test('a release whose tag fails says that its commit is made, and so does the next try', async (t) => {
  const { root, git } = repository(t, 'true');
  git('config', 'tag.gpgSign', 'true');
  git('config', 'gpg.program', 'false');
  const first = await start({ root, git }, 'minor').ended;
  assert.match(first, /exit 1\n[^]*Version 0\.2\.0 is committed and packed, but not tagged\. git tag .* failed/);
  assert.match(first, /git reset --hard HEAD~1/);
  assert.doesNotMatch(first, /Nothing is released/);
  assert.ok(existsSync(join(root, 'release/local-telemetry-0.2.0.tgz')));
  for (const name of NAMING) assert.equal(readFileSync(join(root, name), 'utf8'), 'local-telemetry:0.2.0\n');
  assert.equal(git('status', '--porcelain'), '');
  const again = await start({ root, git }, '0.2.0').ended;
  assert.match(again, /exit 1\nVersion 0\.2\.0 is committed, and has no tag here/);
  const [, command = ''] = /^ {2}git (tag .*)$/m.exec(again) ?? assert.fail(again);
  git('config', 'tag.gpgSign', 'false');
  git(...command.split(' '));
  assert.equal(git('rev-parse', 'v0.2.0^{commit}'), git('rev-parse', 'HEAD'));
  assert.match(await start({ root, git }, 'patch').ended, /Nothing is released\. Nothing stands below "## Unreleased"/);
});

test('a signal while it packs puts every file back', async (t) => {
  const at = repository(t, `node -e "console.log('it packs'); setInterval(() => {}, 1000)"`);
  const { child, ended } = start(at, '0.2.0');
  t.after(() => child.kill());
  const packs = Promise.withResolvers<void>();
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    if (line === 'it packs') packs.resolve();
  });
  await Promise.race([packs.promise, ended.then((told) => assert.fail(told))]);
  assert.notEqual(at.git('status', '--porcelain'), '', 'nothing is written yet');
  child.kill('SIGINT');
  assert.match(await ended, /exit 1\n[^]*Nothing is released\. It was ended by SIGINT\.\n/);
  assert.equal(at.git('status', '--porcelain'), '');
  assert.equal(at.git('log', '--format=%s'), 'The beginning');
  assert.ok(!existsSync(join(at.root, 'release/notes-0.2.0.md')));
});
