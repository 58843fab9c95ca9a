import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { aClient, type ClientBench, linesIn, spoolNames } from '../support/client.ts';
import type { Script } from '../support/fake-transport.ts';

const JOBS = 6;

type Step =
  | { act: 'start' | 'end' | 'metrics' | 'commit'; run: number; value: number }
  /** The event loop turns, so that sending goes on; with a flush, pauses end. */
  | { act: 'turn' | 'flush' | 'close' | 'take away' };

interface Scenario {
  older: boolean;
  maxQueuedRuns: number;
  bufferMaxSizeMb: number;
  steps: Step[];
  fates: (string | number)[];
}

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constantFrom('start', 'start', 'metrics', 'end', 'commit'),
      run: fc.nat(JOBS - 1),
      value: fc.nat(1_000),
    }),
  },
  { weight: 3, arbitrary: fc.record({ act: fc.constantFrom('turn', 'flush') }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constantFrom('close', 'take away') }) },
);

/** What becomes of each request in turn; afterwards all is well. */
const fate = fc.constantFrom('stored', 'stored', 'stored', 'unheard', 'lost', 503, 404, 413);

const scenario: fc.Arbitrary<Scenario> = fc.record({
  older: fc.boolean(),
  maxQueuedRuns: fc.constantFrom(1, 3, 100),
  bufferMaxSizeMb: fc.constantFrom(0.001, 10),
  steps: fc.array(step, { minLength: 5, maxLength: 60 }),
  fates: fc.array(fate, { maxLength: 30 }),
});

function scriptOf({ transport }: ClientBench, fates: readonly (string | number)[]): Script {
  return ({ method, path, body }, count) => {
    const found = fates[count - 1];
    const single = !Array.isArray(body) || body.length === 1;
    // A single run that is too large would be rejected.
    if (typeof found === 'number' && !(found === 413 && single)) return { status: found };
    if (found === 'unheard') transport.store.handle(method, path, JSON.stringify(body));
    if (found === 'unheard' || found === 'lost') throw new Error('socket hang up');
    return undefined;
  };
}

/** Plays the steps. @returns what each run must be in the end, by its event_id */
async function play({ client, spool }: ClientBench, steps: readonly Step[]): Promise<Map<string, object>> {
  const runs = new Map<number, string>();
  const expected = new Map<string, Record<string, unknown>>();
  const tell = (job: number, state: Record<string, unknown>): void => {
    const current = [...expected.values()].findLast((each) => each.job_type === `job ${job}`);
    Object.assign(current as object, state);
  };
  for (const each of [
    ...steps,
    ...Array.from({ length: JOBS }, (_run, run) => ({ act: 'end', run, value: 0 }) as Step),
  ]) {
    const id = 'run' in each ? runs.get(each.run) : undefined;
    if (each.act === 'start' && id === undefined) {
      const event_id = `event-${expected.size}`;
      runs.set(each.run, client.startRun('agent', `job ${each.run}`, { event_id, items_failed: each.value }));
      expected.set(event_id, { job_type: `job ${each.run}`, items_failed: each.value });
    } else if (each.act === 'metrics' && id !== undefined) {
      client.setMetrics(id, { items_discovered: each.value });
      tell(each.run, { items_discovered: each.value });
    } else if (each.act === 'commit' && id !== undefined) {
      void client.associateCommit(id, `abcdef${each.value}`);
      tell(each.run, { git_commit_hash: `abcdef${each.value}` });
    } else if (each.act === 'end' && id !== undefined) {
      client.endRun(id, 'partial', { items_skipped: each.value });
      tell(each.run, { status: 'partial', items_skipped: each.value });
      runs.delete(each.run);
    } else if (each.act === 'flush') await client.flush(0);
    else if (each.act === 'close') void client.close();
    // Someone takes the whole spool: what memory holds is delivered all the same.
    else if (each.act === 'take away' && (await client.getStats()).delivery.overflowed === 0) {
      rmSync(spool, { recursive: true, force: true });
    }
    await turn();
  }
  return expected;
}

/** Found once: what had gone to disk only was never told to a service that does not merge. */
const OVERFLOWED: Scenario = {
  ...{ older: true, maxQueuedRuns: 1, bufferMaxSizeMb: 0.001, fates: ['stored', 503, 404] },
  steps: [
    { act: 'start', run: 4, value: 0 },
    { act: 'start', run: 0, value: 0 },
    { act: 'close' },
    { act: 'metrics', run: 4, value: 0 },
    { act: 'start', run: 0, value: 0 },
    { act: 'flush' },
    { act: 'turn' },
    { act: 'start', run: 0, value: 0 },
  ],
};

test('whatever an agent does and whatever becomes of the requests, each run arrives in its last state', async (t) => {
  const arrives = fc.asyncProperty(scenario, async ({ older, maxQueuedRuns, bufferMaxSizeMb, steps, fates }) => {
    const bench = aClient(t, { maxQueuedRuns, bufferMaxSizeMb, fsync: 'off' });
    const { client, transport, spool } = bench;
    transport.store.older = older;
    transport.script = scriptOf(bench, fates);
    const expected = await play(bench, steps);
    transport.script = () => undefined;
    assert.equal(await client.flush(), true);
    assert.equal(transport.store.runs.size, expected.size);
    for (const [eventId, state] of expected) {
      const stored = transport.store.runs.get(eventId) ?? {};
      assert.deepEqual(Object.fromEntries(Object.keys(state).map((name) => [name, stored[name]])), state, eventId);
    }
    await client.close();
    assert.deepEqual([linesIn(spool), spoolNames(spool)], [[], []]);
  });
  await fc.assert(arrives, { numRuns: 150, examples: [[OVERFLOWED]] });
});
