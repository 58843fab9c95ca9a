import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { Intake } from '../../src/http/intake/intake.ts';

const KIB = 1024;
const MAX = 1024 * KIB;
const LIMIT = 600 * KIB;
/** A body that is never settled must fail, not hang. */
const BOUNDED = { timeout: 10_000 };

interface Sending {
  stream: PassThrough;
  /** What becomes of the body: how many bytes it has, or the error's code or status. */
  outcome: Promise<number | string>;
}

interface Failure {
  code?: string;
  reply?: { status: number };
}

function begin(intake: Intake, headers: Record<string, string> = {}, limit = LIMIT): Sending {
  const stream = new PassThrough({ highWaterMark: 10 * MAX });
  const request = Object.assign(stream, { headers }) as unknown as IncomingMessage;
  const outcome = intake.collect(request, limit).then(
    ({ byteLength }) => byteLength,
    ({ code, reply }: Failure) => code ?? String(reply?.status),
  );
  return { stream, outcome };
}

/** Resolves once the bytes have come to the intake. */
async function send({ stream }: Sending, bytes: number): Promise<void> {
  const came = new Promise((resolve) => stream.once('data', resolve));
  stream.write(Buffer.alloc(bytes));
  await came;
}

const outcomeNow = ({ outcome }: Sending): Promise<number | string> =>
  Promise.race([outcome, Promise.resolve('still there')]);

/** Asserts that the intake has room for exactly as much as when it was new. */
async function assertEmpty(intake: Intake): Promise<void> {
  const parts = [begin(intake), begin(intake)] as const;
  for (const part of parts) await send(part, MAX / 2);
  const over = begin(intake);
  await send(over, 65 * KIB);
  assert.equal(await over.outcome, 'busy');
  const small = Array.from({ length: 4 }, () => begin(intake));
  for (const each of small) await send(each, 64 * KIB);
  const fifth = begin(intake);
  await send(fifth, 1);
  assert.equal(await fifth.outcome, 'busy');
  for (const { stream } of [...parts, ...small]) stream.end();
  assert.deepEqual(await Promise.all(parts.map(({ outcome }) => outcome)), [MAX / 2, MAX / 2]);
  assert.deepEqual(await Promise.all(small.map(({ outcome }) => outcome)), Array(4).fill(64 * KIB));
}

test('large bodies that are too many together are refused as busy, the others are taken', BOUNDED, async () => {
  const intake = new Intake(MAX);
  const first = begin(intake);
  const second = begin(intake);
  await send(first, 500 * KIB);
  await send(second, 300 * KIB);
  await send(second, 230 * KIB);
  assert.equal(await second.outcome, 'busy');
  first.stream.end(Buffer.alloc(12 * KIB));
  assert.equal(await first.outcome, 512 * KIB);
  await assertEmpty(intake);
});

test('what counts is what a buffer can hold, however small the chunks are in which a body comes', BOUNDED, async () => {
  const intake = new Intake(MAX);
  const dripping = Array.from({ length: 3 }, () => begin(intake));
  for (const each of dripping) await send(each, 65 * KIB);
  // 130 KiB each, since a buffer doubles: three are 390, and one of 512 more does not fit beside a fourth.
  for (const each of dripping) await send(each, 1);
  const large = begin(intake);
  await send(large, 512 * KIB);
  const over = begin(intake);
  await send(over, 125 * KIB);
  assert.equal(await over.outcome, 'busy');
  for (const { stream } of [...dripping, large]) stream.end();
  assert.deepEqual(await Promise.all(dripping.map(({ outcome }) => outcome)), Array(3).fill(65 * KIB + 1));
  await large.outcome;
  await assertEmpty(intake);
});

test('a body of the smallest chunks takes no more memory than its buffer', BOUNDED, async () => {
  const intake = new Intake(8 * MAX);
  const chunks = 200_000;
  const stream = new PassThrough({ highWaterMark: 10 * MAX });
  const collected = intake.collect(Object.assign(stream, { headers: {} }) as unknown as IncomingMessage, 4 * MAX);
  const held = (): number => process.memoryUsage().external + process.memoryUsage().heapUsed;
  const before = held();
  const letters = Buffer.from('sixteen letters.');
  for (let sent = 0; sent < chunks; sent++) stream.emit('data', Buffer.from(letters));
  // Kept as chunks they are 80 MB.
  assert.ok(held() - before < 40_000_000, `${held() - before} bytes`);
  stream.end();
  const body = await collected;
  assert.equal(body.byteLength, chunks * letters.length);
  assert.equal(body.buffer.byteLength, body.byteLength, 'nothing of the buffer is left over');
});

test('a body that comes in dust is refused, a short one is taken however it comes', BOUNDED, async () => {
  const intake = new Intake(MAX);
  const short = begin(intake);
  const dust = begin(intake);
  const letter = Buffer.from('x');
  for (let sent = 0; sent < 10_000; sent++) short.stream.emit('data', letter);
  short.stream.end();
  assert.equal(await short.outcome, 10_000);
  for (let sent = 0; sent < 10_001; sent++) dust.stream.emit('data', letter);
  assert.equal(await dust.outcome, '400');
  await assertEmpty(intake);
});

test('what a refused client still sends is dropped and counts for nobody', BOUNDED, async () => {
  const intake = new Intake(MAX);
  const large = begin(intake);
  await send(large, LIMIT + 1);
  assert.equal(await large.outcome, 'too_large');
  await send(large, 5 * MAX);
  await assertEmpty(intake);
  large.stream.end();
});

