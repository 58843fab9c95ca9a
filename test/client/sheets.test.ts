import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { takeClock } from '../../src/client/clock.ts';
import { Guard } from '../../src/client/guard.ts';
import { Sheets } from '../../src/client/sheets.ts';
import { aClient } from '../support/client.ts';
import { type FakeService, fakeService } from '../support/fake-service.ts';

/** Sets variables of the environment for one test. */
function environment(t: TestContext, variables: Record<string, string>): void {
  for (const [name, value] of Object.entries(variables)) {
    process.env[name] = value;
    t.after(() => delete process.env[name]);
  }
}

interface Bench {
  sheet: FakeService;
  sheets: Sheets;
  pauses: number[];
  warnings: string[];
}

async function aSheet(t: TestContext, timeoutMs = 5_000): Promise<Bench> {
  const sheet = await fakeService(t);
  const pauses: number[] = [];
  const warnings: string[] = [];
  const pause = (milliseconds: number): Promise<void> => {
    pauses.push(milliseconds);
    return Promise.resolve();
  };
  const guard = new Guard((message) => warnings.push(message));
  const sheets = new Sheets({ url: `${sheet.url}/exec?id=1`, token: 'secret', timeoutMs, pause }, guard);
  t.after(() => sheets.close());
  return { sheet, sheets, pauses, warnings };
}

test('when it is on a run that ends is sent to the sheet once, and counts only its first end', async (t) => {
  const sheet = await fakeService(t);
  sheet.script = () => ({ status: 302, headers: { Location: 'https://example.org/' } });
  environment(t, {
    GOOGLE_SHEETS_API_ENABLED: 'yes',
    GOOGLE_SHEETS_API_URL: `${sheet.url}/exec`,
    METRICS_API_TOKEN: 'secret',
  });
  const { client } = aClient(t);
  const run = client.startRun('agent', 'job', { product: 'slides' });
  client.setMetrics(run, { items_discovered: 5 });
  client.endRun(run, 'partial', { items_failed: 1 });
  client.endRun(run, 'success');
  await sheet.receives(1);
  await client.close();
  const [sent, ...more] = sheet.received;
  assert.deepEqual(
    [more, sent?.method, sent?.path, sent?.headers.authorization],
    [[], 'POST', '/exec', 'Bearer secret'],
  );
  const { run_id, status, items_discovered, items_failed, product, ...rest } = JSON.parse(sent?.text ?? '') as Record<
    string,
    unknown
  >;
  assert.deepEqual([run_id, status, items_discovered, items_failed, product], [run, 'partial', 5, 1, 'slides']);
  assert.equal('event_id' in rest, false);
});

test('when it is off, or in mock mode, nothing goes to the sheet', async (t) => {
  const sheet = await fakeService(t);
  environment(t, { GOOGLE_SHEETS_API_URL: sheet.url, METRICS_API_TOKEN: 'secret' });
  const off = aClient(t);
  off.client.endRun(off.client.startRun('agent', 'job'));
  environment(t, { GOOGLE_SHEETS_API_ENABLED: 'true' });
  const mock = aClient(t, { testMode: 'mock' });
  mock.client.endRun(mock.client.startRun('agent', 'job'));
  await Promise.all([off.client.close(), mock.client.close()]);
  assert.deepEqual([sheet.received, off.warnings, mock.warnings], [[], [], []]);
});

for (const [what, variables] of Object.entries({
  'no address': { METRICS_API_TOKEN: 'secret' },
  'no address at all': { METRICS_API_TOKEN: 'secret', GOOGLE_SHEETS_API_URL: 'sheet' },
  'no token': { GOOGLE_SHEETS_API_URL: 'http://127.0.0.1:1' },
})) {
  test(`with ${what} it warns once and exports nothing`, (t) => {
    environment(t, { GOOGLE_SHEETS_API_ENABLED: '1', ...(variables as unknown as Record<string, string>) });
    const { client, warnings } = aClient(t);
    client.endRun(client.startRun('agent', 'job'));
    assert.equal(warnings.length, 1);
    assert.match(String(warnings[0]), /GOOGLE_SHEETS_API_URL and METRICS_API_TOKEN; nothing is exported/);
  });
}

test('it tries three times more, after 1, 2 and 4 s, and then warns', async (t) => {
  const { sheet, sheets, pauses, warnings } = await aSheet(t);
  sheet.script = () => ({ status: 500 });
  sheets.export({ run_id: 'run' });
  await sheets.settled();
  assert.deepEqual([sheet.received.length, pauses, warnings.length], [4, [1_000, 2_000, 4_000], 1]);
});

test('a broken connection and a missing answer are tried again, a success ends it', async (t) => {
  const { sheet, sheets, pauses, warnings } = await aSheet(t, 50);
  sheet.script = (_received, count) => (count === 1 ? 'cut' : count === 2 ? 'hang' : { status: 200, body: 'ok' });
  sheets.export({ run_id: 'run' });
  await sheets.settled();
  assert.deepEqual([sheet.received.length, pauses, warnings], [3, [1_000, 2_000], []]);
});

for (const status of [401, 403]) {
  test(`${status} is not tried again`, async (t) => {
    const { sheet, sheets, pauses, warnings } = await aSheet(t);
    sheet.script = () => ({ status });
    sheets.export({ run_id: 'run' });
    await sheets.settled();
    assert.deepEqual([sheet.received.length, pauses, warnings.length], [1, [], 1]);
  });
}

test('a sheet that hangs holds up neither the end of a run nor close for long', async (t) => {
  const sheet = await fakeService(t);
  sheet.script = () => 'hang';
  environment(t, { GOOGLE_SHEETS_API_ENABLED: 'on', GOOGLE_SHEETS_API_URL: sheet.url, METRICS_API_TOKEN: 'secret' });
  const { client, transport, warnings } = aClient(t, { timeoutMs: 60_000 });
  for (let n = 0; n < 150; n++) client.endRun(client.startRun('agent', 'job'));
  assert.equal(await client.flush(), true);
  assert.equal(transport.store.runs.size, 150);
  await sheet.receives(1);
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const timeouts: number[] = [];
  t.mock.method(globalThis, 'setTimeout', (call: () => void, milliseconds: number) => {
    timeouts.push(milliseconds);
    setImmediate(call);
    return { unref: () => undefined };
  });
  takeClock();
  t.after(takeClock);
  void client.close().then(resolve);
  await closed;
  t.mock.restoreAll();
  assert.ok(timeouts.every((milliseconds) => milliseconds <= 2_000));
  assert.deepEqual(warnings, ['local-telemetry: too many runs wait for the sheet']);
});
