/** NaN as Python writes it, where our client reads what others wrote. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleaned } from '../../src/client/fields.ts';
import { redeliver } from '../../src/client/redelivery.ts';
import { FakeTransport } from '../support/fake-transport.ts';

test('metrics that are given as text with NaN are kept', () => {
  const { values, problems } = cleaned({ metrics_json: '{"l":NaN,"n":1}' });
  assert.deepEqual([values, problems], [{ metrics_json: { l: null, n: 1 } }, []]);
});

test('a line of the spool with NaN is delivered as it is: the service mends it', async () => {
  const sent: (string | undefined)[] = [];
  const transport = new FakeTransport();
  transport.request = (_method, _path, body) => {
    sent.push(body);
    const counts = { inserted: 1, duplicates: 0, merged: 0, errors: [], total: 1 };
    return Promise.resolve({ status: 200, retryAfterMs: undefined, body: counts });
  };
  const line = '{"event_id":"a","metrics_json":{"l":NaN}}';
  assert.deepEqual(await redeliver([line], transport), { verdict: { kind: 'stored' }, rejected: [] });
  assert.deepEqual(sent, [`[${line}]`]);
});
