/** What a release does to the files, without git and npm. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { release } from '../../scripts/release/changelog.ts';
import { lockWithVersion, withVersion } from '../../scripts/release/manifest.ts';
import { nextVersion } from '../../scripts/release/version.ts';

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
const part = fc.nat({ max: 1_000 });
const version = fc.tuple(part, part, part);
const below = (one: readonly number[], other: readonly number[]): boolean => {
  const at = one.findIndex((value, index) => value !== other[index]);
  return at !== -1 && Number(one[at]) < Number(other[at]);
};

test('a step raises its part of the version and clears those behind it', () => {
  assert.equal(nextVersion('1.2.3', 'patch'), '1.2.4');
  assert.equal(nextVersion('1.2.3', 'minor'), '1.3.0');
  assert.equal(nextVersion('1.9.3', 'major'), '2.0.0');
});

test('a version is taken where it is not below the current one, and only there', () => {
  fc.assert(
    fc.property(version, version, (current, wanted) => {
      const next = (): string => nextVersion(current.join('.'), wanted.join('.'));
      if (below(wanted, current)) assert.throws(next, /is below .* Say a greater one/);
      else assert.equal(next(), wanted.join('.'));
    }),
  );
});

test('what is no version is refused, with what to say', () => {
  for (const odd of ['', '1.2', 'v1.2.3', '1.2.3-rc.1', '01.2.3', 'PATCH', '1.2.3 ']) {
    assert.throws(() => nextVersion('1.0.0', odd), /is no version\. Say major, minor, patch/);
  }
  assert.throws(() => nextVersion('1.0', 'patch'), /package\.json says version 1\.0/);
});

const HEAD = '# Changelog\n\nIts form.\n\n';
const OLDER = '## 0.1.0 - 2026-01-10\n\n- The first.\n';

test('what is unreleased gets the version and the date, and an empty section stands above it', () => {
  const before = `${HEAD}## Unreleased\n\n### Added\n\n- One.\n\n${OLDER}`;
  assert.deepEqual(release(before, '0.2.0', '2026-02-01'), {
    changelog: `${HEAD}## Unreleased\n\n## 0.2.0 - 2026-02-01\n\n### Added\n\n- One.\n\n${OLDER}`,
    notes: '### Added\n\n- One.\n',
  });
});

test('a release keeps every line of the changelog, and the next one needs new lines', () => {
  const line = fc.stringMatching(/^[\w ]{1,20}$/).map((text) => `- ${text.trimEnd()}.`);
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), fc.boolean(), (lines, first) => {
      const rest = first ? '' : `\n${OLDER}`;
      const before = `${HEAD}## Unreleased\n\n${lines.join('\n')}\n${rest}`;
      const { changelog, notes } = release(before, '0.2.0', '2026-02-01');
      assert.equal(notes, `${lines.join('\n')}\n`);
      assert.equal(changelog.replace('\n## 0.2.0 - 2026-02-01\n', ''), before);
      assert.throws(() => release(changelog, '0.3.0', '2026-02-02'), /Nothing stands below "## Unreleased"/);
    }),
  );
});

test('a changelog that cannot be released is refused', () => {
  assert.throws(() => release(HEAD + OLDER, '0.2.0', '2026-02-01'), /has no section "## Unreleased"/);
  assert.throws(() => release(`${HEAD}## Unreleased\n\n### Added\n\n${OLDER}`, '0.2.0', 'x'), /Nothing stands below/);
  assert.throws(
    () => release(`${HEAD}## Unreleased\n\n- One.\n\n${OLDER}`, '0.1.0', 'x'),
    /a section of 0\.1\.0 already/,
  );
});

test('a release changes the version of package.json and package-lock.json, and no other byte', () => {
  const { version: current } = JSON.parse(read('package.json')) as { version: string };
  for (const [name, change] of Object.entries({ 'package.json': withVersion, 'package-lock.json': lockWithVersion })) {
    const text = read(name);
    assert.equal(change(text, current), text, name);
    const changed = change(text, '98.76.54');
    assert.equal(changed.replaceAll('98.76.54', current), text, name);
    assert.equal(changed.split('"98.76.54"').length - 1, name === 'package.json' ? 1 : 2, name);
  }
});

test('a lock file without an entry for the package is refused', () => {
  assert.throws(() => lockWithVersion('{"lockfileVersion": 1}', '1.0.0'), /has no entry for this package/);
});
