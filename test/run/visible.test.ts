/** Nothing that a terminal obeys leaves the program, at any of the doors that may lead to one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { csvOf } from '../../src/cli/export/csv.ts';
import { Terminal } from '../../src/cli/terminal.ts';
import { createLogger } from '../../src/log.ts';
import { escaped, visibleJson } from '../../src/run/visible.ts';
import { growsLinearly } from '../support/hostile-text.ts';
import { temporaryDirectory } from '../support/service.ts';

const codes = [...Array(0x20).keys(), ...Array.from({ length: 0x21 }, (_, index) => 0x7f + index)];
const bidi = [0x61c, 0x200e, 0x200f, 0x2028, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069];
const ALL = [...codes, ...bidi].map((code) => String.fromCharCode(code)).join('');
const COMMANDS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

test('JSON says the same without a character that commands a terminal', () => {
  const json = visibleJson(JSON.stringify({ [ALL]: `ü😀${ALL}` }));
  assert.ok(!COMMANDS.test(json), json);
  assert.deepEqual(JSON.parse(json), { [ALL]: `ü😀${ALL}` });
});

test('text has the escapes in their places, and keeps its lines', () => {
  assert.equal(escaped('a\u009b31m\tb\u202e\r\nc'), 'a\\u009b31m\tb\\u202e\r\nc');
  growsLinearly('escaped', (length) => {
    const text = '\u009b'.repeat(length);
    return () => void escaped(text);
  });
});

test('a log line holds none of them', async (t) => {
  const path = join(temporaryDirectory(t), 'log');
  const log = createLogger('INFO', openSync(path, 'w'));
  log.info(`message ${ALL}`, { query_params: { agent_name: ALL } });
  await log.flush();
  const line = readFileSync(path, 'utf8').trimEnd();
  assert.ok(!COMMANDS.test(line), line);
  assert.equal((JSON.parse(line) as { message: string }).message, `message ${ALL}`);
});

test('CSV shows them as JSON would, and lines stay lines', () => {
  const csv = csvOf(Buffer.from(JSON.stringify({ agent_name: `a${ALL}b`, metrics_json: { [ALL]: 1 } })));
  assert.ok(!COMMANDS.test(csv), csv);
  assert.match(csv, /\\u009b/);
});

test('a line on a terminal keeps our colours only', async () => {
  const stdout = Object.assign(new PassThrough(), { isTTY: true });
  const stderr = Object.assign(new PassThrough(), { isTTY: true });
  const terminal = new Terminal({ environment: {}, stdout, stderr });
  for (const [print, stream] of [
    [(line: string) => terminal.print(line), stdout],
    [(line: string) => terminal.note(line), stderr],
    [(line: string) => terminal.json({ line }), stdout],
  ] as const) {
    const shown = once(stream, 'data') as Promise<[Buffer]>;
    print(`${terminal.style('red', 'bad')} \u001b]0;title\u0007 \u009b2J \u202e ${ALL}`);
    const text = String((await shown)[0]);
    assert.ok(!COMMANDS.test(text.replaceAll('\u001b[31m', '').replaceAll('\u001b[39m', '')), JSON.stringify(text));
  }
});
