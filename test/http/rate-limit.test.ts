import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateLimiter } from '../../src/http/rate-limit.ts';
import { assertError, RUNS } from '../support/http.ts';
import { type Answer, type Environment, type Service, startService } from '../support/service.ts';

const limited = (rpm: number, more: Environment = {}): Environment => ({
  TELEMETRY_RATE_LIMIT_ENABLED: 'true',
  TELEMETRY_RATE_LIMIT_RPM: String(rpm),
  ...more,
});

const shownLimit = ({ headers }: Answer): (string | null)[] => [
  headers.get('x-ratelimit-limit'),
  headers.get('x-ratelimit-remaining'),
];

async function statuses(service: Service, forwarded: readonly string[]): Promise<number[]> {
  const found: number[] = [];
  for (const hops of forwarded) {
    const { status } = await service.request('GET', RUNS, undefined, hops === '' ? {} : { 'X-Forwarded-For': hops });
    found.push(status);
  }
  return found;
}

test('requests beyond the limit answer 429 and say when to come again', async (t) => {
  const service = await startService(t, limited(2));
  assert.deepEqual(shownLimit(await service.request('GET', RUNS)), ['2', '1']);
  assert.deepEqual(shownLimit(await service.request('GET', '/metrics')), ['2', '0']);
  const answer = await service.request('POST', RUNS, {});
  assertError(answer, 429, 'Rate limit exceeded. Max 2 requests per minute.');
  assert.deepEqual(shownLimit(answer), ['2', '0']);
  const retryAfter = Number(answer.headers.get('retry-after'));
  assert.ok(Number.isInteger(retryAfter) && retryAfter >= 1 && retryAfter <= 60, String(retryAfter));
});

test('/health has no limit and shows none', async (t) => {
  const service = await startService(t, limited(1));
  await service.request('GET', RUNS);
  for (let count = 0; count < 3; count++) {
    const answer = await service.request('GET', '/health');
    assert.deepEqual([answer.status, ...shownLimit(answer)], [200, null, null]);
  }
  assert.equal((await service.request('GET', RUNS)).status, 429);
});

test('failed requests count, wrong tokens among them, and their answers show the limit', async (t) => {
  const auth = { TELEMETRY_API_AUTH_ENABLED: 'true', TELEMETRY_API_AUTH_TOKEN: 'secret' };
  const service = await startService(t, limited(2, auth));
  const good = { Authorization: 'Bearer secret' };
  assert.equal((await service.request('GET', RUNS)).status, 401);
  const missing = await service.request('GET', `${RUNS}/nobody`, undefined, good);
  assert.deepEqual([missing.status, ...shownLimit(missing)], [404, '2', '0']);
  assert.equal((await service.request('GET', RUNS, undefined, good)).status, 429);
});

test('without the limit switched on there is none', async (t) => {
  const service = await startService(t, { TELEMETRY_RATE_LIMIT_RPM: '1' });
  for (let count = 0; count < 3; count++) {
    const answer = await service.request('GET', RUNS);
    assert.deepEqual([answer.status, ...shownLimit(answer)], [200, null, null]);
  }
});

test('a client that is no listed proxy cannot choose its address', async (t) => {
  const service = await startService(t, limited(1, { TELEMETRY_TRUSTED_PROXIES: '10.0.0.0/8, 192.0.2.1' }));
  assert.deepEqual(await statuses(service, ['198.51.100.1', '198.51.100.2', '']), [200, 429, 429]);
});

test('behind a listed proxy each forwarded address has its own limit', async (t) => {
  const service = await startService(t, limited(1, { TELEMETRY_TRUSTED_PROXIES: '127.0.0.0/8' }));
  const hops = ['198.51.100.1', '198.51.100.2', '2001:db8::1', '::ffff:198.51.100.1', '198.51.100.2', ''];
  assert.deepEqual(await statuses(service, hops), [200, 200, 200, 429, 429, 200]);
});

test('the last address before the listed proxies counts, not what the client wrote before it', async (t) => {
  const service = await startService(t, limited(1, { TELEMETRY_TRUSTED_PROXIES: '127.0.0.1,10.0.0.0/8' }));
  const hops = [
    '203.0.113.1, 198.51.100.1',
    '203.0.113.2, 198.51.100.1',
    '198.51.100.1, 10.1.2.3',
    '198.51.100.2, 10.0.0.1',
  ];
  assert.deepEqual(await statuses(service, hops), [200, 429, 429, 200]);
});

test('a forwarded address with a port is that address, and not a reason to believe the one before it', async (t) => {
  const service = await startService(t, limited(1, { TELEMETRY_TRUSTED_PROXIES: '127.0.0.1' }));
  const hops = ['203.0.113.1, 198.51.100.1:40001', '203.0.113.2, 198.51.100.1:40002', '203.0.113.3, [2001:db8::1]:1'];
  assert.deepEqual(await statuses(service, hops), [200, 429, 200]);
  assert.deepEqual(await statuses(service, ['203.0.113.4, [2001:db8::1]:2']), [429]);
});

test('a forwarded header that names no address leaves the proxy own limit', async (t) => {
  const service = await startService(t, limited(1, { TELEMETRY_TRUSTED_PROXIES: '127.0.0.1' }));
  assert.deepEqual(await statuses(service, ['unknown', '_hidden', ',,', '']), [200, 429, 429, 429]);
});

test('the window slides: a request is taken as soon as the oldest is a minute old', () => {
  let now = 1_000_000;
  const limiter = new RateLimiter(2, () => now);
  assert.deepEqual(limiter.check('a'), { allowed: true, remaining: 1, retryAfter: 0 });
  now += 20_000;
  assert.deepEqual(limiter.check('a'), { allowed: true, remaining: 0, retryAfter: 0 });
  assert.deepEqual(limiter.check('a'), { allowed: false, remaining: 0, retryAfter: 40 });
  assert.deepEqual(limiter.check('b'), { allowed: true, remaining: 1, retryAfter: 0 });
  now += 39_500;
  assert.deepEqual(limiter.check('a'), { allowed: false, remaining: 0, retryAfter: 1 });
  now += 500;
  assert.deepEqual(limiter.check('a'), { allowed: true, remaining: 0, retryAfter: 0 });
  assert.equal(limiter.check('a').retryAfter, 20);
});

test('refused requests do not keep a client out', () => {
  let now = 0;
  const limiter = new RateLimiter(1, () => now);
  assert.equal(limiter.check('a').allowed, true);
  for (now = 1_000; now < 60_000; now += 1_000) assert.equal(limiter.check('a').allowed, false);
  now = 60_000;
  assert.equal(limiter.check('a').allowed, true);
});
