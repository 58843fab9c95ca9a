import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  assertError,
  assertWriterWorks,
  BATCH,
  create,
  pathOf,
  rawConnection,
  RUNS,
  serviceOfFile,
  storedRuns,
} from '../support/http.ts';
import { aRun } from '../support/service.ts';

const service = serviceOfFile({
  TELEMETRY_MAX_BODY_BYTES: '2048',
  TELEMETRY_MAX_BATCH_BYTES: '4096',
  TELEMETRY_MAX_BATCH_RUNS: '3',
});

const tooLarge = (limit: number): string => `The body is larger than the ${limit} bytes taken here. Send it in parts.`;

/** The run as JSON of exactly this many bytes. */
const sized = (value: unknown, bytes: number): string => JSON.stringify(value).padEnd(bytes, ' ');

test('a body as large as the bound is taken, one byte more answers 413', async (t) => {
  const run = aRun({ error_details: 'ä'.repeat(300) });
  const short = Buffer.byteLength(JSON.stringify(run)) - JSON.stringify(run).length;
  const before = storedRuns(t, service());
  assertError(await service().request('POST', RUNS, sized(run, 2049 - short)), 413, tooLarge(2048));
  assert.equal(storedRuns(t, service()), before);
  assert.equal((await service().request('POST', RUNS, sized(run, 2048 - short))).status, 201);
});

test('PATCH and associate-commit have the same bound', async () => {
  const { event_id } = await create(service());
  const patch = { error_summary: 'x' };
  assert.equal((await service().request('PATCH', pathOf(event_id), sized(patch, 2048))).status, 200);
  assertError(await service().request('PATCH', pathOf(event_id), sized(patch, 2049)), 413, tooLarge(2048));
  const commit = { commit_hash: 'abcdef1', commit_source: 'ci' };
  const path = pathOf(event_id, '/associate-commit');
  assert.equal((await service().request('POST', path, sized(commit, 2048))).status, 200);
  assertError(await service().request('POST', path, sized(commit, 2049)), 413, tooLarge(2048));
});

test('a batch has a bound of its own', async () => {
  assert.equal((await service().request('POST', BATCH, sized([aRun()], 4096))).status, 200);
  assertError(await service().request('POST', BATCH, sized([aRun()], 4097)), 413, tooLarge(4096));
});

test('a batch of more runs than the bound answers 413 and stores none of them', async (t) => {
  const runs = [aRun(), aRun(), aRun()];
  const before = storedRuns(t, service());
  const detail = 'The batch has 4 runs; at most 3 are taken. Send it in parts.';
  assertError(await service().request('POST', BATCH, [...runs, aRun()]), 413, detail);
  assertError(await service().request('POST', BATCH, { runs: [...runs, {}] }), 413, detail);
  assert.equal(storedRuns(t, service()), before);
  assert.equal((await service().request('POST', BATCH, runs)).status, 200);
});

test('the bound holds for a body that does not say its length', async (t) => {
  const connection = await rawConnection(t, service());
  const head = `POST ${RUNS} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`;
  connection.socket.write(head + `100\r\n${' '.repeat(256)}\r\n`.repeat(9));
  const answer = await connection.receive('Send it in parts."}');
  assert.match(answer, /^HTTP\/1\.1 413 /);
  assert.ok(answer.endsWith(JSON.stringify({ detail: tooLarge(2048) })), answer);
});

for (const [how, head, body] of [
  ['says its length', 'Content-Length: 300000', ' '.repeat(300_000)],
  ['comes in chunks', 'Transfer-Encoding: chunked', `${`1000\r\n${' '.repeat(4096)}\r\n`.repeat(75)}0\r\n\r\n`],
] as const) {
  // Left open without being read on, the connection would swallow the client's next request.
  const told = `after a body too large that ${how} the connection serves on or is closed`;
  test(told, { timeout: 20_000 }, async (t) => {
    const connection = await rawConnection(t, service());
    const next = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';
    connection.socket.write(`POST ${RUNS} HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n${body}${next}`);
    const served = connection.receive('"status":"ok"').catch(() => connection.closed);
    const text = await served;
    assert.match(text, /^HTTP\/1\.1 413 /);
    assert.ok(text.includes('"status":"ok"') || /\r\nconnection: close\r\n/i.test(text), text);
  });
}

test('a body that ends before its length is not stored', async (t) => {
  const before = storedRuns(t, service());
  const connection = await rawConnection(t, service());
  const run = JSON.stringify(aRun());
  connection.socket.write(`POST ${RUNS} HTTP/1.1\r\nHost: x\r\nContent-Length: ${run.length + 1}\r\n\r\n${run}`);
  connection.socket.end();
  await connection.closed;
  await assertWriterWorks(t, service());
  assert.equal(storedRuns(t, service()), before + 1);
});

test('a compressed body is inflated, within the bound of its route', async (t) => {
  const run = aRun();
  const gzip = { 'Content-Encoding': 'gzip' };
  assert.equal((await service().request('POST', RUNS, gzipSync(JSON.stringify(run)), gzip)).status, 201);
  assert.equal((await service().request('POST', BATCH, gzipSync(JSON.stringify([run])), gzip)).status, 200);
  const before = storedRuns(t, service());
  assertError(await service().request('POST', RUNS, gzipSync(sized(aRun(), 2049)), gzip), 413, tooLarge(2048));
  const torn = await service().request('POST', RUNS, gzipSync(JSON.stringify(aRun())).subarray(0, 60), gzip);
  assertError(
    torn,
    400,
    'The body is not what its Content-Encoding says, or ends too early. Send it again, or the JSON as it is.',
  );
  assert.equal(storedRuns(t, service()), before);
});

test('an encoding that is none is taken however it is spelled, an unknown one answers 415 and says what is taken', async () => {
  for (const encoding of ['identity', 'Identity', ' IDENTITY , identity', ''])
    assert.equal((await service().request('POST', RUNS, aRun(), { 'Content-Encoding': encoding })).status, 201);
  for (const encoding of ['br', 'gzip, gzip', 'zstd', 'x'.repeat(5_000)]) {
    const answer = await service().request('POST', RUNS, aRun(), { 'Content-Encoding': encoding });
    const named = encoding.slice(0, 100);
    const why = `Content-Encoding ${named} is not supported. Send gzip, deflate, or the JSON as it is.`;
    assertError(answer, 415, why);
    assert.equal(answer.headers.get('accept-encoding'), 'gzip, deflate, identity');
  }
});
