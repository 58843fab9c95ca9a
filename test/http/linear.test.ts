/** What a stranger may send costs the front end no more than in line with its length. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { addressReader } from '../../src/http/address.ts';
import { createAuth } from '../../src/http/auth.ts';
import { createCall, originForm } from '../../src/http/call.ts';
import { isKnown } from '../../src/http/conditional.ts';
import { nextPage, readListTask } from '../../src/http/filters.ts';
import { decoderFor } from '../../src/http/intake/decoder.ts';
import { logQuery } from '../../src/http/logging.ts';
import { formatFor } from '../../src/http/prometheus/negotiate.ts';
import { RateLimiter } from '../../src/http/rate-limit.ts';
import { growsLinearly } from '../support/linear.ts';
import { Recorder } from '../support/service.ts';

/** Shapes that regular expressions and loops over lists are afraid of. */
const SHAPES: Readonly<Record<string, (size: number) => string>> = {
  'one letter': (size) => 'a'.repeat(size),
  'a digit and blanks': (size) => `1${' '.repeat(size)}x`,
  'T without end and a blank': (size) => `${'T'.repeat(size)} `,
  blanks: (size) => ' '.repeat(size),
  'blanks before an offset': (size) => `${'T0 '.repeat(size / 3)}02:00`,
  commas: (size) => ','.repeat(size),
  addresses: (size) => '10.0.0.1,'.repeat(size / 9),
  'dotted digits': (size) => '1.'.repeat(size / 2),
  'semicolons and signs': (size) => 'q=1;'.repeat(size / 4),
  'different parameters': (size) => Array.from({ length: size / 8 }, (_, index) => `p${index}=1`).join('&'),
  'one parameter again and again': (size) => 'status=success&'.repeat(size / 15),
  'offsets again and again': (size) => 'offset=1&'.repeat(size / 9),
};

const queryOf = (text: string): URLSearchParams => new URLSearchParams(text);
const valueOf = (name: string) => (text: string) => readListTask(new URLSearchParams([[name, text]]));
const call = (target: string): ReturnType<typeof createCall> =>
  createCall(target, {
    endpoint: '/',
    params: {},
    headers: {},
    signal: () => new AbortController().signal,
    inTurn: (make) => make(),
    body: () => Promise.reject(new Error('none')),
  });
const addressOf = addressReader(['127.0.0.1', '10.0.0.0/8']);
const authenticate = createAuth('secret');

const WORKS: Readonly<Record<string, (text: string) => unknown>> = {
  'a time of a list': valueOf('created_after'),
  'a limit': valueOf('limit'),
  'a cursor': valueOf('cursor'),
  'a status': valueOf('status'),
  'all filters of a list': (text) => readListTask(queryOf(text)),
  'the next page of a list': (text) => nextPage('/', queryOf(text), { created_at: '2026', id: 1 }),
  'a query that is logged': (text) =>
    logQuery(new Recorder().logger, { ...call('/'), query: queryOf(text), elapsed: () => 1 }, 0),
  'a query string': (text) => call(`/?${text}`).query,
  'a target': (text) => originForm(`http://${text}`),
  'a target that names no host': (text) => originForm(text),
  'If-None-Match': (text) => isKnown(text, 'W/"tag"'),
  'X-Forwarded-For': (text) =>
    addressOf({
      socket: { remoteAddress: '127.0.0.1' },
      headers: { 'x-forwarded-for': text },
    } as unknown as IncomingMessage),
  Authorization: (text) => authenticate(`Bearer ${text}`),
  'Content-Encoding': (text) => decoderFor(text),
  Accept: (text) => formatFor(['json', 'prometheus', 'openmetrics'], null, text),
};

/** The text, and behind it what makes it another one each time: the engine remembers how it split a text. */
let times = 0;
const another = (text: string): string => `${text}${++times}`;

for (const [what, work] of Object.entries(WORKS)) {
  test(`${what} costs what its length is, whatever stands in it`, () => {
    for (const [shape, make] of Object.entries(SHAPES))
      growsLinearly(make, (text) => work(another(text)), `${what}: ${shape}`);
  });
}

test('a query of more parameters than the bound is refused, one as large as it is not', () => {
  const query = (count: number): string => `/?${Array.from({ length: count }, () => 'x=1').join('&')}`;
  assert.equal(call(query(1_000)).query.size, 1_000);
  assert.throws(() => call(query(1_001)).query, { code: 'bad_request', message: /more than 1000 parameters/ });
});

test('of a long query so much is logged as a person may read', () => {
  const recorder = new Recorder();
  const query = new URLSearchParams(
    Array.from({ length: 900 }, (_, index): [string, string] => [`p${index % 3}`, 'x'.repeat(5_000)]),
  );
  logQuery(recorder.logger, { ...call('/'), query, elapsed: () => 1 }, 0);
  const [line] = recorder.lines;
  assert.ok(JSON.stringify(line).length < 15_000);
  assert.deepEqual(Object.keys(line?.query_params as object), ['p0', 'p1', 'p2', '…']);
});

test('the rate limit takes no longer for a client with many requests, nor for many clients', () => {
  const perCheck = (limit: number, requests: number, address: (index: number) => string): number => {
    let now = 0;
    const limiter = new RateLimiter(limit, () => now);
    for (let index = 0; index < requests; index++) limiter.check(address(index));
    let longest = 0;
    // All grow old at once, and then in turn.
    for (now = 60_000; now < 61_000; now += 10) {
      const started = performance.now();
      limiter.check(address(now));
      longest = Math.max(longest, performance.now() - started);
    }
    return longest;
  };
  perCheck(60, 10_000, () => 'warm');
  assert.ok(perCheck(1_000_000, 300_000, () => 'a') < 20);
  assert.ok(perCheck(60, 150_000, (index) => `address ${index}`) < 20);
});

test('the rate limit remembers no more addresses than its bound, and the latest of them', () => {
  const limiter = new RateLimiter(1, () => 0);
  for (let index = 0; index < 120_000; index++) limiter.check(`address ${index}`);
  assert.ok(limiter.addresses <= 100_001, String(limiter.addresses));
  assert.equal(limiter.check('address 119999').allowed, false);
  assert.equal(limiter.check('address 80000').allowed, false);
});
