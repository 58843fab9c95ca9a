/** Values that cannot be stored as they come: what is read all the same, what is refused, what is mended and what is kept. */
import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { shortId } from '../../src/run.ts';
import { cliHere as cli } from '../support/cli-here.ts';
import {
  assertInvalid,
  BATCH,
  create,
  foreignConnection,
  issuesOf,
  pathOf,
  rowOf,
  RUNS,
  serviceOfFile,
  shown,
} from '../support/http.ts';
import { aRun, localEnvironment, openToVerify, type Service, temporaryDirectory } from '../support/service.ts';
import { drained, spoolOf } from '../support/spool-service.ts';

const service = serviceOfFile();
const AT = '2025-12-10T12:05:30.000000+00:00';
type Fields = Record<string, unknown>;

/** What came, and what is stored; what came is what the predecessor took, and our migration repairs. */
const READ: readonly [given: Fields, stored: Fields][] = [
  [{ start_time: '2025-12-10T12:05:30+00:00Z' }, { start_time: AT }],
  [{ end_time: '' }, { end_time: null }],
  [{ created_at: '', start_time: AT }, { start_time: AT }],
  [{ start_time: 1765368330 }, { start_time: AT }],
  [{ start_time: '1765368330000' }, { start_time: AT }],
  [{ end_time: 1765368330000000 }, { end_time: AT }],
  [{ items_failed: true }, { items_failed: 1 }],
  [{ items_failed: '5.0' }, { items_failed: 5 }],
  [{ api_posted: 'True' }, { api_posted: 1 }],
  [
    { items_failed: '', api_retry_count: '' },
    { items_failed: 0, api_retry_count: 0 },
  ],
  [
    { product: '', git_repo: '', git_commit_source: '', status: '', metrics_json: '' },
    { product: null, git_repo: null, git_commit_source: null, status: 'running', metrics_json: null },
  ],
];
const LONG = 'ü'.repeat(400);

const storedOf = (t: TestContext, eventId: string, stored: Fields, at: Service = service()): Fields => {
  const row = rowOf(t, at, eventId);
  assert.ok(row, `${eventId} is stored`);
  return Object.fromEntries(Object.keys(stored).map((name) => [name, row[name]]));
};

/** What is kept beside a run; undefined where nothing is. */
function keptOf(
  t: TestContext,
  eventId: string,
  at: Service = service(),
): { reasons: unknown; original: unknown } | undefined {
  const sql = 'SELECT reasons, original FROM run_originals JOIN agent_runs USING (id) WHERE event_id = ?';
  const row = openToVerify(t, at.path).prepare(sql).get(eventId) as { reasons: string; original: string } | undefined;
  return row && { reasons: JSON.parse(row.reasons), original: JSON.parse(row.original) };
}

async function batch(items: unknown[], query = ''): Promise<{ errors: string[]; [name: string]: unknown }> {
  const { status, body } = await service().request('POST', `${BATCH}${query}`, items);
  assert.equal(status, 200, JSON.stringify(body));
  return body as { errors: string[] };
}

/** A file that `import` reads. */
function fileOf(t: TestContext, runs: readonly Fields[]): string {
  const file = join(temporaryDirectory(t), 'runs.ndjson');
  writeFileSync(file, runs.map((run) => `${JSON.stringify(run)}\n`).join(''));
  return file;
}

test('what was careless but clear is read alike in a run, a batch, a spool file and a file that is imported', async (t) => {
  const some = (): ReturnType<typeof aRun>[] => READ.map(([given]) => aRun(given));
  const [alone, batched, spooled, imported] = [some(), some(), some(), some()];
  for (const run of alone) assert.equal((await service().request('POST', RUNS, run)).status, 201, JSON.stringify(run));
  assert.deepEqual((await batch(batched)).errors, []);
  const lines = spooled.map((run) => `${JSON.stringify(run)}\n`).join('');
  writeFileSync(join(spoolOf(service().directory), 'telemetry_20260110_120000.jsonl.ready'), lines);
  await drained(service(), READ.length);
  const { code, stderr } = await cli(
    ['import', '--url', service().url, fileOf(t, imported)],
    localEnvironment(service().directory),
  );
  assert.equal(code, 0, stderr);
  for (const runs of [alone, batched, spooled, imported])
    for (const [index, [given, stored]] of READ.entries()) {
      const { event_id } = runs?.[index] ?? assert.fail();
      assert.deepEqual(storedOf(t, event_id, stored), stored, JSON.stringify(given));
      assert.equal(keptOf(t, event_id), undefined, 'nothing was lost');
    }
});

