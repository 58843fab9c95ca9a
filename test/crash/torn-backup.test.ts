import assert from 'node:assert/strict';
import { appendFileSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { TelemetryClient } from '../../src/client/index.ts';
import { temporaryDirectory } from '../support/service.ts';

/** What a kill in the midst of a long write leaves: the start of a line. */
const TORN = '{"record_type":"event","payload_json":{"text":"xxxx';

function aClient(t: TestContext, baseDir: string): TelemetryClient {
  const client = new TelemetryClient({ baseDir, testMode: 'mock', git: false });
  t.after(() => client.close());
  return client;
}

/** The event types in the backup, of the lines that parse. */
function eventsIn(directory: string): unknown[] {
  const lines = globSync('raw/*.ndjson', { cwd: directory }).flatMap((path) =>
    readFileSync(join(directory, path), 'utf8').split('\n'),
  );
  const whole = lines.filter((line) => line !== '' && line !== TORN);
  return whole.map((line) => (JSON.parse(line) as { event_type: unknown }).event_type);
}

function tear(directory: string): void {
  const [path = ''] = globSync(join(directory, 'raw', '*.ndjson'));
  appendFileSync(path, TORN);
}

test('an event stands by itself behind the line that a killed agent has torn', (t) => {
  const directory = temporaryDirectory(t);
  aClient(t, directory).logEvent('run', 'before');
  tear(directory);
  aClient(t, directory).logEvent('run', 'after');
  assert.deepEqual(eventsIn(directory), ['before', 'after']);
});

test('an event stands by itself behind the line that another agent has torn meanwhile', (t) => {
  const directory = temporaryDirectory(t);
  const client = aClient(t, directory);
  client.logEvent('run', 'before');
  tear(directory);
  client.logEvent('run', 'after');
  assert.deepEqual(eventsIn(directory), ['before', 'after']);
});
