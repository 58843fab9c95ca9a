/** Whether what is imported is all that was exported, and how an import goes on that has failed. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { cliHere } from '../support/cli-here.ts';
import { fakeService } from '../support/fake-service.ts';
import { serviceOfFile } from '../support/http.ts';
import { aRun, localEnvironment, temporaryDirectory } from '../support/service.ts';

const RUNS = Array.from({ length: 5 }, (_, n) => aRun({ event_id: `run-${n}`, output_summary: 'größer' }));
const service = serviceOfFile({}, RUNS);
const line = (fields: object): string => `${JSON.stringify(fields)}\n`;

async function exportedText(...words: string[]): Promise<string> {
  const { code, stdout } = await cliHere(['export', ...words], localEnvironment(service().directory));
  assert.equal(code, 0);
  return stdout;
}

function written(t: TestContext, content: string | Uint8Array): string {
  const path = join(temporaryDirectory(t), 'runs.ndjson');
  writeFileSync(path, content);
  return path;
}

/** Imports without sending. @returns exit code and what is said to be incomplete */
async function checked(t: TestContext, content: string | Uint8Array, ...words: string[]): Promise<[number, string]> {
  const { code, stdout } = await cliHere(['import', '--dry-run', '--json', written(t, content), ...words]);
  return [code ?? -1, (JSON.parse(stdout) as { incomplete: string[] }).incomplete.join('\n')];
}

const withoutTrailer = (text: string): string => text.slice(0, text.lastIndexOf('{"record_type":"trailer"'));
const TOLD =
  /is not complete: it is of an export, and ends without its trailer\. .* export it again, or import it with --no-trailer/;

test('an export that is cut at the end of any line is not complete', async (t) => {
  const exported = await exportedText();
  assert.deepEqual(await checked(t, exported), [0, '']);
  const lines = exported.trimEnd().split('\n');
  assert.equal(lines.length, 6);
  for (let count = 1; count < lines.length; count++) {
    const [code, why] = await checked(t, `${lines.slice(0, count).join('\n')}\n`);
    assert.equal(code, 3);
    assert.match(why, TOLD);
  }
  const [packed, why] = await checked(t, gzipSync(withoutTrailer(exported)));
  assert.equal(packed, 3);
  assert.match(why, TOLD);
});

test('one without a trailer is complete if that is said; a trailer that is there is checked all the same', async (t) => {
  const exported = await exportedText();
  const bare = await exportedText('--no-trailer');
  assert.equal(bare, withoutTrailer(exported));
  assert.deepEqual(await checked(t, bare, '--no-trailer'), [0, '']);
  const [code, why] = await checked(t, exported.slice(exported.indexOf('\n') + 1), '--no-trailer');
  assert.equal(code, 3);
  assert.match(why, /its trailer \(line 5\) tells of 5 runs, and 4 stand before it/);
});

test('of two exports one behind the other each must have its trailer', async (t) => {
  const exported = await exportedText();
  assert.deepEqual(await checked(t, exported + exported), [0, '']);
  const [code, why] = await checked(t, exported + withoutTrailer(exported));
  assert.equal(code, 3);
  assert.match(why, TOLD);
});

test('what a client wrote needs no trailer, nor do lines of an export that were rejected', async (t) => {
  const exported = await exportedText();
  assert.deepEqual(await checked(t, line({ record_type: 'run', ...aRun() }) + line(aRun())), [0, '']);
  const rejected = line({
    file: 'a',
    line: 1,
    offset: 0,
    reason: 'busy',
    text: exported.slice(0, exported.indexOf('\n')),
  });
  assert.deepEqual(await checked(t, rejected), [0, '']);
});

test('a byte order mark and line ends of another system do not make an export another one', async (t) => {
  const exported = await exportedText();
  const marked = `\uFEFF${exported}`;
  const crossed = exported.replaceAll('\n', '\r\n');
  for (const text of [marked, crossed, `\uFEFF${crossed}`, marked + marked, exported.trimEnd(), crossed + exported]) {
    assert.deepEqual(await checked(t, text), [0, '']);
  }
  const [code, why] = await checked(t, exported.replace('größer', 'kleiner'));
  assert.equal(code, 3);
  assert.match(why, /what stands before its trailer \(line 6\) is not what was exported/);
});

test('an import that ended midway is run again as it says, though its file of rejected lines is kept', async (t) => {
  const fake = await fakeService(t);
  fake.script = (_received, count) => (count === 2 ? 'cut' : undefined);
  const runs = Array.from({ length: 4 }, (_, n) => line(aRun({ event_id: `again-${n}` })));
  const path = written(t, `{"torn": \n${runs.join('')}`);
  const [rejected, other] = [`${path}.rejected`, `${path}.rejected-2`];
  const words = ['import', path, '--batch-size', '2', '--url', fake.url, '--rejected'];
  const failed = await cliHere([...words, rejected]);
  assert.equal(failed.code, 1);
  assert.ok(
    failed.stderr.includes(
      `Run it again with another file in --rejected, for ${rejected} is kept: what is stored already is not stored twice.`,
    ),
    failed.stderr,
  );
  const again = await cliHere([...words, other]);
  assert.deepEqual([again.code, fake.store.runs.size], [3, 4]);
  assert.equal(readFileSync(other, 'utf8'), readFileSync(rejected, 'utf8'));
});

test('where nothing was rejected the very same command can be run again', async (t) => {
  const fake = await fakeService(t);
  fake.script = (_received, count) => (count === 1 ? 'cut' : undefined);
  const path = written(t, line(aRun({ event_id: 'same' })));
  const words = ['import', path, '--url', fake.url, '--rejected', `${path}.rejected`];
  const failed = await cliHere(words);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /Nothing was stored\. Run the same command again: what is stored already/);
  const again = await cliHere(words);
  assert.deepEqual([again.code, existsSync(`${path}.rejected`)], [0, false]);
});