test('a client that goes away gives its room back', BOUNDED, async () => {
  const intake = new Intake(MAX);
  const gone = begin(intake);
  await send(gone, 500 * KIB);
  gone.stream.destroy(new Error('aborted'));
  assert.equal(await gone.outcome, 'bad_request');
  await assertEmpty(intake);
});

test('a body refused by its headers takes no room', BOUNDED, async () => {
  const intake = new Intake(MAX);
  assert.equal(await begin(intake, { 'content-length': String(LIMIT + 1) }).outcome, 'too_large');
  assert.equal(await begin(intake, { 'content-encoding': 'br' }).outcome, '415');
  await assertEmpty(intake);
});

test('one body alone is taken, though it is larger than the bound on their sum', BOUNDED, async () => {
  const intake = new Intake(MAX);
  const alone = begin(intake, {}, 3 * MAX);
  await send(alone, MAX);
  await send(alone, MAX + 1);
  const other = begin(intake);
  await send(other, 65 * KIB);
  assert.equal(await other.outcome, 'busy');
  alone.stream.end();
  assert.equal(await alone.outcome, 2 * MAX + 1);
  await assertEmpty(intake);
});

test('beside others no body has more than half of the room', BOUNDED, async () => {
  const intake = new Intake(MAX);
  const other = begin(intake);
  await send(other, 65 * KIB);
  const greedy = begin(intake);
  await send(greedy, MAX / 2 + 1);
  assert.equal(await greedy.outcome, 'busy');
  other.stream.end();
  greedy.stream.end();
  await other.outcome;
  await assertEmpty(intake);
});

test(
  'a body slower than the least rate is refused after ten seconds, a quicker one after a minute',
  BOUNDED,
  async () => {
    let now = 0;
    const intake = new Intake(MAX, () => now);
    const slow = begin(intake);
    const quick = begin(intake);
    for (now = 1_000; now <= 59_000; now += 1_000) {
      if (now < 10_000) await send(slow, 15 * KIB);
      await send(quick, 17 * KIB * (now > 30_000 ? 0 : 1) + 1);
      if (now === 9_000) assert.equal(await outcomeNow(slow), 'still there');
      intake.look();
      if (now === 10_000) assert.equal(await slow.outcome, '408');
      if (now === 39_000) assert.equal(await outcomeNow(quick), 'still there');
    }
    // Quick for half a minute, and then a byte a second: what came before does not count for ever.
    assert.equal(await quick.outcome, '408');
    const steady = begin(intake, {}, 60 * MAX);
    for (let second = 0; second < 60; second++) {
      now += 1_000;
      await send(steady, 20 * KIB);
      intake.look();
    }
    assert.equal(await steady.outcome, '408');
    await assertEmpty(intake);
  },
);

test('stalled bodies make way as soon as another finds no room', BOUNDED, async () => {
  let now = 0;
  const intake = new Intake(MAX, () => now);
  const stalled = [begin(intake), begin(intake)] as const;
  for (const each of stalled) await send(each, MAX / 2);
  now = 1_999;
  const early = begin(intake);
  await send(early, 65 * KIB);
  assert.equal(await early.outcome, 'busy');
  now = 40_000;
  const late = begin(intake);
  await send(late, 65 * KIB);
  assert.equal(await stalled[0].outcome, '408');
  late.stream.end();
  assert.equal(await late.outcome, 65 * KIB);
  stalled[1].stream.end();
  assert.equal(await stalled[1].outcome, MAX / 2, 'no more make way than must');
  await assertEmpty(intake);
});

for (const [encoding, encode] of [
  ['gzip', gzipSync],
  ['X-GZip', gzipSync],
  ['identity, GZIP', gzipSync],
  ['deflate', deflateSync],
] as const) {
  test(`a body in ${encoding} is inflated, and its bound is on what it inflates to`, BOUNDED, async () => {
    const intake = new Intake(MAX);
    const headers = { 'content-encoding': encoding };
    const text = Buffer.from(Array.from({ length: 4_000 }, (_, index) => `line ${index * index}`).join('\n'));
    const good = begin(intake, headers);
    good.stream.end(encode(text));
    assert.equal(await good.outcome, text.byteLength);
    const large = begin(intake, headers);
    large.stream.end(encode(Buffer.alloc(LIMIT + 1)));
    assert.equal(await large.outcome, 'too_large');
    const torn = begin(intake, headers);
    torn.stream.end(encode(text).subarray(0, 500));
    assert.equal(await torn.outcome, 'bad_request');
    const other = begin(intake, headers);
    other.stream.end('{"no":"such thing"}');
    assert.equal(await other.outcome, 'bad_request');
    await assertEmpty(intake);
  });
}

test('a body that inflates beyond all reason is refused long before its bound', BOUNDED, async () => {
  const intake = new Intake(64 * MAX);
  const bomb = begin(intake, { 'content-encoding': 'gzip' }, 64 * MAX);
  bomb.stream.end(gzipSync(Buffer.alloc(32 * MAX)));
  assert.equal(await bomb.outcome, 'too_large');
});

test('a client that goes away amid a compressed body gives its room back', BOUNDED, async () => {
  const intake = new Intake(MAX);
  const gone = begin(intake, { 'content-encoding': 'gzip' });
  const inflating = new Promise((resolve) => gone.stream.once('data', resolve));
  gone.stream.write(gzipSync(Buffer.alloc(100_000)).subarray(0, 50));
  await inflating;
  gone.stream.destroy(new Error('aborted'));
  assert.equal(await gone.outcome, 'bad_request');
  await assertEmpty(intake);
});
