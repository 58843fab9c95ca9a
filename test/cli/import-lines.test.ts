import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Answer } from '../../src/cli/answer.ts';
import { judge } from '../../src/cli/import/judge.ts';
import { type Line, linesOf } from '../../src/cli/import/lines.ts';
import { patiently } from '../../src/cli/import/patience.ts';
import { aRecord } from '../support/database.ts';

async function linesIn(bytes: Uint8Array, chunk: number, maxBytes = Infinity): Promise<Line[]> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += chunk) yield await Promise.resolve(bytes.subarray(at, at + chunk));
  }
  const lines: Line[] = [];
  for await (const some of linesOf(chunks(), maxBytes)) lines.push(...some);
  return lines;
}

test('lines are the same however the bytes come, and stand where they say', async () => {
  const text = fc.array(fc.constantFrom('', 'a', 'ü日', '\r', 'x'.repeat(50)), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(text, fc.boolean(), fc.integer({ min: 1, max: 20 }), async (parts, ended, chunk) => {
      const bytes = Buffer.from(parts.join('\n') + (ended ? '\n' : ''));
      const lines = await linesIn(bytes, chunk);
      const wanted = bytes.toString().split('\n');
      if (wanted.at(-1) === '') wanted.pop();
      assert.deepEqual(
        lines.map((line) => Buffer.from(line.bytes).toString()),
        wanted,
      );
      for (const [index, { number, offset, length }] of lines.entries()) {
        assert.equal(number, index + 1);
        assert.equal(bytes.subarray(offset, offset + length).toString(), wanted[index]);
      }
    }),
  );
});

test('of a line that is too long only its beginning is held, and the next one is whole', async () => {
  const bytes = Buffer.from(`a\n${'x'.repeat(300_000)}\nb`);
  for (const chunk of [1_000, 64 * 1024, 500_000]) {
    const lines = await linesIn(bytes, chunk, 100_000);
    assert.deepEqual(
      lines.map(({ offset, length, bytes: held, ended }) => [offset, length, held.length, ended]),
      [
        [0, 1, 1, true],
        [2, 300_000, 64 * 1024, true],
        [300_003, 1, 1, false],
      ],
    );
  }
});

const backup = (fields: object = {}): string =>
  JSON.stringify({ record_type: 'run', ...aRecord({ metrics_json: { record_type: 'x' }, ...fields }) });

test('wherever a record is torn, the whole ones behind it are taken and only the torn part is lost', () => {
  const first = backup({ output_summary: '{"record_type":"run" ü' });
  const second = backup();
  const third = backup();
  const bytes = Buffer.from(first);
  for (let at = 1; at < bytes.length; at++) {
    const found = judge(Buffer.concat([bytes.subarray(0, at), Buffer.from(second + third)]));
    assert.deepEqual(
      found.map(({ kind }) => kind),
      ['rejected', 'run', 'run'],
      `torn at ${at}`,
    );
    assert.deepEqual(
      found.slice(1).map((one) => 'text' in one && one.text),
      [second, third],
    );
  }
  assert.deepEqual(
    judge(Buffer.from(first + second)).map(({ kind }) => kind),
    ['run', 'run'],
  );
  assert.deepEqual(
    judge(Buffer.from(first.slice(0, 40))).map(({ kind }) => kind),
    ['rejected'],
  );
});

test('a line is a run, an event, a trailer or rejected with the reason', () => {
  const kindOf = (text: string): unknown =>
    judge(Buffer.from(text)).map((one) => ('reason' in one ? one.reason : one.kind));
  const run = aRecord();
  assert.deepEqual(kindOf(` ${JSON.stringify(run)} \r`), ['run']);
  assert.deepEqual(kindOf(JSON.stringify({ ...run, record_type: null })), ['run']);
  assert.deepEqual(kindOf('{"record_type":"event"}'), ['event']);
  assert.deepEqual(kindOf('{"record_type":"trailer","rows":1,"sha256":"a"}'), ['trailer']);
  assert.deepEqual(kindOf('{"record_type":"trailer"}'), ['a record_type of "trailer" is not known here']);
  assert.deepEqual(kindOf(' \t\r'), []);
  for (const text of ['[]', '1', 'null', '"a"', '{', '\0\0\0', '{"a":1}}']) {
    assert.deepEqual(kindOf(text), ['not a JSON object: the line is torn, or something else wrote it'], text);
  }
  assert.deepEqual(
    judge(Buffer.from([0x7b, 0xff, 0x7d])).map((one) => 'reason' in one && one.reason),
    ['not valid UTF-8'],
  );
  assert.deepEqual(kindOf(JSON.stringify({ ...run, items_failed: -1 })), [
    'items_failed: Input should be greater than or equal to 0',
  ]);
});

const answer = (status: number, retryAfterMs?: number): Answer => ({
  status,
  next: undefined,
  retryAfterMs,
  body: new Uint8Array(),
});

const target = { where: 'The service' };

test('a busy service is asked again with growing pauses, for a minute in all', async () => {
  const pauses: number[] = [];
  const pause = (milliseconds: number): Promise<void> => {
    pauses.push(milliseconds);
    return Promise.resolve();
  };
  const last = await patiently(target, () => Promise.resolve(answer(503)), pause);
  assert.equal(last.status, 503);
  assert.equal(
    pauses.reduce((sum, length) => sum + length),
    60_000,
  );
  assert.deepEqual(pauses.slice(0, 7), [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000]);
  pauses.length = 0;
  await patiently(target, () => Promise.resolve(answer(pauses.length === 2 ? 200 : 429, 5_000)), pause);
  assert.deepEqual(pauses, [5_000, 5_000], 'or as long as the service asks for');
  const statuses = [429, 503, 200];
  assert.equal((await patiently(target, () => Promise.resolve(answer(statuses.shift() ?? 0)), pause)).status, 200);
  assert.equal((await patiently(target, () => Promise.resolve(answer(507)), pause)).status, 507);
});

test('a line with NaN is a run; one that holds more than is taken says so', () => {
  const line = JSON.stringify(aRecord({ event_id: 'nan' })).replace(/}$/, ',"metrics_json":{"l":[NaN,-Infinity]}}');
  assert.deepEqual(judge(Buffer.from(line)), [{ kind: 'run', text: line, eventId: 'nan' }]);
  const much = `{"event_id":"a","m":[${'1e999,'.repeat(50_000)}1e999]}`;
  const reason = 'Input should hold at most 50000 numbers beyond a double';
  assert.deepEqual(judge(Buffer.from(much)), [{ kind: 'rejected', text: much, reason }]);
});
