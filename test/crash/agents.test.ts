import assert from 'node:assert/strict';
import { test } from 'node:test';
import { temporaryDirectory } from '../support/service.ts';
import { agentsKilled, bothKilled, type Outcome, serviceKilled, SERVICES } from './agent-matrix.ts';
import { BOUNDED } from './process.ts';
import { Random } from './random.ts';

function assertAllThere({ lost, wrong, returned }: Outcome): void {
  assert.deepEqual({ lost, wrong }, { lost: [], wrong: [] });
  assert.ok(returned > 0, 'something was recorded');
}

for (const state of SERVICES) {
  test(
    `what agents recorded before they were killed arrives once, in its last state (service ${state})`,
    BOUNDED,
    async (t) => {
      assertAllThere(await agentsKilled(temporaryDirectory(t), new Random(20_260_110), state, 2));
    },
  );
}

test(
  'a service that is killed while it drains what clients left stores every run in its last state',
  BOUNDED,
  async (t) => {
    assertAllThere(await serviceKilled(temporaryDirectory(t), new Random(7), 3, 3_000));
  },
);

test('agents and the service are killed, again and again, and nothing recorded is lost', BOUNDED, async (t) => {
  assertAllThere(await bothKilled(temporaryDirectory(t), new Random(7), 5));
});
