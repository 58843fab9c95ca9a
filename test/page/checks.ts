/** What must be true of the page. Each throws where it is not. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import type { Tab } from './chromium.ts';
import type { Reader } from './reader.ts';

export type Check = (reader: Reader) => Promise<void>;

interface Described {
  paths: Record<string, Record<string, Operation>>;
}

interface Operation {
  operationId: string;
  parameters?: { name: string }[];
  responses: object;
}

/** What a command prints. */
export const shell = (command: string, env: Record<string, string> = {}): string =>
  execFileSync('sh', ['-c', command], {
    encoding: 'utf8',
    timeout: 20_000,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...env },
  });

const exampleOf = async (reader: Reader): Promise<Record<string, unknown>> =>
  JSON.parse(await reader.value('createRun', 'body')) as Record<string, unknown>;

/** Of a service that wants no token. */
export const CHECKS: Readonly<Record<string, Check>> = {
  'it loads without a word on the console, and asks nobody but the service': async ({ tab, url }) => {
    await tab.until(`document.readyState === 'complete'`);
    assert.deepEqual(tab.of('Log.entryAdded'), []);
    assert.deepEqual(tab.of('Runtime.consoleAPICalled'), []);
    assert.deepEqual(tab.of('Runtime.exceptionThrown'), []);
    const asked = tab.of('Network.requestWillBeSent').map(({ request }) => (request as { url: string }).url);
    const foreign = asked.filter((each) => !each.startsWith(`${url}/`) && !/^(data:|about:blank)/.test(each));
    assert.deepEqual(foreign, []);
    assert.ok(asked.length > 5, `only ${asked.length} requests were seen`);
    const failed = tab
      .of('Network.responseReceived')
      .filter(({ response }) => (response as { status: number }).status >= 400);
    assert.deepEqual(failed, []);
  },
  'every operation of the document is shown, with its fields': async (reader) => {
    const document = (await (await fetch(`${reader.url}/openapi.json`)).json()) as Described;
    const said = Object.values(document.paths).flatMap((item) => Object.values(item));
    const ids = said.map(({ operationId }) => operationId);
    assert.deepEqual((await reader.unfoldAll()).sort(), ids.sort());
    for (const { operationId, parameters = [], responses } of said) {
      const shown = await reader.tab.evaluate<string>(`document.getElementById('${operationId}').textContent`);
      for (const { name } of parameters) assert.ok(shown.includes(name), `${operationId} does not show ${name}`);
      for (const status of Object.keys(responses)) assert.ok(shown.includes(status), `${operationId}: no ${status}`);
    }
    const create = await reader.tab.evaluate<string>(`document.querySelector('#createRun table').textContent`);
    for (const field of ['event_id', 'metrics_json', 'parent_run_id']) assert.ok(create.includes(field), field);
  },
  'a run is posted, read and changed': async (reader) => {
    await reader.open();
    for (const id of ['createRun', 'getRun', 'updateRun']) await reader.unfold(id);
    const run = { ...(await exampleOf(reader)), event_id: 'a run/of ü', metrics_json: { long: 0 } };
    const body = JSON.stringify(run).replace('"long":0', '"long":12345678901234567890');
    await reader.fill('createRun', 'body', body);
    const created = await reader.send('createRun');
    assert.equal(created.status, 201, created.state);
    assert.match(created.headers, /content-type: application\/json/);
    await reader.fill('updateRun', 'event_id', run.event_id);
    await reader.fill('updateRun', 'body', '{"status": "failed"}');
    assert.equal((await reader.send('updateRun')).status, 200);
    await reader.fill('getRun', 'event_id', run.event_id);
    const { status, body: shown } = await reader.send('getRun');
    assert.equal(status, 200);
    assert.match(shown, /^ {2}"status": "failure",$/m);
    assert.match(shown, /^ {4}"long": 12345678901234567890$/m);
  },
  'a wrong body shows 422 and the detail': async (reader) => {
    await reader.unfold('createRun');
    await reader.fill('createRun', 'body', '{"event_id": "x"}');
    const { status, body } = await reader.send('createRun');
    assert.equal(status, 422);
    assert.match(body, /"msg": "Field required"/);
  },
  'an operation without its required parameter is not sent': async (reader) => {
    await reader.unfold('getRun');
    await reader.fill('getRun', 'event_id', '');
    const asked = reader.tab.of('Network.requestWillBeSent').length;
    await reader.tab.evaluate(`document.querySelector('#getRun .send').click()`);
    assert.equal(await reader.tab.evaluate(`document.querySelector('#getRun form').checkValidity()`), false);
    assert.equal(reader.tab.of('Network.requestWillBeSent').length, asked);
  },
  'an event_id of dots is not sent to another address, but by the command': async (reader) => {
    await reader.open();
    for (const id of ['getRun', 'getCommitUrl']) {
      await reader.unfold(id);
      await reader.fill(id, 'event_id', '..');
      const asked = reader.tab.of('Network.requestWillBeSent').length;
      assert.match((await reader.send(id)).state, /^Browsers do not send \. or \.\. as a part of a path\./);
      assert.equal(reader.tab.of('Network.requestWillBeSent').length, asked);
      assert.match(shell(await reader.command(id)), /^HTTP\/1\.1 404[^]*Run not found: \.\./);
    }
  },
  'the command sends what the form sends': async (reader) => {
    await reader.open();
    await reader.unfold('createRun');
    const run = { ...(await exampleOf(reader)), event_id: "it's $HOME `id` \\ @x {a,b}", output_summary: 'a\nb "c"' };
    await reader.fill('createRun', 'body', JSON.stringify(run, null, 1));
    const first = shell(await reader.command('createRun'));
    assert.match(first, /^HTTP\/1\.1 201/);
    assert.match((await reader.send('createRun')).body, /"status": "duplicate"/);
    await reader.unfold('listRuns');
    await reader.fill('listRuns', 'status', 'success\nfailure');
    await reader.fill('listRuns', 'run_id_contains', "{a,b} [1-3] '&?");
    assert.match(shell(await reader.command('listRuns')), /^HTTP\/1\.1 200[^]*\[\]$/);
    assert.equal((await reader.send('listRuns')).status, 200);
  },
  'an address with an operation opens it and scrolls to it': async (reader) => {
    await reader.open('#updateRun');
    await reader.tab.until(`document.activeElement.closest('#updateRun')`);
    const top = await reader.tab.evaluate<number>(`document.getElementById('updateRun').getBoundingClientRect().top`);
    assert.ok(Math.abs(top) < 40, `it is ${top} px from the top`);
    await reader.unfold('getHealth');
    await reader.tab.until(`location.hash === '#getHealth'`);
  },
  'the filter finds words of path, summary and field': async (reader) => {
    await reader.open();
    await reader.set('#page-filter', 'patch EVENT_ID');
    assert.deepEqual(await reader.ids(), ['updateRun']);
    await reader.set('#page-filter', 'zebra');
    assert.deepEqual(await reader.ids(), []);
    assert.match(await reader.tab.evaluate(`document.getElementById('page-status').textContent`), /^0 of \d+/);
  },
  'the keyboard opens an operation and sends': async ({ tab }) => {
    await tab.until(`document.querySelector('.operation')`);
    await tab.evaluate(`document.getElementById('page-filter').value = ''`);
    await tab.evaluate(`document.getElementById('page-filter').dispatchEvent(new Event('input'))`);
    await tab.evaluate(`document.querySelector('#getHealth > summary').focus()`);
    await press(tab, 'Enter', '\r');
    await tab.until(`document.querySelector('#getHealth .trial')`);
    await tab.evaluate(`document.querySelector('#getHealth .trial > summary').focus()`);
    await press(tab, ' ', ' ');
    await tab.until(`document.querySelector('#getHealth form')`);
    await tab.evaluate(`document.querySelector('#getHealth .send').focus()`);
    await press(tab, ' ', ' ');
    await tab.until(`document.querySelector('#getHealth .state').textContent.startsWith('200')`);
  },
};

/** Presses and releases a key. */
async function press(tab: Tab, key: string, text: string): Promise<void> {
  const code = key === ' ' ? 32 : 13;
  const fields = { key, text, windowsVirtualKeyCode: code };
  await tab.send('Input.dispatchKeyEvent', { type: 'keyDown', ...fields });
  await tab.send('Input.dispatchKeyEvent', { type: 'keyUp', ...fields });
}
