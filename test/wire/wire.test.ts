/** What Python's HTTP libraries sent, recorded by `record.py`, played to the service byte by byte. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { Connection } from '../hostile/connection.ts';
import { faultOf } from '../hostile/answers.ts';
import { ROOT } from '../support/documents.ts';
import { serviceOfFile } from '../support/http.ts';

type Body = Record<string, unknown>;
/** A status, and what must hold of the body. */
type Expected = [status: number, holds: (body: Body, library: string) => void];

const HASH = '9f1c2d3e4a5b';
const equals =
  (wanted: (library: string) => unknown): Expected[1] =>
  (body, library) =>
    assert.deepEqual(body, wanted(library));
const names = (library: string, number: number): object => ({
  event_id: `${library}-${number}`,
  run_id: `20260110T120000Z-translator-${library}-${number}`,
});
const ASSOCIATED: Expected = [
  200,
  equals((library) => ({ status: 'success', ...names(library, 1), commit_hash: HASH })),
];
const updated = (...fields: string[]): Expected => [
  200,
  (body) => assert.deepEqual([body.updated, (body.fields_updated as string[]).toSorted()], [true, fields.toSorted()]),
];
/** The shape that clients parse. */
const refused = (place: string): Expected[1] => {
  return (body) => {
    const [issue, ...others] = body.detail as Body[];
    assert.deepEqual(others, []);
    assert.deepEqual(Object.keys(issue ?? {}), ['type', 'loc', 'msg', 'input']);
    assert.equal((issue?.loc as string[]).join('.'), place);
  };
};
const runs = (count: number): Expected => [
  200,
  (body) => {
    assert.ok(Array.isArray(body));
    assert.equal(body.length, count);
  },
];

const EXPECTED: Readonly<Record<string, Expected>> = {
  health: [
    200,
    ({ status, journal_mode, synchronous }) =>
      assert.deepEqual([status, journal_mode, synchronous], ['ok', 'DELETE', 'FULL']),
  ],
  start: [201, equals((library) => ({ status: 'created', ...names(library, 1) }))],
  'start-again': [
    200,
    equals((library) => ({
      status: 'duplicate',
      event_id: `${library}-1`,
      message: 'Event already exists (idempotent)',
    })),
  ],
  end: updated('status', 'end_time', 'items_succeeded', 'metrics_json'),
  batch: [200, equals(() => ({ inserted: 2, duplicates: 0, errors: [], total: 2 }))],
  sync: [
    200,
    (body, library) => {
      const { errors, ...counts } = body;
      assert.deepEqual(counts, { inserted: 2, duplicates: 1, total: 4 });
      assert.match((errors as string[]).join('\n'), new RegExp(`^${library}-6: items_failed: [^\n]+$`));
    },
  ],
  'commit-manual': ASSOCIATED,
  'commit-llm': ASSOCIATED,
  'commit-ci': ASSOCIATED,
  'commit-unknown': [422, refused('body.commit_source')],
  'start-unknown-source': [422, refused('body.git_commit_source')],
  stale: updated('status', 'end_time', 'error_summary'),
  list: runs(2),
  'list-by-hand': runs(5),
  'list-bad-status': [400, ({ detail }) => assert.equal(typeof detail, 'string')],
  run: [
    200,
    (body, library) => {
      const { event_id, status, items_succeeded, end_time, metrics_json, git_commit_source, repo_url, api_posted } =
        body;
      assert.deepEqual(
        { event_id, status, items_succeeded, end_time, metrics_json, git_commit_source, repo_url, api_posted },
        {
          event_id: `${library}-1`,
          status: 'success',
          items_succeeded: 10,
          end_time: '2026-01-10T12:03:20.500000+00:00',
          metrics_json: { tokens: 1200, loss: 0.25 },
          git_commit_source: 'ci',
          repo_url: 'https://github.com/acme/site',
          api_posted: false,
        },
      );
    },
  ],
  'no-run': [404, equals((library) => ({ detail: `Run not found: ${library}-none` }))],
  'commit-url': [200, equals(() => ({ commit_url: `https://github.com/acme/site/commit/${HASH}` }))],
  'end-after-stale': updated('status', 'end_time', 'items_succeeded'),
  'run-after-stale': [
    200,
    ({ status, error_summary, items_succeeded }) =>
      assert.deepEqual([status, error_summary, items_succeeded], ['success', null, 3]),
  ],
  metadata: [200, ({ agent_names }) => assert.deepEqual(agent_names, ['translator'])],
  metrics: [200, ({ total_runs }) => assert.equal(total_runs, 5)],
};

for (const library of ['urllib', 'requests']) {
  const service = serviceOfFile();
  test(`what Python's ${library} sends is answered by the contract`, async () => {
    const files = globSync(join(ROOT, 'test/wire', library, '*.http')).sort();
    assert.deepEqual(
      files.map((file) => basename(file).slice(3, -5)).toSorted(),
      Object.keys(EXPECTED).toSorted(),
      'each request is recorded once',
    );
    let connection: Connection | undefined;
    for (const file of files) {
      const sent = readFileSync(file);
      const head = sent.subarray(0, sent.indexOf('\r\n\r\n') + 4);
      const method = head.toString().split(' ', 1)[0] as string;
      if (!connection || connection.closed) connection = await Connection.open(Number(new URL(service().url).port));
      // Head and body go apart, as both libraries send them.
      const steps = [head, sent.subarray(head.length)];
      const [answer] = await connection.exchange({ steps, methods: [method], patience: 10_000 });
      const [status, holds] = EXPECTED[basename(file).slice(3, -5)] as Expected;
      const text = answer?.body.toString() ?? '';
      assert.equal(answer?.status, status, `${file}: ${text}`);
      assert.equal(faultOf(answer), undefined, file);
      holds(JSON.parse(text) as Body, library);
    }
    connection?.destroy();
  });
}
