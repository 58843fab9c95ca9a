import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { assertError, create, foreignConnection, pathOf, serviceOfFile, shown } from '../support/http.ts';
import { aRun, startService, type Service, temporaryDirectory } from '../support/service.ts';
import { closedDatabase } from '../offline/closed.ts';

const service = serviceOfFile({ TELEMETRY_READERS: '2' });

/** A service on a database in which another program has set these columns of a run. */
async function withForeignValues(
  t: TestContext,
  columns: Record<string, unknown>,
): Promise<{ own: Service; event_id: string }> {
  const directory = temporaryDirectory(t);
  const path = closedDatabase(directory, 1);
  const sets = Object.keys(columns).map((name) => `${name} = ?`);
  const event_id = foreignConnection(t, path)
    .prepare(`UPDATE agent_runs SET ${sets.join(', ')} RETURNING event_id`)
    .pluck()
    .get(...Object.values(columns)) as string;
  return { own: await startService(t, {}, directory), event_id };
}

test('an unknown run answers 404 and names it', async () => {
  for (const id of ['nobody', 'a/b', '%', '__proto__', 'constructor', 'a\0b', '\u{1f642}', ' ']) {
    assertError(await service().request('GET', pathOf(id)), 404, `Run not found: ${id}`);
  }
});

test('a path that is not decodable is an unknown run', async () => {
  for (const id of ['%ZZ', '%FF', '%C0%80', '%ED%A0%80']) {
    assertError(await service().request('GET', `/api/v1/runs/${id}`), 404, `Run not found: ${id}`);
  }
});

test('HEAD answers as GET does, without a body', async () => {
  const { event_id } = await create(service());
  const answer = await service().request('HEAD', pathOf(event_id));
  assert.deepEqual([answer.status, answer.body], [200, undefined]);
  assert.equal((await service().request('HEAD', pathOf('nobody'))).status, 404);
});

test('a run says where its repository and commit are', async () => {
  const { event_id } = await create(service(), { git_repo: 'git@gitlab.com:o/r.git', git_commit_hash: 'abcdef1' });
  const { repo_url, commit_url } = await shown(service(), event_id);
  assert.deepEqual([repo_url, commit_url], ['https://gitlab.com/o/r', 'https://gitlab.com/o/r/-/commit/abcdef1']);
});

test('stored text that is not JSON comes back as the string, beside the reason', async (t) => {
  const context = '{"a":null,"big":12345678901234567890}';
  const { own, event_id } = await withForeignValues(t, { metrics_json: '{broken', context_json: context });
  const run = await shown(own, event_id);
  assert.equal(run.metrics_json, '{broken');
  assert.match(String(run.metrics_json_parse_error), /JSON/);
  assert.equal('context_json_parse_error' in run, false);
  assert.deepEqual(Object.keys(run.context_json as object), ['a', 'big']);
  assert.equal(run.end_time, null, 'other nulls stay');
  const text = await (await fetch(own.url + pathOf(event_id))).text();
  assert.ok(text.includes(`"context_json":${context}`), text);
  const { body } = await own.request('GET', '/api/v1/runs');
  assert.deepEqual(body, [run]);
});

test('both JSON fields may be broken', async (t) => {
  const { own, event_id } = await withForeignValues(t, { metrics_json: '', context_json: "{'a': 1}" });
  const { metrics_json, metrics_json_parse_error, context_json, context_json_parse_error } = await shown(own, event_id);
  assert.deepEqual([metrics_json, context_json], ['', "{'a': 1}"]);
  assert.ok(metrics_json_parse_error && context_json_parse_error);
});

test('credentials that an earlier program stored do not leave the service', async (t) => {
  const { own, event_id } = await withForeignValues(t, { git_repo: 'https://user:hunter2@github.com/o/r.git' });
  const single = await (await fetch(own.url + pathOf(event_id))).text();
  const list = await (await fetch(`${own.url}/api/v1/runs`)).text();
  assert.equal((single + list).includes('hunter2'), false);
});

test('a run that is created is seen at once by every reader', async () => {
  for (let round = 0; round < 10; round++) {
    const run = aRun();
    await service().request('POST', '/api/v1/runs', run);
    const answers = await Promise.all([1, 2, 3, 4].map(() => service().request('GET', pathOf(run.event_id))));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200],
    );
  }
});
