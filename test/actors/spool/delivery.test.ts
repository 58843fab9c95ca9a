import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Delivery, type Sender } from '../../../src/actors/spool/delivery.ts';
import type { Merged } from '../../../src/actors/protocol.ts';
import type { SpoolBatch } from '../../../src/actors/spool/protocol.ts';
import { type ErrorCode, TelemetryError } from '../../../src/errors.ts';
import { Recorder } from '../../support/service.ts';

const BATCH: SpoolBatch = {
  name: 'a',
  inode: '1',
  expected: 0,
  to: 10,
  digest: 'd',
  lines: 1,
  body: new Uint8Array(10),
};
const STORED: Merged = { applied: true, position: 10, inserted: 1, duplicates: 0, merged: 0 };

/** A writer that fails with these errors, one after the other, and then stores. */
function delivering(
  errors: Error[],
  signal = new AbortController().signal,
): { delivery: Delivery; recorder: Recorder } {
  const recorder = new Recorder();
  const writer = {
    send: () => {
      const error = errors.shift();
      return error ? Promise.reject(error) : Promise.resolve(STORED);
    },
  } as unknown as Sender;
  const options = { writer, log: recorder.logger, maxRunBytes: 1, signal, firstPauseMs: 1 };
  return { delivery: new Delivery(options), recorder };
}

const failing = (code: ErrorCode): TelemetryError => new TelemetryError(code, `It is ${code}`);

test('a full mailbox, a missing writer and a full disk only wait, and are said once', async () => {
  const { delivery, recorder } = delivering([failing('busy'), failing('unavailable'), failing('full')]);
  assert.deepEqual(await delivery.store(BATCH), { ok: true, result: STORED });
  assert.deepEqual(
    recorder.lines.map(({ level, message }) => [level, message]),
    [
      ['WARNING', 'The spool waits for the writer'],
      ['INFO', 'The spool goes on'],
    ],
  );
  await delivery.store(BATCH);
  assert.equal(recorder.lines.length, 2, 'what goes well is not said');
});

for (const code of ['invalid', 'too_large', 'internal'] as const) {
  test(`what is ${code} stays so, and is not tried again`, async () => {
    const { delivery, recorder } = delivering([failing(code)]);
    assert.deepEqual(await delivery.store(BATCH), { ok: false, reason: `It is ${code}` });
    assert.deepEqual(recorder.lines, []);
  });
}

test('closing ends the waiting', async () => {
  const closing = new AbortController();
  const { delivery, recorder } = delivering([failing('busy'), failing('busy'), failing('busy')], closing.signal);
  const stored = delivery.store(BATCH);
  await recorder.logged(/waits/);
  closing.abort();
  await assert.rejects(stored, { name: 'AbortError' });
});
