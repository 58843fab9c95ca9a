/** Remotes that nobody writes by mistake: secrets in every place, hosts that https does not know, text without end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { commitUrl, commitUrlAt, repoUrl, withoutCredentials } from '../../src/run.ts';
import { addressBook } from '../../src/run/urls.ts';
import { ELSEWHERE_SPELT, growsLinearly } from '../support/hostile-text.ts';

const SECRET = 's3cret';
const HASH = 'abc1234';

for (const remote of [
  'git@build.7:team/site.git',
  'ssh://1.2.3.4.5/x',
  'ssh://git@0x7f.1.2.3.4/x',
  'git+ssh://git@a.09/x',
  'git://%00/x',
]) {
  test(`a host that https does not know has no address: ${remote}`, () => {
    assert.equal(repoUrl(remote), undefined);
    assert.equal(commitUrl(remote, HASH), undefined);
    assert.deepEqual(addressBook()(remote), { repo: '', commits: '' });
  });
}

test('a remote that is too long, or was cut, has no address', () => {
  const long = `https://github.com/o/${'r'.repeat(2_048)}`;
  assert.equal(repoUrl(long), undefined);
  assert.equal(repoUrl(`${long.slice(0, 2_000)}…`), undefined);
  assert.notEqual(repoUrl(long.slice(0, 2_048)), undefined);
});

const SPELT: readonly [given: string, stored: string][] = [
  ['https:\\\\u:p@h/o/r', 'https:\\\\h/o/r'],
  ['https:u:p@h/o/r', 'https:h/o/r'],
  ['https:/\\u:p@h/o/r', 'https:/\\h/o/r'],
  ['u:p@h:o/r', 'h:o/r'],
  ['u:p/w@h.example:o/r', 'h.example:o/r'],
  ['me@corp.example:p@h.example:o/r', 'h.example:o/r'],
  ['//u:p@h/o/r', '//h/o/r'],
  ['\u0001https://u:p@h/o/r', '\u0001https://h/o/r'],
  ['ht\ntps://u:p@h/o/r', 'https://h/o/r'],
  ['ssh:u:p@h/o/r', 'ssh:u@h/o/r'],
  ['hg::https://u:p@h/o/r', 'hg::https://h/o/r'],
  ['https://proxy/https://u:p@h/o/r', 'https://proxy/https://h/o/r'],
  ['https://u:12?p@h/o/r', 'https://h/o/r'],
  ['https://u:p@https://u:p@h/o/r', 'https://https://h/o/r'],
  ['git@github.com:o/r@1', 'git@github.com:o/r@1'],
  ['git@github.com:@scope/r', 'git@github.com:@scope/r'],
  ['host.example:o/r@1', 'host.example:o/r@1'],
  ['https://host.example:8443/o/r@1', 'https://host.example:8443/o/r@1'],
  ['https://[::1]:8443/o/r@1', 'https://[::1]:8443/o/r@1'],
  ['C:\\code\\r@1', 'C:\\code\\r@1'],
  ['C:/code/r@1', 'C:/code/r@1'],
  ['/srv/git/a:b@c', '/srv/git/a:b@c'],
  ['../a:b@c', '../a:b@c'],
];

for (const [given, stored] of SPELT) {
  test(`${JSON.stringify(given)} is stored as ${JSON.stringify(stored)}`, () =>
    assert.equal(withoutCredentials(given), stored));
}

const scheme = fc.constantFrom('https', 'http', 'HTTPS', 'git+https', 'ssh', 'git+ssh', 'git', 'ftp', 'svn', 'ht\ttps');
const slashes = fc.constantFrom('', '/', '//', '///', '\\', '\\\\', '/\\', '\\/');
const noise = fc.constantFrom('', ' ', '\t', '\n', '\u0001', '\u00a0');
const part = fc.constantFrom('', 'a', '@', ':', '%40', '[', ' ', '\t', '..', '\\');
const host = fc.constantFrom('github.com', 'h', 'git.example.org:8443', '[::1]', '1.2.3.4.5', 'build.7');
const password = fc.tuple(part, part).map(([a, b]) => a + SECRET + b);
const user = fc.constantFrom('u', '', 'first.last', 'me@corp.example', 'x%40y');

const withAScheme = fc
  .tuple(noise, scheme, slashes, user, password, host, fc.constantFrom('/o/r.git', '/o/r', '/', '/o/r?x=1#y', ''))
  .map(([blank, name, slash, who, secret, at, path]) => `${blank}${name}:${slash}${who}:${secret}@${at}${path}`);
// A single letter before a backslash is a drive.
const withoutOne = fc
  .tuple(noise, fc.constantFrom('', '//'), fc.constantFrom('up', 'first.last', 'me@corp.example'), password)
  .map(([blank, slash, who, secret]) => `${blank}${slash}${who}:${secret}@git.example.org:o/r.git`);
const asToken = fc
  .tuple(fc.constantFrom('https://', 'https:', 'https:\\\\', 'git+https://'), password, host)
  .map(([start, secret, at]) => `${start}${secret.replaceAll(/[\\]/g, '')}@${at}/o/r`);
const asQuery = fc.constantFrom('https://h/o/r?token=', 'https://h/o/r#').map((start) => start + SECRET);
const embedded = fc.constantFrom('hg::', 'https://proxy/', 'url=').map((start) => `${start}https://u:${SECRET}@h/o/r`);

test('no secret is stored or linked to, whatever its place in a remote, and the link is that of the whole', () => {
  fc.assert(
    fc.property(fc.oneof(withAScheme, withoutOne, asToken, asQuery, embedded), (remote) => {
      const stored = withoutCredentials(remote);
      assert.ok(!stored.includes(SECRET), `${JSON.stringify(remote)} is stored as ${JSON.stringify(stored)}`);
      assert.equal(withoutCredentials(stored), stored, JSON.stringify(remote));
      assert.equal(repoUrl(stored), repoUrl(remote), JSON.stringify(remote));
      assert.ok(!(repoUrl(remote) ?? '').includes(SECRET));
    }),
    { numRuns: 3_000 },
  );
});

test('what a parser of addresses reads as user and password is never stored', () => {
  const text = fc.array(fc.constantFrom(...ELSEWHERE_SPELT), { maxLength: 12 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, (remote) => {
      const stored = withoutCredentials(remote);
      if (!URL.canParse(stored)) return;
      const { password: secret, username, protocol } = new URL(stored);
      assert.equal(secret, '', `${JSON.stringify(remote)} is stored as ${JSON.stringify(stored)}`);
      if (!protocol.endsWith('ssh:')) assert.equal(username, '', JSON.stringify(remote));
    }),
    { numRuns: 3_000 },
  );
});

test('any text is read, and the same text again gives the same', () => {
  const book = addressBook();
  const shape = fc.array(fc.constantFrom(...ELSEWHERE_SPELT, '\ud83d', '\0', 'é', '％'), { maxLength: 20 });
  fc.assert(
    fc.property(shape, fc.string({ unit: 'binary' }), (parts, more) => {
      const remote = parts.join('') + more;
      const { repo, commits } = book(remote);
      assert.deepEqual(
        [repo, commits],
        [repoUrl(remote) ?? '', commitUrlAt(commits || undefined, HASH) ? commits : ''],
      );
      if (repo !== '') assert.equal(new URL(repo).protocol, 'https:');
    }),
    { numRuns: 2_000 },
  );
});

test('the time for a remote grows with its length, not faster', () => {
  const shapes = [
    '/',
    '@',
    ':',
    ':/',
    '@:',
    '://',
    ':1',
    '.',
    'a.',
    ' ',
    '\\',
    '?',
    '[',
    ':a/@',
    'a:b@a:/',
    '%2e/',
    'é',
  ];
  for (const start of ['', 'https://github.com/a', 'git@github.com:', 'u:p@h:', 'https:u:', '//a:']) {
    for (const shape of shapes) {
      growsLinearly(`${start}${shape}…x`, (length) => {
        const text = `${start}${shape.repeat(length / shape.length)}x`;
        return () => void [withoutCredentials(text), repoUrl(text), commitUrl(text, text), addressBook()(text)];
      });
    }
  }
});
