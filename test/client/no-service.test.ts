/** What an agent's user is told where the service is not reached. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aClient } from '../support/client.ts';

const HINT = '. Start it; TELEMETRY_API_URL says where it is';

/** An error of the network, as Node throws it. */
const failure = (message: string, code: string): Error => Object.assign(new Error(message), { code });

const REASONS: [string, Error, string][] = [
  ['an address', failure('connect ECONNREFUSED 127.0.0.1:8765', 'ECONNREFUSED'), `connect ECONNREFUSED 127.0.0.1:8765`],
  // A name with several addresses: the error of all of them has no message.
  ['a name of several addresses', Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
];

for (const [where, error, reason] of REASONS) {
  test(`where nobody listens at ${where} there is one warning, with the setting that says where the service is`, async (t) => {
    const { client, transport, warnings } = aClient(t);
    transport.script = () => {
      throw error;
    };
    for (let n = 0; n < 3; n++) {
      client.endRun(client.startRun('agent', 'job'), 'success');
      await client.close();
    }
    assert.deepEqual(warnings, [
      `local-telemetry: the service does not take runs now (${reason}); they wait on disk${HINT}`,
    ]);
    assert.equal((await client.getStats()).delivery.last_error, reason);
  });
}

test('other reasons bring no setting that has nothing to do with them', async (t) => {
  const { client, transport, warnings } = aClient(t);
  transport.script = () => ({ status: 503, body: { detail: 'busy' } });
  client.startRun('agent', 'job');
  await client.close();
  assert.deepEqual(warnings, ['local-telemetry: the service does not take runs now (503 busy); they wait on disk']);
});
