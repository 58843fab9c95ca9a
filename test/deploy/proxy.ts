/** What passes nginx: runs, batches, lists, errors, compression, HTTP/2, redirects. */
import assert from 'node:assert/strict';
import { connect } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import { aRun } from '../support/service.ts';
import { check } from './checks.ts';
import { NAME, type Nginx } from './nginx.ts';
import type { Answer, Client } from './requests.ts';

const RUNS = '/api/v1/runs';
const BATCH = `${RUNS}/batch`;
const MIB = 1024 * 1024;
const REPEATED = 2_000;

/** So many runs, of about so many bytes each. */
const runsOf = (count: number, bytes: number): object[] =>
  Array.from({ length: count }, () => aRun({ output_summary: 'x'.repeat(bytes) }));

export async function checkPassing(client: Client): Promise<void> {
  await check('a run goes in by POST, is changed by PATCH and comes out by GET', async () => {
    const run = aRun();
    assert.equal((await client.send('POST', RUNS, { body: run })).status, 201);
    const changed = await client.send('PATCH', `${RUNS}/${run.event_id}`, { body: { status: 'success' } });
    assert.equal(changed.status, 200);
    const { status } = (await client.send('GET', `${RUNS}/${run.event_id}`)).json() as { status: string };
    assert.equal(status, 'success');
  });
  await check('a batch of more than 1 MiB is stored whole', async () => {
    const { bytes, answer } = await sendBatch(client, 3_000, 500);
    assert.deepEqual(answer.json(), { inserted: 3_000, duplicates: 0, errors: [], total: 3_000 });
    assert.ok(bytes > MIB);
    return `${bytes} bytes`;
  });
  await check('a batch just below 32 MiB is taken by nginx and service', async () => {
    const { bytes, answer } = await sendBatch(client, 9_000, 3_480);
    assert.equal(answer.status, 200, answer.bytes.toString().slice(0, 200));
    assert.ok(bytes > 31 * MIB && bytes <= 32 * MIB, `${bytes} bytes`);
    return `${bytes} bytes`;
  });
  await check('the Link of a list is a path that leads through nginx to the next page', async () => {
    const first = await client.send('GET', `${RUNS}?limit=10`);
    const next = /^<(\/[^>]+)>; rel="next"$/.exec(String(first.headers.link))?.[1];
    assert.ok(next, `Link: ${String(first.headers.link)}`);
    const second = (await client.send('GET', next)).json() as unknown[];
    assert.equal(second.length, 10);
    assert.notDeepEqual(second, first.json());
  });
  await check('a list is compressed for whoever takes gzip, and is the same list', async () => {
    const path = `${RUNS}?limit=50`;
    const plain = await client.send('GET', path);
    const packed = await client.send('GET', path, { headers: { 'Accept-Encoding': 'gzip' } });
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.equal(packed.headers['content-encoding'], 'gzip');
    assert.ok(gunzipSync(packed.bytes).equals(plain.bytes));
    return `${plain.bytes.byteLength} to ${packed.bytes.byteLength} bytes`;
  });
  await check('/health, /readyz and both kinds of metrics answer', async () => {
    for (const path of ['/health', '/readyz', '/metrics', '/metrics/prometheus'])
      assert.equal((await client.send('GET', path)).status, 200, path);
  });
  await check('the page at /docs comes with its own headers, and is not sent again to whoever has it', async () => {
    const headers = { 'Accept-Encoding': 'gzip' };
    const page = await client.send('GET', '/docs', { headers });
    assert.equal(page.status, 200);
    assert.equal(page.headers['referrer-policy'], 'no-referrer');
    assert.ok(page.headers['content-security-policy'], 'no Content-Security-Policy');
    const { etag } = page.headers;
    assert.ok(etag, 'no ETag');
    assert.equal((await client.send('GET', '/docs', { headers: { ...headers, 'If-None-Match': etag } })).status, 304);
  });
}

