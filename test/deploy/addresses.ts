/** Whom the service takes a client behind nginx for: by the windows of the rate limit. */
import assert from 'node:assert/strict';
import { check } from './checks.ts';
import type { Client } from './requests.ts';

export const LIMIT = 3;
export const LIMITED = { TELEMETRY_RATE_LIMIT_ENABLED: 'true', TELEMETRY_RATE_LIMIT_RPM: String(LIMIT) };
export const TRUSTED = { TELEMETRY_TRUSTED_PROXIES: '127.0.0.1,::1' };

const PATH = '/api/v1/runs?limit=1';

async function statuses(client: Client, from: string, count: number, forged?: string): Promise<number[]> {
  const headers = forged === undefined ? {} : { 'X-Forwarded-For': forged };
  const found: number[] = [];
  for (let sent = 0; sent < count; sent++) found.push((await client.send('GET', PATH, { from, headers })).status);
  return found;
}

/** With LIMITED and TRUSTED. */
export async function checkTrusted(client: Client): Promise<void> {
  await check('two client addresses have a window of their own each', async () => {
    assert.deepEqual(await statuses(client, '127.0.0.2', LIMIT + 1), [200, 200, 200, 429]);
    assert.deepEqual(await statuses(client, '127.0.0.3', LIMIT + 1), [200, 200, 200, 429]);
    const refused = await client.send('GET', PATH, { from: '127.0.0.2' });
    assert.ok(Number(refused.headers['retry-after']) > 0);
    assert.equal(refused.headers['x-ratelimit-limit'], String(LIMIT));
  });
  await check('an X-Forwarded-For that the client sends itself gets it no other window', async () => {
    for (const forged of ['9.9.9.9', '127.0.0.1', '127.0.0.3, 127.0.0.1', 'unknown'])
      assert.deepEqual(await statuses(client, '127.0.0.2', 1, forged), [429], forged);
    assert.deepEqual(await statuses(client, '127.0.0.4', 1, '127.0.0.2'), [200]);
  });
  await check('nor does it to one on the machine of nginx, whose address is a trusted one', async () => {
    const found: number[] = [];
    for (const forged of ['9.9.9.1', '9.9.9.2', '9.9.9.3', '9.9.9.4'])
      found.push(...(await statuses(client, '127.0.0.1', 1, forged)));
    assert.deepEqual(found, [200, 200, 200, 429]);
  });
}

/** With LIMITED only. */
export async function checkUntrusted(client: Client): Promise<void> {
  await check('where the proxy is not trusted, all clients share one window', async () => {
    assert.deepEqual(await statuses(client, '127.0.0.2', 2), [200, 200]);
    assert.deepEqual(await statuses(client, '127.0.0.3', 2), [200, 429]);
  });
}

/** With a token. */
export async function checkToken(client: Client, token: string): Promise<void> {
  await check('the token passes nginx: 401 without it, 200 with it', async () => {
    const refused = await client.send('GET', PATH);
    assert.equal(refused.status, 401);
    assert.ok(refused.headers['www-authenticate']);
    const answer = await client.send('GET', PATH, { headers: { Authorization: `Bearer ${token}` } });
    assert.equal(answer.status, 200);
    assert.equal((await client.send('GET', '/health')).status, 200);
  });
}
