import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalStatus, STATUS_NAMES, STATUSES, statusRank } from '../../src/run.ts';

test('each canonical status is itself', () => {
  assert.deepEqual(STATUSES, ['running', 'success', 'failure', 'partial', 'timeout', 'cancelled']);
  assert.deepEqual(STATUSES.map(canonicalStatus), STATUSES);
});

test('the names of older clients mean canonical ones', () => {
  assert.equal(canonicalStatus('failed'), 'failure');
  assert.equal(canonicalStatus('completed'), 'success');
  assert.equal(canonicalStatus('succeeded'), 'success');
  assert.deepEqual([...STATUS_NAMES].sort(), [...STATUSES, 'completed', 'failed', 'succeeded'].sort());
});

test('nothing else is a status, not even what every object has', () => {
  for (const text of ['', 'Running', 'RUNNING', ' running', 'done', 'error', 'constructor', '__proto__', 'size'])
    assert.equal(canonicalStatus(text), undefined, text);
});

test('running says least, cancelled more, every other end most', () => {
  const ranks = Object.fromEntries(STATUSES.map((status) => [status, statusRank(status)]));
  assert.deepEqual(ranks, { running: 0, cancelled: 1, success: 2, failure: 2, partial: 2, timeout: 2 });
});
