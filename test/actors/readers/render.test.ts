import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../../../src/actors/readers/queries.ts';
import { defineFunctions } from '../../../src/actors/readers/render.ts';
import { Statements } from '../../../src/actors/readers/statements.ts';
import { COLUMNS } from '../../../src/run.ts';
import { aRecord, insertRuns, memoryDatabase } from '../../support/database.ts';
import { freely, listed } from '../../support/lists.ts';

const db = memoryDatabase();
defineFunctions(db);
const statements = new Statements(db);

/** The JSON text of a run: of this record, with these columns as another program left them. */
function rendered(
  fields: Record<string, unknown>,
  columns: Record<string, string | number | Buffer | null> = {},
): string {
  const { event_id, ...record } = aRecord(fields);
  insertRuns(db, [{ event_id, ...record }]);
  for (const [name, value] of Object.entries(columns)) {
    db.prepare(`UPDATE agent_runs SET ${name} = ? WHERE event_id = ?`).run(value, event_id);
  }
  return Buffer.from(run(statements, event_id, freely) ?? '').toString();
}

const parsed = (...args: Parameters<typeof rendered>): Record<string, unknown> =>
  JSON.parse(rendered(...args)) as Record<string, unknown>;

test('a run carries every column in its order, then its links', () => {
  assert.deepEqual(Object.keys(parsed({})), ['id', ...COLUMNS, 'commit_url', 'repo_url']);
});

test('a list renders a run as a query for it alone does', () => {
  const text = rendered({ event_id: 'alone', metrics_json: { a: [1] }, product: 'only' });
  const { page } = listed(statements, { filter: { product: 'only' }, limit: 10, offset: 0 });
  assert.equal(Buffer.from(page.body).toString(), `[${text}]`);
});

test('api_posted is a boolean, whatever number a database holds', () => {
  assert.equal(parsed({}).api_posted, false);
  assert.equal(parsed({ api_posted: true }).api_posted, true);
  assert.equal(parsed({}, { api_posted: 7 }).api_posted, true);
});

test('links come from the remote and the commit, null where unknown', () => {
  const known = parsed({ git_repo: 'git@github.com:o/r.git', git_commit_hash: 'abc1234' });
  assert.deepEqual(
    [known.repo_url, known.commit_url],
    ['https://github.com/o/r', 'https://github.com/o/r/commit/abc1234'],
  );
  const unknown = parsed({});
  assert.deepEqual([unknown.repo_url, unknown.commit_url], [null, null]);
});

test('JSON fields are objects, their numbers kept to the digit, half an emoji made whole', () => {
  const text = rendered({
    metrics_json: '{"n":12345678901234567890,"f":1e400,"s":"ü\\u0000\\ud800"}',
    context_json: {},
  });
  assert.ok(
    text.includes('"metrics_json":{"n":12345678901234567890,"f":1e400,"s":"ü\\u0000\ufffd"},"context_json":{}'),
    text,
  );
  assert.deepEqual(parsed({}).metrics_json, null);
});

test('a count as large as any is written to the digit', () => {
  assert.ok(rendered({ items_failed: Number.MAX_SAFE_INTEGER }).includes('"items_failed":9007199254740991,'));
});

test('text that is not JSON comes back as text, with the reason beside it and nothing else changed', () => {
  const fields = { host: null, context_json: { kept: null, n: '9007199254740993' }, duration_ms: 5 };
  const run = parsed(fields, { metrics_json: "{'a': 1}" });
  assert.equal(run.metrics_json, "{'a': 1}");
  assert.equal(typeof run.metrics_json_parse_error, 'string');
  assert.deepEqual(run.context_json, { kept: null, n: '9007199254740993' });
  assert.equal('context_json_parse_error' in run, false);
  assert.deepEqual(Object.keys(run), ['id', ...COLUMNS, 'commit_url', 'repo_url', 'metrics_json_parse_error']);
  assert.deepEqual([run.host, run.duration_ms, run.api_posted], [null, 5, false]);
});

test('both JSON fields may be broken at once', () => {
  const run = parsed({}, { metrics_json: '', context_json: '{"a":' });
  assert.deepEqual([run.metrics_json, run.context_json], ['', '{"a":']);
  assert.ok('metrics_json_parse_error' in run && 'context_json_parse_error' in run);
});

test('beside a broken field the other keeps its big numbers', () => {
  const text = rendered({ context_json: '{"n":12345678901234567890}' }, { metrics_json: 'NaN' });
  assert.ok(text.includes('"context_json":{"n":12345678901234567890}'), text);
});

test('broken JSON does not break a list', () => {
  db.exec('DELETE FROM agent_runs');
  rendered({}, { metrics_json: 'not JSON' });
  rendered({});
  const { page } = listed(statements, { filter: {}, limit: 10, offset: 0 });
  const runs = JSON.parse(Buffer.from(page.body).toString()) as Record<string, unknown>[];
  assert.deepEqual(
    runs.map(({ metrics_json }) => metrics_json),
    ['not JSON', null],
  );
});

test('bytes that another program has bound come back as the text they are, and break no list', () => {
  const bytes = Buffer.from('grün {"a":1}');
  assert.equal(parsed({}, { output_summary: bytes }).output_summary, 'grün {"a":1}');
  assert.deepEqual(parsed({}, { metrics_json: Buffer.from('{"a":1}') }).metrics_json, { a: 1 });
  // These look like binary JSON, whose first byte tells the length.
  for (const word of ['crawler', 'harvest', 'Crawl', 'scrapers']) {
    assert.equal(parsed({}, { job_type: Buffer.from(word) }).job_type, word);
    assert.equal(parsed({}, { metrics_json: Buffer.from(word) }).metrics_json, word);
  }
  assert.equal(parsed({}, { items_failed: Buffer.from('5') }).items_failed, '5');
  db.exec('DELETE FROM agent_runs');
  rendered({}, { product: bytes, context_json: bytes });
  rendered({});
  const { page } = listed(statements, { filter: {}, limit: 10, offset: 0 });
  const runs = JSON.parse(Buffer.from(page.body).toString()) as Record<string, unknown>[];
  assert.deepEqual(
    runs.map(({ product }) => product),
    ['grün {"a":1}', null],
  );
  assert.equal(runs[0]?.context_json_parse_error, 'not valid JSON');
});

test('any text comes back as it was', () => {
  for (const text of ['"', '\\', '\n\t\u0001\u007f\u2028', '😀ü', '</script>', '{"a":1}']) {
    assert.equal(parsed({ error_summary: text }).error_summary, text);
  }
});