test('a patch reads them as well; an empty time or number is not given', async (t) => {
  const { event_id } = await create(service(), { end_time: AT, items_failed: 3, items_skipped: 2 });
  const patch = {
    end_time: '',
    items_failed: '',
    metrics_json: '',
    status: '',
    items_succeeded: true,
    items_skipped: ' 7.0',
  };
  const { body } = await service().request('PATCH', pathOf(event_id), patch);
  assert.deepEqual((body as Fields).fields_updated, ['items_succeeded', 'items_skipped']);
  const stored = { end_time: AT, items_failed: 3, items_succeeded: 1, items_skipped: 7, status: 'running' };
  assert.deepEqual(storedOf(t, event_id, stored), stored);
  const nothing = await service().request('PATCH', pathOf(event_id), { end_time: '' });
  assert.equal(nothing.status, 400);
});

test('an empty text in a patch clears the field, for what was said of it before as well', async (t) => {
  const run = await create(service(), { error_summary: 'it broke', git_commit_source: 'ci', output_summary: 'kept' });
  const patch = { error_summary: '', git_commit_source: '' };
  const { body } = await service().request('PATCH', pathOf(run.event_id), patch);
  assert.deepEqual((body as Fields).fields_updated, ['error_summary', 'git_commit_source']);
  const cleared = { error_summary: null, git_commit_source: null, output_summary: 'kept' };
  assert.deepEqual(storedOf(t, run.event_id, cleared), cleared);
  await batch([{ ...run, updated_at: '2026-01-10T12:00:01Z' }], '?on_duplicate=merge');
  assert.deepEqual(storedOf(t, run.event_id, cleared), cleared, 'an earlier record does not bring it back');
  await batch([{ ...run, updated_at: '2999-01-10T12:00:01Z' }], '?on_duplicate=merge');
  assert.equal((await shown(service(), run.event_id)).error_summary, 'it broke', 'a later one says it anew');
});

test('a source of a commit that is none is refused over HTTP in the words of the contract', async () => {
  const { event_id } = await create(service());
  const wrong = { git_commit_source: 'github' };
  const commit = { commit_hash: 'abcdef1', commit_source: 'github' };
  const answers = [
    await service().request('POST', RUNS, aRun(wrong)),
    await service().request('PATCH', pathOf(event_id), wrong),
    await service().request('POST', pathOf(event_id, '/associate-commit'), commit),
  ];
  for (const answer of answers) {
    assertInvalid(answer, [answer === answers[2] ? 'body.commit_source' : 'body.git_commit_source']);
    assert.equal(issuesOf(answer)[0]?.msg, "Input should be 'manual', 'llm' or 'ci'");
  }
  const { errors } = await batch([aRun({ ...wrong, event_id: 'no-source' })]);
  assert.deepEqual(errors, ["no-source: git_commit_source: Input should be 'manual', 'llm' or 'ci'"]);
});

test('ids and names over 512 bytes are refused over HTTP', async () => {
  for (const name of ['event_id', 'run_id', 'agent_name', 'job_type']) {
    const run = aRun({ [name]: LONG });
    const answer = await service().request('POST', RUNS, run);
    assertInvalid(answer, [`body.${name}`]);
    assert.equal(issuesOf(answer)[0]?.msg, 'Input should have at most 512 bytes of UTF-8');
    assert.equal((await batch([run], '?on_duplicate=merge')).errors.length, 1, 'unknown');
    assert.equal(
      (await service().request('POST', RUNS, aRun({ [name]: `${crypto.randomUUID()}${'ü'.repeat(238)}` }))).status,
      201,
    );
  }
});

