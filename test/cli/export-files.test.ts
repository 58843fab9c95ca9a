/** The file of an export: whose name it gets, and what is left of it where it does not come to its end. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { writeOut } from '../../src/cli/export/output.ts';
import { Terminal } from '../../src/cli/terminal.ts';
import { startCli } from '../support/cli.ts';
import { fakeService } from '../support/fake-service.ts';
import { temporaryDirectory } from '../support/service.ts';

const terminal = new Terminal({ environment: {}, stdout: new PassThrough(), stderr: new PassThrough() });

interface Exporting {
  /** Resolves once something of it is written. */
  begun: Promise<void>;
  end: () => void;
  done: Promise<void>;
}

/** An export that has written its first line, and ends when it is told to. */
function exporting(path: string, text: string, force = false): Exporting {
  const { promise: asked, resolve: end } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  async function* chunks(): AsyncGenerator<string> {
    yield `${text} begins\n`;
    begin();
    await asked;
    yield `${text} ends\n`;
  }
  const options = { path, gzip: false, force, database: join(path, '..', 'no.sqlite') };
  return { begun, end, done: writeOut(chunks(), options, terminal) };
}

test('of two exports to one file the first to end has it, whole, and the other is refused', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'runs.ndjson');
  const [slow, quick] = [exporting(path, 'slow'), exporting(path, 'quick')];
  await Promise.all([slow.begun, quick.begun]);
  assert.equal(readdirSync(directory).length, 2);
  quick.end();
  await quick.done;
  slow.end();
  await assert.rejects(
    slow.done,
    /is there already and was left as it is\. Name another file in --output, or add --force/,
  );
  assert.equal(readFileSync(path, 'utf8'), 'quick begins\nquick ends\n');
  assert.deepEqual(readdirSync(directory), ['runs.ndjson']);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('with --force the last to end has it, whole', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'runs.ndjson');
  const [slow, quick] = [exporting(path, 'slow', true), exporting(path, 'quick', true)];
  await Promise.all([slow.begun, quick.begun]);
  quick.end();
  await quick.done;
  slow.end();
  await slow.done;
  assert.equal(readFileSync(path, 'utf8'), 'slow begins\nslow ends\n');
  assert.deepEqual(readdirSync(directory), ['runs.ndjson']);
});

test('a file that somebody else calls .partial is left alone', async (t) => {
  const path = join(temporaryDirectory(t), 'runs.ndjson');
  writeFileSync(`${path}.partial`, 'mine');
  const { end, done } = exporting(path, 'one');
  end();
  await done;
  assert.equal(readFileSync(`${path}.partial`, 'utf8'), 'mine');
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`an export that ${signal} ends leaves nothing behind, and ends as by that signal`, async (t) => {
    const fake = await fakeService(t);
    fake.script = (_received, count) =>
      count === 1
        ? { status: 200, body: [{ event_id: 'a' }], headers: { Link: '</api/v1/runs?cursor=x>; rel="next"' } }
        : 'hang';
    const directory = temporaryDirectory(t);
    const child = startCli(['export', '--url', fake.url, '--output', join(directory, 'runs.ndjson')]);
    const exit = once(child, 'close');
    await fake.receives(2);
    assert.match(String(readdirSync(directory)), /^runs\.ndjson\.[0-9a-f]{8}\.partial$/);
    child.kill(signal);
    assert.deepEqual(await exit, [null, signal]);
    assert.deepEqual(readdirSync(directory), []);
  });
}
