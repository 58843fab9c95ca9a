import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { commitUrl, FIELD_INDEX, repoUrl, storedValue } from '../../src/run.ts';

const REPOSITORIES: readonly [remote: string | null, url: string | undefined][] = [
  [null, undefined],
  ['', undefined],
  ['https://github.com/o/r', 'https://github.com/o/r'],
  ['https://github.com/o/r.git', 'https://github.com/o/r'],
  ['https://github.com/o/r.git/', 'https://github.com/o/r'],
  ['https://github.com/o/r///', 'https://github.com/o/r'],
  ['  https://github.com/o/r  ', 'https://github.com/o/r'],
  ['https://GitHub.COM/O/R', 'https://github.com/O/R'],
  ['http://github.com/o/r', 'https://github.com/o/r'],
  ['http://internal.example/o/r', undefined],
  ['https://git.example.org:8443/o/r.git', 'https://git.example.org:8443/o/r'],
  ['https://gitlab.com/group/sub/r.git', 'https://gitlab.com/group/sub/r'],
  ['git@github.com:o/r.git', 'https://github.com/o/r'],
  ['git@github.com:/o/r.git', 'https://github.com/o/r'],
  ['github.com:o/r', 'https://github.com/o/r'],
  ['deploy@gitlab.example.org:group/r.git', 'https://gitlab.example.org/group/r'],
  ['ssh://git@github.com/o/r.git', 'https://github.com/o/r'],
  ['ssh://git@github.com:22/o/r.git', 'https://github.com/o/r'],
  ['ssh://git@GitHub.com:2222/o/r/', 'https://github.com/o/r'],
  ['git+ssh://git@github.com/o/r.git', 'https://github.com/o/r'],
  ['git+https://github.com/o/r.git', 'https://github.com/o/r'],
  ['git://github.com/o/r.git', 'https://github.com/o/r'],
  ['https://user:secret@github.com/o/r.git', 'https://github.com/o/r'],
  ['https://token@github.com/o/r.git', 'https://github.com/o/r'],
  ['https://github.com@evil.io/o/r', 'https://evil.io/o/r'],
  ['https://github.com/o/r?token=secret#secret', 'https://github.com/o/r'],
  ['https://github.com/o/../../x/r', 'https://github.com/x/r'],
  ['https://github.com', undefined],
  ['https://github.com/', undefined],
  ['https://github.com/.git', undefined],
  ['file:///srv/git/r.git', undefined],
  ['/srv/git/r.git', undefined],
  ['../r.git', undefined],
  ['C:\\code\\r', undefined],
  ['C:/code/r', undefined],
  ['javascript://github.com/%0aalert(1)', undefined],
  ['javascript:alert(1)', undefined],
  ['ftp://github.com/o/r', undefined],
  ['https://', undefined],
  ['not a remote', undefined],
];

for (const [remote, url] of REPOSITORIES) {
  test(`the repository of ${JSON.stringify(remote)} is ${url ?? 'unknown'}`, () => assert.equal(repoUrl(remote), url));
}

const HASH = 'abc1234';
const COMMITS: readonly [remote: string | null, hash: string | null, url: string | undefined][] = [
  ['git@github.com:o/r.git', HASH, 'https://github.com/o/r/commit/abc1234'],
  ['https://gitlab.com/g/s/r.git', HASH, 'https://gitlab.com/g/s/r/-/commit/abc1234'],
  ['ssh://git@bitbucket.org/o/r.git', HASH, 'https://bitbucket.org/o/r/commits/abc1234'],
  ['https://GITHUB.com/o/r', HASH, 'https://github.com/o/r/commit/abc1234'],
  ['https://github.com/o/r', null, undefined],
  [null, HASH, undefined],
  ['https://github.com/o/r', '', undefined],
  ['https://github.com/o/r', '../../settings', undefined],
  ['https://github.com/o/r', 'abc..def', undefined],
  ['https://github.com/o/r', 'abc1234?x=1', undefined],
  ['https://github.com/o/r', 'abc1234\n', undefined],
  ['https://github.com/o/r', '<script>', undefined],
  ['https://github.com.evil.io/o/r', HASH, undefined],
  ['git@github.com.evil.io:o/r.git', HASH, undefined],
  ['https://notgithub.com/o/r', HASH, undefined],
  ['https://evil.io/github.com/o/r', HASH, undefined],
  ['https://github.com@evil.io/o/r', HASH, undefined],
  ['https://gist.github.com/o/r', HASH, undefined],
  ['https://github.com:8443/o/r', HASH, undefined],
  ['https://gitlab.example.org/o/r', HASH, undefined],
];

for (const [remote, hash, url] of COMMITS) {
  test(`the commit ${JSON.stringify(hash)} of ${JSON.stringify(remote)} is at ${url ?? 'no known address'}`, () =>
    assert.equal(commitUrl(remote, hash), url));
}

const STORED: readonly [given: string, stored: string][] = [
  ['https://user:secret@github.com/o/r', 'https://github.com/o/r'],
  ['https://secret@github.com/o/r', 'https://github.com/o/r'],
  ['HTTPS://user:sec@ret@github.com/o/r', 'HTTPS://github.com/o/r'],
  ['git+https://user:secret@github.com/o/r', 'git+https://github.com/o/r'],
  ['https://github.com/o/r@secret', 'https://github.com/o/r@secret'],
  ['git@github.com:o/r.git', 'git@github.com:o/r.git'],
  ['ssh://git@github.com/o/r.git', 'ssh://git@github.com/o/r.git'],
];

for (const [given, stored] of STORED) {
  test(`the remote "${given}" is stored as "${stored}"`, () =>
    assert.equal(storedValue(FIELD_INDEX.git_repo, given), stored));
}

test('no remote is stored with its password, whatever its scheme', () => {
  for (const scheme of ['https', 'http', 'git+https', 'ssh', 'git+ssh', 'git']) {
    const stored = storedValue(FIELD_INDEX.git_repo, `${scheme}://user:s3cret@github.com/o/r`);
    assert.ok(!String(stored).includes('s3cret'), `${scheme}: ${stored}`);
  }
});

test('a password in an address that is not quite right is neither stored nor linked to', () => {
  const remotes = [
    'https:/user:s3cret@github.com/o/r',
    'https:///user:s3cret@github.com/o/r',
    'https://user:s3cret word@github.com/o/r',
    'https://user:s3cret\t@github.com/o/r',
  ];
  for (const remote of remotes) {
    const stored = storedValue(FIELD_INDEX.git_repo, remote);
    assert.ok(!String(stored).includes('s3cret'), `${remote} is stored as ${stored}`);
    assert.ok(!String(repoUrl(remote)).includes('s3cret'), `${remote} links to ${repoUrl(remote)}`);
  }
});

test('whatever the remote, a link is https, without credentials, and a commit lies on one of three hosts', () => {
  const part = fc.constantFrom(
    'github.com',
    'evil.io',
    ':',
    '/',
    '//',
    '@',
    '..',
    'o',
    'r.git',
    '?',
    '#',
    '%2e',
    '\\',
    'user',
    'ssh://',
    'https://',
    ' ',
    '\t',
    '<',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const remote = parts.join('');
      const link = repoUrl(remote);
      const commit = commitUrl(remote, HASH);
      if (link === undefined) return assert.equal(commit, undefined);
      const url = new URL(link);
      assert.deepEqual([url.protocol, url.username, url.password], ['https:', '', '']);
      if (commit !== undefined) assert.equal(new URL(commit).host, 'github.com');
    }),
    { numRuns: 1000 },
  );
});
