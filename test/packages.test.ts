/** What npm installs: exact versions, from anyone's registry, nothing compiled. And the package that others install. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildConfig, filesToCopy, withEndingsOfJavaScript, withoutHiddenTypes } from '../scripts/build.ts';
import { none, read, ROOT } from './support/documents.ts';

const json = (path: string): unknown => JSON.parse(read(path));

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

interface Manifest {
  files: string[];
  bin: Record<string, string>;
  exports: Record<string, string | Record<string, string>>;
  scripts: Record<string, string>;
  private?: boolean;
}

/** Whether a path is there, or is made by the build of a file that is. */
function isMade(path: string): boolean {
  const built = /^(?:\.\/)?dist\/(.+?)(?:\.d\.ts|\.js)$/.exec(path);
  return built ? existsSync(join(ROOT, 'src', `${built[1]}.ts`)) : path === 'dist' || existsSync(join(ROOT, path));
}

test('the package names only files that are there or that the build makes', () => {
  const { files, bin, exports } = json('package.json') as Manifest;
  const targets = Object.values(exports).flatMap((target) =>
    typeof target === 'string' ? [target] : Object.values(target),
  );
  const taken = files.filter((path) => !path.startsWith('!'));
  const named = [...taken, ...Object.values(bin), ...targets];
  assert.ok(named.length > 10, named.join(', '));
  none(
    named.filter((path) => !isMade(path)),
    'Named in package.json, and nowhere:',
  );
});

test('what the package exports is JavaScript with types, which come first', () => {
  const { exports } = json('package.json') as Manifest;
  for (const [name, target] of Object.entries(exports)) {
    if (typeof target === 'string') assert.equal(target, './package.json', name);
    else {
      assert.deepEqual(Object.keys(target), ['types', 'default'], name);
      assert.equal(target.default?.replace(/\.js$/, '.d.ts'), target.types, name);
    }
  }
});

test('nothing is packed without a build, and nothing published without a release', () => {
  const { scripts, private: kept } = json('package.json') as Manifest;
  assert.equal(scripts.prepack, 'npm run build');
  assert.equal(scripts.prepublishOnly, 'node scripts/release/published.ts');
  assert.equal(kept, undefined);
});

test('the build compiles or copies every file of src', () => {
  const below = (folder: string): string[] =>
    readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? below(join(folder, entry.name)) : [join(folder, entry.name)],
    );
  const compiled = buildConfig().fileNames.map((path) => path.slice(ROOT.length));
  const copied = filesToCopy().map((path) => join('src', path));
  assert.deepEqual([...compiled, ...copied].sort(), below('src').sort());
});

test('no URL in src names a TypeScript file, for the package has none', () => {
  const wrong = globSync('src/**/*.ts', { cwd: ROOT }).filter((path) => /new URL\([^)]*\.ts\b/.test(read(path)));
  none(wrong, 'Name the actor by actorBeside() of src/actors/thread.ts:');
});

test('the client imports no package but the one that checks a record', () => {
  const packages = new Set<string>();
  for (const path of globSync('src/{client/**/*,run/**/*,run,directory}.ts', { cwd: ROOT })) {
    const text = read(path);
    for (const [, name = ''] of text.matchAll(/ from '([^.'][^']*)'/g))
      if (!name.startsWith('node:')) packages.add(name);
  }
  assert.deepEqual([...packages], ['superstruct']);
});

test('the package has the types of what it exports, and of nothing else', () => {
  const files = new Map([
    ['/a/index.d.ts', "export * from './one.js';\nimport type { T } from 'elsewhere';"],
    ['/a/one.d.ts', "export declare const x: import('../b/two.js').Two;"],
    ['/b/two.d.ts', "import './index.js';"],
    ['/b/hidden.d.ts', "import 'types-that-nobody-has';"],
    ['/b/hidden.js', ''],
  ]);
  const kept = [...withoutHiddenTypes(files, ['/a/index.d.ts']).keys()];
  assert.deepEqual(kept, ['/a/index.d.ts', '/a/one.d.ts', '/b/two.d.ts', '/b/hidden.js']);
});

test('type files name each other as JavaScript, and packages as they are', () => {
  assert.equal(
    withEndingsOfJavaScript(
      `import './a.ts';\nexport { a } from "../b.ts";\ntype C = import('./c.ts').C;\nimport d from 'd.ts';\n// e.ts`,
    ),
    `import './a.js';\nexport { a } from "../b.js";\ntype C = import('./c.js').C;\nimport d from 'd.ts';\n// e.ts`,
  );
});

test('what people start may be executed', { skip: process.platform === 'win32' }, () => {
  for (const path of readdirSync(join(ROOT, 'bin'))) {
    assert.ok((statSync(join(ROOT, 'bin', path)).mode & 0o111) === 0o111, path);
  }
});
