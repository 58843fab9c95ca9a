import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { plain } from '../../src/client/plain.ts';
import { aClient, spoolNames } from '../support/client.ts';

const HALF = '\ud83d';
/** An escape of half a character: JSON.stringify writes one where a text is not well-formed. */
const ESCAPED = /\\ud[89a-f]/i;

const text = fc.string({ unit: fc.constantFrom('a', HALF, '\udc00', '\u{1F600}', '\0') });

test('whatever an agent hands over becomes well-formed text, keys too', () => {
  const anything = fc.anything({ key: text, values: [text, fc.double(), fc.boolean()], withMap: true, withSet: true });
  const property = fc.property(anything, (value) => !ESCAPED.test(JSON.stringify(plain(value)) ?? ''));
  fc.assert(property, { numRuns: 300 });
});

test('no half of a character reaches the spool, the backup or the service, also where a text is cut', async (t) => {
  const { client, transport, directory, spool } = aClient(t, { agentOwner: `owner${HALF}` });
  const long = `${'x'.repeat(99_999)}\u{1F600} and more`;
  const sent: string[] = [];
  transport.script = ({ body }) => {
    sent.push(JSON.stringify(body));
    return { status: 503 };
  };
  const run = client.startRun(`agent${HALF}`, `job${HALF}`, {
    run_id: `run${HALF}`,
    event_id: `event${HALF}`,
    input_summary: long,
    context_json: { [`key${HALF}`]: `cut ${HALF}`, [`${'k'.repeat(199)}\u{1F600}`]: [HALF] },
    metrics_json: { long: `${'y'.repeat(400_000 - 1)}\u{1F600}z` },
  });
  client.logEvent(run, `event${HALF}`, { [HALF]: HALF });
  client.endRun(run, 'failure', { error_summary: `${HALF}!`, error_details: new Error(HALF).stack });
  await transport.asks(1);
  const [file = ''] = spoolNames(spool);
  const [backup = ''] = spoolNames(join(directory, 'raw'));
  const texts = [
    readFileSync(join(spool, file), 'utf8'),
    readFileSync(join(directory, 'raw', backup), 'utf8'),
    ...sent,
  ];
  assert.ok(texts.length >= 3);
  for (const each of texts) assert.doesNotMatch(each, ESCAPED);
});

test('NaN and Infinity are null, as the service takes them, and warned of', async (t) => {
  const { client, transport, warnings } = aClient(t);
  const run = client.startRun('agent', 'job', { metrics_json: { loss: NaN, rates: [1, -Infinity], fine: 2 } });
  client.endRun(run);
  await client.flush();
  assert.deepEqual(transport.store.runs.values().next().value?.metrics_json, { loss: null, rates: [1, null], fine: 2 });
  assert.deepEqual(warnings, ['local-telemetry: startRun: NaN or Infinity in metrics_json is recorded as null']);
});
