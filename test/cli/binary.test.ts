/** Commands whose own tests mostly run in the test's process, once through the real program: that it succeeds, its JSON, an error, and the exit codes of these. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cli } from '../support/cli.ts';
import { aRun, localEnvironment, temporaryDirectory } from '../support/service.ts';

interface Case {
  words: string[];
  /** Of the JSON on stdout; undefined where the command prints none. */
  json?: Record<string, unknown>;
  wrong: string[];
  code: number;
  why: RegExp;
}

const CASES: readonly Case[] = [
  {
    words: ['import', 'runs.ndjson', '--create', '--json'],
    json: { inserted: 3 },
    wrong: ['import', 'none.ndjson'],
    code: 1,
    why: /none\.ndjson/,
  },
  {
    words: ['runs', '--limit', '1', '--json'],
    json: { agent_name: 'tester' },
    wrong: ['runs', '--status', 'odd'],
    code: 2,
    why: /Invalid status/,
  },
  {
    words: ['stale', '--older-than', '1s', '--json'],
    json: { status: 'running' },
    wrong: ['stale', '--older-than', 'x'],
    code: 2,
    why: /--older-than/,
  },
  {
    words: ['export', '--agent-name', 'tester'],
    json: { agent_name: 'tester' },
    wrong: ['export', '--format', 'xml'],
    code: 2,
    why: /--format must be one of ndjson, csv/,
  },
  {
    words: ['backup', 'copy.sqlite', '--json'],
    json: { runs: 3 },
    wrong: ['backup', 'copy.sqlite'],
    code: 1,
    why: /is there already/,
  },
  {
    words: ['verify', '--json'],
    wrong: ['verify', '--file', 'runs.ndjson'],
    code: 1,
    why: /is not a SQLite database\. Give a backup/,
  },
  {
    words: ['restore', 'copy.sqlite', '--json'],
    json: { runs: 3 },
    wrong: ['restore', 'runs.ndjson'],
    code: 1,
    why: /runs\.ndjson/,
  },
  {
    words: ['replay', 'raw', '--to', 'rebuilt.sqlite', '--json'],
    json: { runs: 3 },
    wrong: ['replay', 'raw', '--to', 'rebuilt.sqlite'],
    code: 1,
    why: /holds runs already/,
  },
  {
    words: ['optimize', '--json'],
    json: { optimized: true },
    wrong: ['optimize', '--reindx'],
    code: 2,
    why: /did you mean --reindex/,
  },
  { words: ['config', '--explain', '--json'], wrong: ['config', 'now'], code: 2, why: /one word too many/ },
  { words: ['doctor', '--json'], wrong: ['doctor', '--db', 'runs.ndjson'], code: 3, why: /^$/ },
  { words: ['completion', 'bash'], wrong: ['completion', 'tcsh'], code: 2, why: /bash, zsh, fish/ },
];

test('each of these commands succeeds, prints its JSON and fails with its exit code, as the program people start', async (t) => {
  const directory = temporaryDirectory(t);
  const runs = Array.from({ length: 3 }, () => JSON.stringify(aRun({ created_at: '2026-01-10T12:00:00Z' }))).join('\n');
  const path = (word: string): string => (/\.\w+$|^raw$/.test(word) ? join(directory, word) : word);
  writeFileSync(path('runs.ndjson'), `${runs}\n`);
  mkdirSync(path('raw'));
  writeFileSync(join(path('raw'), 'events_20260110.ndjson'), `${runs}\n`);
  const settings = { ...localEnvironment(directory), HOME: directory } as Record<string, string>;
  for (const { words, json, wrong, code, why } of CASES) {
    const good = await cli(words.map(path), settings);
    assert.equal(good.code, 0, `${words.join(' ')}: ${good.stdout}${good.stderr}`);
    const [first = ''] = good.stdout.split('\n');
    if (words.includes('--json')) assert.doesNotThrow(() => JSON.parse(first) as unknown, words.join(' '));
    if (json) assert.partialDeepStrictEqual(JSON.parse(first) as object, json, words.join(' '));
    const bad = await cli(wrong.map(path), settings);
    assert.equal(bad.code, code, `${wrong.join(' ')}: ${bad.stdout}${bad.stderr}`);
    assert.match(bad.stderr, why);
  }
});
