/** Which answers are acknowledgements of what was sent; every other is not from the service. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Request, refusedItems, verdictOf } from '../../src/client/requests.ts';
import { aClient, linesIn } from '../support/client.ts';

const kindOf = (kind: Request['kind'], status: number, body: unknown, ids = ['a']): string =>
  verdictOf({ status, body, retryAfterMs: undefined }, kind, ids).kind;

test('a created run is 201 and created, a known one duplicate, with the event_id that was sent', () => {
  assert.equal(kindOf('create', 201, { status: 'created', event_id: 'a' }), 'stored');
  assert.equal(kindOf('create', 200, { status: 'duplicate', event_id: 'a' }), 'duplicate');
  // The predecessor.
  assert.equal(kindOf('create', 201, { status: 'duplicate', event_id: 'a' }), 'duplicate');
  for (const [status, body] of [
    [201, { status: 'created', event_id: 'b' }],
    [200, { status: 'duplicate', event_id: 'b' }],
    [200, { status: 'created', event_id: 'a' }],
    [202, { status: 'created', event_id: 'a' }],
    [201, { status: 'queued', event_id: 'a' }],
    [201, { event_id: 'a' }],
    [204, undefined],
    [201, ['a']],
  ] as const)
    assert.equal(kindOf('create', status, body), 'later', JSON.stringify([status, body]));
});

test('a change is acknowledged as updated, with the event_id that was sent', () => {
  assert.equal(kindOf('update', 200, { event_id: 'a', updated: true, fields_updated: [] }), 'stored');
  for (const body of [{ event_id: 'b', updated: true }, { event_id: 'a', updated: false }, { event_id: 'a' }, null])
    assert.equal(kindOf('update', 200, body), 'later');
  assert.equal(kindOf('update', 202, { event_id: 'a', updated: true }), 'later');
});

test('the counts of a batch add up to what was sent', () => {
  const ids = ['a', 'b', 'c'];
  const good = { inserted: 1, duplicates: 0, merged: 1, errors: ['c: no'], total: 3 };
  assert.equal(kindOf('merge', 200, good, ids), 'stored');
  assert.equal(kindOf('merge', 200, { inserted: 3, duplicates: 0, errors: [], total: 3 }, ids), 'stored');
  for (const wrong of [
    { total: 2 },
    { inserted: 0 },
    { inserted: 2 },
    { merged: '1' },
    { duplicates: -1, inserted: 2 },
    { errors: 1 },
  ])
    assert.equal(kindOf('merge', 200, { ...good, ...wrong }, ids), 'later', JSON.stringify(wrong));
});

test('errors that name a run twice, or one that was not sent, name nobody', () => {
  assert.deepEqual(refusedItems(['a', 'a:b', 'c'], ['a:b: no']), new Set([1]));
  assert.deepEqual(refusedItems(['a', 'b', 'c'], ['index 2: no', 'a: no']), new Set([2, 0]));
  assert.equal(refusedItems(['a', 'b'], ['a: no', 'a: no']), undefined);
  assert.equal(refusedItems(['one', 'two'], ['other: no']), undefined);
});

for (const runs of [1, 3]) {
  test(`a proxy that repeats another's acknowledgement takes nothing of ${runs} run(s) from the disk`, async (t) => {
    const { client, transport, spool } = aClient(t);
    transport.script = ({ body }) =>
      Array.isArray(body)
        ? { status: 200, body: { inserted: 1, duplicates: 0, merged: 0, errors: [], total: 1 } }
        : { status: 201, body: { status: 'created', event_id: 'another', run_id: 'another' } };
    for (let n = 0; n < runs; n++) client.startRun('agent', 'job');
    await transport.asks(1);
    await client.close();
    const { delivered, waiting } = (await client.getStats()).delivery;
    assert.deepEqual([delivered, waiting, linesIn(spool).length], [0, runs, runs]);
  });
}
