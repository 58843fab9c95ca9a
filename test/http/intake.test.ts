import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { Intake } from '../../src/http/body.ts';

const MAX = 1_000;
const LIMIT = 600;
/** A body that is never settled must fail, not hang. */
const BOUNDED = { timeout: 10_000 };

interface Sending {
  stream: PassThrough;
  /** What becomes of the body: how many bytes it has, or the code of the error. */
  outcome: Promise<number | string>;
}

function begin(intake: Intake, headers: Record<string, string> = {}, limit = LIMIT): Sending {
  const stream = new PassThrough({ highWaterMark: 10 * MAX });
  const request = Object.assign(stream, { headers }) as unknown as IncomingMessage;
  const outcome = intake.collect(request, limit).then(
    ({ byteLength }) => byteLength,
    (error: unknown) => (error as { code: string }).code,
  );
  return { stream, outcome };
}

/** Resolves once the bytes have come to the intake. */
async function send({ stream }: Sending, bytes: number): Promise<void> {
  const came = new Promise((resolve) => stream.once('data', resolve));
  stream.write(Buffer.alloc(bytes));
  await came;
}

/** Asserts that the intake has room for exactly as much as when it was new. */
async function assertEmpty(intake: Intake): Promise<void> {
  const parts = [begin(intake), begin(intake)] as const;
  for (const part of parts) await send(part, MAX / 2);
  const over = begin(intake);
  await send(over, 1);
  assert.equal(await over.outcome, 'busy');
  for (const { stream } of parts) stream.end();
  assert.deepEqual(await Promise.all(parts.map(({ outcome }) => outcome)), [MAX / 2, MAX / 2]);
}

test(
  'bodies that are too many together are refused as busy, the others are taken, and then all fit again',
  BOUNDED,
  async () => {
    const intake = new Intake(MAX);
    const first = begin(intake);
    const second = begin(intake);
    await send(first, 500);
    await send(second, 500);
    await send(second, 1);
    assert.equal(await second.outcome, 'busy');
    first.stream.end(Buffer.alloc(100));
    assert.equal(await first.outcome, 600);
    await assertEmpty(intake);
  },
);

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
  await send(gone, 500);
  gone.stream.destroy(new Error('aborted'));
  assert.equal(await gone.outcome, 'bad_request');
  await assertEmpty(intake);
});

test('a body refused by its headers takes no room', BOUNDED, async () => {
  const intake = new Intake(MAX);
  assert.equal(await begin(intake, { 'content-length': String(LIMIT + 1) }).outcome, 'too_large');
  assert.equal(await begin(intake, { 'content-encoding': 'gzip' }).outcome, 'bad_request');
  await assertEmpty(intake);
});

test('one body alone is taken, though it is larger than the bound on their sum', BOUNDED, async () => {
  const intake = new Intake(MAX);
  const alone = begin(intake, {}, 3 * MAX);
  await send(alone, MAX);
  await send(alone, MAX + 1);
  const other = begin(intake);
  await send(other, 1);
  assert.equal(await other.outcome, 'busy');
  alone.stream.end();
  assert.equal(await alone.outcome, 2 * MAX + 1);
  await assertEmpty(intake);
});
