/** What npm installs: exact versions, from anyone's registry, nothing compiled. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Fails with a line for each offence. */
function none(offences: readonly string[], rule: string): void {
  assert.equal(offences.length, 0, `${rule}\n  ${offences.join('\n  ')}`);
}

const json = (path: string): unknown => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));

test('package.json names every dependency by its exact version', () => {
  const { dependencies, devDependencies } = json('package.json') as Record<string, Record<string, string>>;
  const loose = Object.entries({ ...dependencies, ...devDependencies })
    .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => `${name}: ${version}`);
  none(loose, 'Versions that may change by themselves:');
});

test('the lock file names no registry, so that everyone installs from their own', () => {
  const { packages } = json('package-lock.json') as { packages: Record<string, { resolved?: string }> };
  const bound = Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined);
  none(
    bound.map(([path]) => path),
    'Packages with a "resolved" address:',
  );
});

test('installing compiles nothing, for better-sqlite3 ships its binaries', () => {
  const { packages } = json('package-lock.json') as { packages: Record<string, { gypfile?: boolean }> };
  const remedy =
    'npm runs node-gyp (Python, headers) for a package with a binding.gyp, unless its entry in package-lock.json ' +
    'says "gypfile": false; npm drops that line whenever it rewrites the file';
  assert.equal(packages['node_modules/better-sqlite3']?.gypfile, false, remedy);
});
