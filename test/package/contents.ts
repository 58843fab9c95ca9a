/** Which files a package has: those of src as JavaScript, and what its users need. */
import assert from 'node:assert/strict';
import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { filesToCopy } from '../../scripts/build.ts';
import { brokenLinks } from './links.ts';
import { ROOT } from './support.ts';

const SINGLE = [
  ...['README.md', 'LICENSE', 'CHANGELOG.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'package.json'],
  ...['bin/local-telemetry.cjs', 'docker-compose.yml', 'docker-compose.seo-intelligence.yml'],
  ...['examples/llm-agent.ts', 'examples/report.py'],
];
const FOLDERS = '{docs,deploy,migrations}/**/*';
/** Nothing of the kind gets out, wherever it lies. */
const NEVER =
  /(^|\/)\.env$|\.(sqlite|log|tgz|pem|key|test\.\w+|map)$|(?<!\.d|^examples\/llm-agent)\.ts$|(^|\/)(src|test|bench|node_modules)\//;

const filesOf = (folder: string, pattern: string): string[] =>
  globSync(pattern, { cwd: folder, exclude: ['node_modules/**'] })
    .filter((path) => statSync(join(folder, path)).isFile())
    .sort();

/** @throws AssertionError where a file is missing, or one too many is there, or a document links to none of them */
export function checkContents(installed: string): void {
  const files = filesOf(installed, '**/*');
  const types = files.filter((path) => path.endsWith('.d.ts'));
  const compiled = filesOf(ROOT, 'src/**/*.ts').map((path) => path.replace(/^src\/(.*)\.ts$/, 'dist/$1.js'));
  const copied = filesToCopy().map((path) => `dist/${path}`);
  const others = filesOf(ROOT, FOLDERS).filter((path) => !/\.test\.\w+$/.test(path));
  const expected = [...SINGLE, ...others, ...compiled, ...copied, ...types].sort();
  assert.deepEqual(files, expected);
  assert.deepEqual(
    files.filter((path) => NEVER.test(path)),
    [],
    'files that must not get out',
  );
  assert.deepEqual(brokenLinks(installed, files), [], 'links of its documents that lead nowhere');
  assert.ok(types.includes('dist/client/index.d.ts') && types.includes('dist/embedded.d.ts'), 'the types are missing');
}