async function sendBatch(client: Client, count: number, each: number): Promise<{ bytes: number; answer: Answer }> {
  const body = JSON.stringify(runsOf(count, each));
  return { bytes: Buffer.byteLength(body), answer: await client.send('POST', BATCH, { body }) };
}

export async function checkErrors(client: Client): Promise<void> {
  await check('a 422 comes with the body of the service', async () => {
    const answer = await client.send('POST', RUNS, { body: { event_id: 'only' } });
    assert.equal(answer.status, 422);
    const { detail } = answer.json() as { detail: { loc: string[] }[] };
    assert.ok(detail.some(({ loc }) => loc.includes('agent_name')));
  });
  await check('413 of the service: one run of more than 1 MiB', async () => {
    const answer = await client.send('POST', RUNS, { body: aRun({ output_summary: 'x'.repeat(MIB) }) });
    assert.equal(answer.status, 413);
    assert.match((answer.json() as { detail: string }).detail, /1048576 bytes/);
  });
  await check('413 of nginx: a batch of more than 32 MiB, as JSON', async () => {
    const answer = await client.send('POST', BATCH, { body: 'x'.repeat(33 * MIB) });
    assert.equal(answer.status, 413);
    assert.equal(answer.headers['content-type'], 'application/json');
    assert.match((answer.json() as { detail: string }).detail, /larger than the proxy takes/);
  });
  await check('404 and 405 come as the service says them', async () => {
    assert.deepEqual((await client.send('GET', '/nothing')).json(), { detail: 'Not Found' });
    const answer = await client.send('POST', `${RUNS}/some-id`, { body: {} });
    assert.equal(answer.status, 405);
    assert.ok(answer.headers.allow);
  });
}

export async function checkTransport(client: Client, nginx: Nginx): Promise<void> {
  await check('HTTP leads to HTTPS, with method, path and query', async () => {
    const answer = await client.sendBare('POST', `${RUNS}?x=1`, '{}');
    assert.equal(answer.status, 308);
    assert.equal(answer.headers.location, `https://${NAME}${RUNS}?x=1`);
  });
  await check('/health and /readyz answer without TLS, for load balancers', async () => {
    for (const path of ['/health', '/readyz']) assert.equal((await client.sendBare('GET', path)).status, 200, path);
  });
  await check('HTTP/2 is spoken', async () => {
    assert.equal(await client.sendHttp2(`${RUNS}?limit=1`), 200);
  });
  await check('TLS 1.3 and 1.2 are spoken, and 1.1 is refused', async () => {
    assert.equal(await handshake(nginx, 'TLSv1.3'), 'TLSv1.3');
    assert.equal(await handshake(nginx, 'TLSv1.2'), 'TLSv1.2');
    assert.equal(await handshake(nginx, 'TLSv1.1'), 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  });
  await check('the headers for browsers are there once each, on errors too', async () => {
    for (const path of ['/health', '/nothing']) {
      const { headers } = await client.send('GET', path);
      assert.equal(headers['strict-transport-security'], 'max-age=31536000');
      assert.equal(headers['x-frame-options'], 'DENY');
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers.server, 'nginx');
    }
  });
  await check(`${REPEATED} requests one after the other over kept connections, none fails`, async () => {
    const started = performance.now();
    for (let sent = 0; sent < REPEATED; sent++) {
      const answer =
        sent % 2 === 0
          ? await client.send('POST', RUNS, { body: aRun() })
          : await client.send('GET', `${RUNS}?limit=1`);
      assert.ok(answer.status < 300, `request ${sent}: ${answer.status} ${answer.bytes.toString()}`);
    }
    return `${Math.round(performance.now() - started)} ms`;
  });
}

/** The version agreed on, or the error's code. */
function handshake({ httpsPort, ca }: Nginx, version: 'TLSv1.3' | 'TLSv1.2' | 'TLSv1.1'): Promise<string | undefined> {
  const versions = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: httpsPort, ca, servername: NAME, ...versions });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    socket.once('secureConnect', () => {
      resolve(socket.getProtocol() ?? undefined);
      socket.destroy();
    });
  });
}