test('the spool and import lose no run for a long id or an odd source, and what came is kept', async (t) => {
  const odd = (): Fields & { event_id: string } => {
    const id = crypto.randomUUID() + LONG;
    return {
      ...aRun(),
      event_id: id,
      run_id: `run ${id}`,
      agent_name: LONG,
      git_commit_source: 'github',
      parent_run_id: LONG,
    };
  };
  const [spooled, imported] = [odd(), odd()];
  appendFileSync(
    join(spoolOf(service().directory), 'telemetry_20260110_130000.jsonl.ready'),
    `${JSON.stringify(spooled)}\n`,
  );
  await service().logged(/is synced/, 2);
  const { code, stderr } = await cli(
    ['import', '--url', service().url, fileOf(t, [imported])],
    localEnvironment(service().directory),
  );
  assert.equal(code, 0, stderr);
  for (const run of [spooled, imported]) {
    const short = shortId(run.event_id);
    const stored = {
      run_id: shortId(String(run.run_id)),
      agent_name: shortId(LONG),
      git_commit_source: null,
      parent_run_id: shortId(LONG),
    };
    assert.deepEqual(storedOf(t, short, stored), stored);
    const { event_id, run_id, agent_name, git_commit_source, parent_run_id } = run;
    assert.deepEqual(keptOf(t, short)?.original, { event_id, run_id, agent_name, git_commit_source, parent_run_id });
    assert.equal((await shown(service(), run.event_id)).event_id, short, 'it is found by the long id');
    for (const rest of ['/commit-url', '/repo-url'])
      assert.equal((await service().request('GET', pathOf(run.event_id, rest))).status, 200, rest);
    const patched = await service().request('PATCH', pathOf(run.event_id), { items_failed: 4 });
    assert.deepEqual(patched.body, { event_id: short, updated: true, fields_updated: ['items_failed'] });
    const commit = { commit_hash: 'abcdef1', commit_source: 'ci' };
    assert.equal((await service().request('POST', pathOf(run.event_id, '/associate-commit'), commit)).status, 200);
    const { merged } = await batch(
      [{ ...aRun(), event_id, run_id, items_skipped: 9, updated_at: '2999-01-01' }],
      '?on_duplicate=merge',
    );
    assert.equal(merged, 1, 'and is merged into by it');
    const found = await service().request(
      'GET',
      `${RUNS}?${new URLSearchParams({ run_id: String(run_id), parent_run_id: LONG }).toString()}`,
    );
    assert.deepEqual(
      (found.body as Fields[]).map((one) => one.event_id),
      [short],
    );
  }
});

test('a batch that may be repaired takes what a spool file may hold; another word answers 422', async (t) => {
  const run = aRun({ event_id: crypto.randomUUID() + LONG, git_commit_source: { a: 1 } });
  assert.equal((await batch([run], '?on_invalid=refuse')).errors.length, 1);
  assert.deepEqual((await batch([run, aRun({ items_failed: -1 })], '?on_invalid=repair')).inserted, 1);
  assert.deepEqual(keptOf(t, shortId(run.event_id)), {
    reasons: ['event_id: over 512 bytes, shortened', 'git_commit_source: neither manual, llm nor ci'],
    original: { event_id: run.event_id, git_commit_source: 'an object' },
  });
  assertInvalid(await service().request('POST', `${BATCH}?on_invalid=odd`, []), ['query.on_invalid']);
});

test('a short text over its bound is cut at every door, and kept whole: of each field what came last', async (t) => {
  const long = (letter: string): string => letter.repeat(2_049);
  const cut = (letter: string): string => `${letter.repeat(2_045)}…`;
  const run = await create(service(), { website: long('w'), git_repo: `https://u:secret@example.org/${long('r')}` });
  const { original, reasons } = keptOf(t, run.event_id) as { original: Fields; reasons: string[] };
  assert.deepEqual(reasons, ['website: over 2048 bytes, cut', 'git_repo: over 2048 bytes, cut']);
  assert.deepEqual(original, { website: long('w'), git_repo: `https://example.org/${long('r')}` });
  await service().request('PATCH', pathOf(run.event_id), { git_commit_author: long('a') });
  await service().request('PATCH', pathOf(run.event_id), { git_commit_author: long('b') });
  const late = { ...run, git_repo: undefined, website: undefined, host: long('h'), updated_at: '2999-01-01' };
  assert.equal((await batch([late], '?on_duplicate=merge')).merged, 1);
  const stored = { website: cut('w'), git_commit_author: cut('b'), host: cut('h') };
  assert.deepEqual(storedOf(t, run.event_id, stored), stored);
  const kept = keptOf(t, run.event_id);
  assert.deepEqual(kept?.original, { ...original, git_commit_author: long('b'), host: long('h') });
  assert.equal((kept?.reasons as string[]).length, 4, 'each reason once');
  const found = await service().request('GET', `${RUNS}?website=${long('w')}`);
  assert.deepEqual(
    (found.body as Fields[]).map((one) => one.event_id),
    [run.event_id],
    'it is found by the whole',
  );
});

test('what is kept of a run by a migration stays, to the digit', async (t) => {
  const { event_id } = await create(service());
  const db = foreignConnection(t, service().path);
  db.prepare(
    'INSERT INTO run_originals SELECT id, \'["x: odd"]\', \'{"x":4611686018427387904,"y":null}\' FROM agent_runs WHERE event_id = ?',
  ).run(event_id);
  await service().request('PATCH', pathOf(event_id), { git_commit_author: 'a'.repeat(3_000) });
  const sql = 'SELECT original FROM run_originals JOIN agent_runs USING (id) WHERE event_id = ?';
  const original = openToVerify(t, service().path).prepare(sql).pluck().get(event_id) as string;
  assert.match(original, /^\{"x":4611686018427387904,"y":null,"git_commit_author":"a{3000}"\}$/);
});
