/** The documents in the package, by what package.json names; `npm run test:package` looks into the packed one. */
import assert from 'node:assert/strict';
import { globSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { folder } from '../support/database.ts';
import { brokenLinks } from './links.ts';
import { ROOT } from './support.ts';

test('whatever a document of the package links to is in the package', () => {
  const { files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { files: string[] };
  const named = files.filter((path) => !path.startsWith('!') && path !== 'dist');
  const patterns = ['README.md', 'LICENSE', 'package.json', ...named.flatMap((path) => [path, `${path}/**/*`])];
  const paths = globSync(patterns, { cwd: ROOT }).map((path) => path.replaceAll('\\', '/'));
  assert.ok(paths.includes('docs/container.md'));
  assert.deepEqual(
    brokenLinks(
      ROOT,
      paths.filter((path) => statSync(join(ROOT, path)).isFile()),
    ),
    [],
  );
});

test('a link that leads out of the package, or nowhere, is found', (t) => {
  const root = folder(t);
  mkdirSync(join(root, 'docs'));
  writeFileSync(join(root, 'README.md'), '[a](docs/b.md#c) [b](docs) [c](https://d) [d](#e) [e](src/f.ts)');
  writeFileSync(join(root, 'docs/b.md'), '[a](../README.md) [b](../) [c](../Dockerfile) [d](b.md) [e](../../x)');
  assert.deepEqual(brokenLinks(root, ['README.md', 'docs/b.md']), [
    'README.md: src/f.ts',
    'docs/b.md: ../Dockerfile',
    'docs/b.md: ../../x',
  ]);
});
