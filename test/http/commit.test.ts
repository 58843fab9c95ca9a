import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertError, assertInvalid, create, issuesOf, pathOf, rowOf, serviceOfFile, shown } from '../support/http.ts';
import type { Answer } from '../support/service.ts';

const service = serviceOfFile();
const HASH = 'abcdef1234567890abcdef1234567890abcdef12';

const associate = (eventId: string, body: unknown): Promise<Answer> =>
  service().request('POST', pathOf(eventId, '/associate-commit'), body);

test('a commit is associated with a run', async () => {
  const run = await create(service(), { updated_at: '2020-01-01T00:00:00Z', git_repo: 'https://github.com/o/r' });
  const commit = { commit_hash: HASH, commit_source: 'llm', commit_author: 'Ä <a@b.c>', commit_timestamp: 'as sent' };
  const answer = await associate(run.event_id, commit);
  assert.equal(answer.status, 200);
  const { event_id, run_id } = run;
  assert.deepEqual(answer.body, { status: 'success', event_id, run_id, commit_hash: HASH });
  const after = await shown(service(), event_id);
  assert.deepEqual(
    [after.git_commit_hash, after.git_commit_source, after.git_commit_author, after.git_commit_timestamp],
    Object.values(commit),
  );
  assert.equal(after.commit_url, `https://github.com/o/r/commit/${HASH}`);
  assert.ok(String(after.updated_at) > '2026');
});

test('author and timestamp may be left out, and keep what was there', async () => {
  const { event_id } = await create(service(), { git_commit_author: 'kept', git_commit_timestamp: 'kept' });
  for (const rest of [{}, { commit_author: null, commit_timestamp: null }]) {
    const answer = await associate(event_id, { commit_hash: HASH, commit_source: 'ci', ...rest });
    assert.equal(answer.status, 200);
  }
  const { git_commit_author, git_commit_timestamp } = await shown(service(), event_id);
  assert.deepEqual([git_commit_author, git_commit_timestamp], ['kept', 'kept']);
});

test('a second commit takes the place of the first', async () => {
  const { event_id } = await create(service());
  for (const commit_hash of [HASH, 'v1.2.3-rc_1']) {
    assert.equal((await associate(event_id, { commit_hash, commit_source: 'manual' })).status, 200);
    assert.equal((await shown(service(), event_id)).git_commit_hash, commit_hash);
  }
});

test('a hash is 7 to 64 characters of its alphabet, without two dots', async () => {
  const { event_id } = await create(service());
  for (const commit_hash of ['abcdef1', 'A'.repeat(64), 'v1.0.0_a-b']) {
    assert.equal((await associate(event_id, { commit_hash, commit_source: 'manual' })).status, 200, commit_hash);
  }
  const stored = 'v1.0.0_a-b';
  for (const commit_hash of [
    '',
    'abcdef',
    'A'.repeat(65),
    'abc/def1',
    'abcdef1\n',
    'abcd..ef',
    'äbcdefgh',
    1234567,
    null,
  ]) {
    const answer = await associate(event_id, { commit_hash, commit_source: 'manual' });
    assertInvalid(answer, ['body.commit_hash'], String(commit_hash));
  }
  assert.equal((await shown(service(), event_id)).git_commit_hash, stored);
});

test('a source is manual, llm or ci', async () => {
  const { event_id } = await create(service());
  for (const commit_source of ['manual', 'llm', 'ci']) {
    assert.equal((await associate(event_id, { commit_hash: HASH, commit_source })).status, 200);
  }
  for (const commit_source of ['LLM', '', 'agent', 5, null, ['ci']]) {
    assertInvalid(await associate(event_id, { commit_hash: HASH, commit_source }), ['body.commit_source']);
  }
});

test('what is missing or wrong is named all at once', async (t) => {
  const { event_id } = await create(service());
  const before = rowOf(t, service(), event_id);
  assertInvalid(await associate(event_id, {}), ['body.commit_hash', 'body.commit_source']);
  const answer = await associate(event_id, { commit_hash: HASH, commit_source: 'x', commit_author: 5 });
  assertInvalid(answer, ['body.commit_source', 'body.commit_author']);
  assert.deepEqual(issuesOf(answer)[0], {
    type: 'enum',
    loc: ['body', 'commit_source'],
    msg: "Input should be 'manual', 'llm' or 'ci'",
    input: 'x',
  });
  for (const body of ['[]', 'null', '{', '']) assertInvalid(await associate(event_id, body), ['body'], body);
  assert.deepEqual(rowOf(t, service(), event_id), before);
});

test('an unknown run answers 404, after a wrong body its 422', async () => {
  const unknown = await associate('nobody', { commit_hash: HASH, commit_source: 'ci' });
  assertError(unknown, 404, 'Run not found: nobody');
  assertInvalid(await associate('nobody', { commit_hash: HASH }), ['body.commit_source']);
});

test('the two addresses of an unknown run answer 404', async () => {
  for (const what of ['/commit-url', '/repo-url']) {
    assertError(await service().request('GET', pathOf('nobody', what)), 404, 'Run not found: nobody');
  }
});

test('a NUL or lone surrogate in the author is replaced', async () => {
  const { event_id } = await create(service());
  await associate(event_id, { commit_hash: HASH, commit_source: 'ci', commit_author: 'a\0\ud800' });
  assert.equal((await shown(service(), event_id)).git_commit_author, 'a\ufffd\ufffd');
});
