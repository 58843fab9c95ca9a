/** An address at which something else answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cliHere } from '../support/cli-here.ts';
import { fakeService } from '../support/fake-service.ts';
import { type Run } from '../support/http.ts';
import { aRun } from '../support/service.ts';

const FOREIGN =
  /The service at http:\/\/127\.0\.0\.1:\d+ does not answer as a telemetry service does\. Is the address right\?/;
const html = '<!doctype html><title>Welcome</title>';

async function asked(t: Parameters<typeof fakeService>[0], words: string[], bodies: readonly unknown[]): Promise<void> {
  const fake = await fakeService(t);
  for (const body of bodies) {
    fake.script = () => ({ status: 200, body });
    const { code, stdout, stderr } = await cliHere([...words, '--url', fake.url]);
    const about = `${words.join(' ')}: ${JSON.stringify(body)}`;
    assert.match(stderr, FOREIGN, about);
    assert.deepEqual([code, stdout], [1, ''], about);
  }
}

test('what is no run is not shown as one', async (t) => {
  await asked(t, ['runs', 'x'], [{}, [], [aRun()], '[1]', 'null', '"x"', html, '', { event_id: 1 }]);
});

test('what is no list of runs is not taken for one', async (t) => {
  const lists = [{}, [aRun(), null], '[1]', [[aRun()]], 'null', html, '', [{ id: 1 }], '[{"event_id":"torn"}'];
  for (const words of [
    ['runs'],
    ['runs', '--json'],
    ['stale'],
    ['stale', '--json'],
    ['export'],
    ['stale', '--cancel'],
  ]) {
    await asked(t, words, lists);
  }
});

test('stale --json breaks off between two lines, and has its trailer only where all came', async (t) => {
  const fake = await fakeService(t);
  const run = aRun();
  const page = { status: 200, body: [run, run], headers: { Link: '</api/v1/runs?cursor=x>; rel="next"' } };
  fake.script = (_received, count) => (count === 1 ? page : 'cut');
  const { code, stdout } = await cliHere(['stale', '--json', '--url', fake.url]);
  assert.equal(code, 1);
  assert.deepEqual(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Run),
    [run, run],
  );
});
