/** The documents of the project, for tests that hold them to the code. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A file's text. @param path from the root */
export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

export const documents: readonly string[] = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...globSync('docs/*.md', { cwd: ROOT }),
];

/** Fails with a line for each offence. */
export function none(offences: readonly string[], rule: string): void {
  assert.equal(offences.length, 0, `${rule}\n  ${offences.join('\n  ')}`);
}
