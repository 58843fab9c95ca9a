import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Liveness } from '../../../src/actors/readers/liveness.ts';
import { foreignConnection } from '../../support/http.ts';
import { startService } from '../../support/service.ts';

const never = (): Promise<never> => new Promise(() => undefined);

test('all who want to know share one query, also when they have gone', async () => {
  let asked = 0;
  const liveness = new Liveness(() => {
    asked++;
    return never();
  });
  const answers = await Promise.all(Array.from({ length: 100 }, () => liveness.trouble(10)));
  assert.deepEqual(new Set(answers), new Set(['no query was answered within 0.01 s']));
  await liveness.trouble(10);
  assert.equal(asked, 1);
});

test('where a query was answered a moment ago, none is asked', async () => {
  let now = 0;
  const liveness = new Liveness(
    () => Promise.reject(new Error('no file')),
    () => now,
  );
  liveness.answered();
  now = 999;
  assert.equal(await liveness.trouble(1_000), undefined);
  now = 1_000;
  assert.equal(await liveness.trouble(1_000), 'no file', 'and then the reason is the failure');
  liveness.answered();
  assert.equal(await liveness.trouble(1_000), undefined);
});

test('a busy service is not in trouble: others are answered while the question waits', async () => {
  let now = 0;
  const liveness = new Liveness(never, () => now);
  const trouble = liveness.trouble(10);
  now = 1;
  liveness.answered();
  assert.equal(await trouble, undefined);
});

test('a database that nobody can read is told within the time, by one query of the pool', async (t) => {
  const service = await startService(t);
  const { readers } = service.platform;
  t.mock.method(
    performance,
    'now',
    (
      (now) => () =>
        now() + 1_001
    )(performance.now.bind(performance)),
  );
  const foreign = foreignConnection(t, service.path);
  foreign.exec('BEGIN EXCLUSIVE');
  const answers = await Promise.all(Array.from({ length: 200 }, () => readers.trouble(50)));
  assert.deepEqual(new Set(answers), new Set(['no query was answered within 0.05 s']));
  assert.equal(readers.queueSize, 0, 'the one is with the reader');
  foreign.exec('ROLLBACK');
  assert.equal(await readers.trouble(30_000), undefined);
});

test('a list is one query for whoever counts, and the questions of the service itself are none', async (t) => {
  const { readers } = (await startService(t)).platform;
  const counted = (): number => readers.seconds.counts.reduce((sum, count) => sum + count, 0);
  const before = counted();
  await readers.list({ filter: { product: 'none' }, limit: 10, offset: 0, sliceMs: 0 });
  await readers.ask('series', { limit: 1 });
  await readers.ask('counted', {});
  assert.equal(counted() - before, 1);
});
