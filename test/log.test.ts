import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import type { LogLevel } from '../src/config.ts';
import { createLogger, type Logger, spaced } from '../src/log.ts';
import { folder } from './support/database.ts';

type Written = (error: Error | null, bytes: number) => void;
type Write = (descriptor: number, ...rest: unknown[]) => void;

/** Asynchronous writes are done at once, or held back until the returned function is called. */
function writesOf(t: TestContext, { held }: { held: boolean }): () => void {
  const waiting: (() => void)[] = [];
  let holding = held;
  const write: Write = (descriptor, ...rest) => {
    const done = rest.pop() as Written;
    const doIt = (): void => process.nextTick(done, null, fs.writeSync(descriptor, rest[0] as Buffer));
    if (holding) waiting.push(doIt);
    else doIt();
  };
  t.mock.method(fs, 'write', write as typeof fs.write);
  return () => {
    holding = false;
    for (const doIt of waiting.splice(0)) doIt();
  };
}

/** The lines that `speak` logs at `level`. */
async function linesOf(t: TestContext, level: LogLevel, speak: (log: Logger) => void): Promise<string[]> {
  writesOf(t, { held: false });
  const path = join(folder(t), 'out.log');
  const descriptor = fs.openSync(path, 'a');
  const log = createLogger(level, descriptor);
  speak(log);
  await Promise.resolve(log.flush());
  fs.closeSync(descriptor);
  return fs.readFileSync(path, 'utf8').split('\n').slice(0, -1);
}

const everything = (log: Logger): void => {
  log.debug('a');
  log.info('b');
  log.warning('c');
  log.error('d');
};

test('a line is one JSON object with time, level, logger and message, spaced as greps expect', async (t) => {
  const [line = ''] = await linesOf(t, 'INFO', (log) => log.info('Query executed', { is_slow: true, result_count: 3 }));
  const { timestamp, ...rest } = JSON.parse(line) as Record<string, unknown>;
  assert.match(String(timestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(rest, {
    level: 'INFO',
    logger: 'telemetry_api',
    message: 'Query executed',
    is_slow: true,
    result_count: 3,
  });
  assert.match(
    line,
    /^\{"timestamp": "[^"]+", "level": "INFO", "logger": "telemetry_api", "message": "Query executed", "is_slow": true, "result_count": 3\}$/,
  );
});

for (const [level, written] of [
  ['DEBUG', 'abcd'],
  ['INFO', 'bcd'],
  ['WARNING', 'cd'],
  ['ERROR', 'd'],
] as const) {
  test(`at ${level} only lines of that level and above are written`, async (t) => {
    const lines = (await linesOf(t, level, everything)).map(
      (line) => (JSON.parse(line) as { message: string }).message,
    );
    assert.equal(lines.join(''), written);
  });
}

test('a line stays one line whatever is in it', async (t) => {
  const lines = await linesOf(t, 'INFO', (log) => log.info('one\ntwo\r\u2028', { query_params: { a: 'x\ny' } }));
  assert.equal(lines.length, 1);
  assert.equal((JSON.parse(lines[0] ?? '') as { message: string }).message, 'one\ntwo\r\u2028');
});

test('spaced JSON means the same as JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) =>
      assert.deepEqual(JSON.parse(spaced(value)), JSON.parse(JSON.stringify(value))),
    ),
  );
});

test('members without a value are left out, and values without JSON are null', () => {
  assert.equal(spaced({ a: undefined, b: [undefined, 1], c: {} }), '{"b": [null, 1], "c": {}}');
});

test('a line whose reader has gone does no harm', (t) => {
  writesOf(t, { held: true });
  const descriptor = fs.openSync(join(folder(t), 'out.log'), 'a');
  const log = createLogger('INFO', descriptor);
  log.info('one');
  log.info('two');
  fs.closeSync(descriptor);
  assert.doesNotThrow(() => void log.flush());
});

test('flushing writes all lines in their order, also while one is just being written', async (t) => {
  const release = writesOf(t, { held: true });
  const path = join(folder(t), 'out.log');
  const descriptor = fs.openSync(path, 'a');
  const log = createLogger('INFO', descriptor);
  log.info('first');
  log.info('second');
  const flushed = Promise.resolve(log.flush());
  release();
  await flushed;
  fs.closeSync(descriptor);
  assert.deepEqual(fs.readFileSync(path, 'utf8').match(/first|second/g), ['first', 'second']);
});
