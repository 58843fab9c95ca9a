import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe, fromWire, invalid, type Issue, systemCode, TelemetryError, toWire, unwrap } from '../src/errors.ts';

const ISSUE: Issue = { type: 'enum', loc: ['body', 'status'], msg: 'Input should be a status', input: 'done' };

const acrossThreads = (error: unknown): TelemetryError => fromWire(structuredClone(toWire(error)));

test('an error of ours crosses a thread with its name, code, message, issues and cause', () => {
  const sent = new TelemetryError('full', 'The disk is full', { issues: [ISSUE], cause: new Error('ENOSPC') });
  sent.name = 'DiskFull';
  const { name, code, message, issues, cause } = acrossThreads(sent);
  assert.deepEqual([name, code, message, issues, cause], ['DiskFull', 'full', 'The disk is full', [ISSUE], 'ENOSPC']);
});

test('an error of ours without issues and cause arrives without them', () => {
  const arrived = acrossThreads(new TelemetryError('busy', 'Later'));
  assert.equal(arrived.issues, undefined);
  assert.equal('cause' in arrived, false);
});

test('any other error arrives as internal, with its name and stack for the log', () => {
  const sent = new RangeError('out of range');
  const arrived = acrossThreads(sent);
  assert.deepEqual([arrived.name, arrived.code, arrived.message], ['RangeError', 'internal', 'out of range']);
  assert.equal(arrived.cause, sent.stack);
});

test('what is thrown and is no error arrives as internal too', () => {
  for (const thrown of ['text', 5, null, undefined]) {
    const { name, code, message } = acrossThreads(thrown);
    assert.deepEqual([name, code, message], ['Error', 'internal', String(thrown)]);
  }
});

test('an outcome gives its value, or throws its error', () => {
  assert.equal(unwrap({ ok: true, value: 5 }), 5);
  const error = toWire(new TelemetryError('not_found', 'Run not found: x'));
  assert.throws(() => unwrap({ ok: false, error }), {
    name: 'TelemetryError',
    code: 'not_found',
    message: 'Run not found: x',
  });
});

test('an invalid input says its first issue and keeps all', () => {
  const error = invalid([ISSUE, { ...ISSUE, loc: ['body', 'items', 3] }]);
  assert.equal(error.code, 'invalid');
  assert.equal(error.message, 'body.status: Input should be a status');
  assert.equal(error.issues?.length, 2);
  assert.equal(invalid([]).message, 'Invalid input');
});

test('only an error with a textual code has a system code', () => {
  assert.equal(systemCode(Object.assign(new Error('x'), { code: 'SQLITE_FULL' })), 'SQLITE_FULL');
  assert.equal(systemCode(Object.assign(new Error('x'), { code: 5 })), undefined);
  assert.equal(systemCode(new Error('x')), undefined);
  assert.equal(systemCode({ code: 'ENOENT' }), undefined);
});

test('an error is described by its message, anything else as text', () => {
  assert.equal(describe(new TypeError('wrong')), 'wrong');
  assert.equal(describe('thrown text'), 'thrown text');
});
