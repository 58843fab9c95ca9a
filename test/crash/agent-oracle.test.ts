import assert from 'node:assert/strict';
import { appendFileSync, cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { temporaryDirectory } from '../support/service.ts';
import { age, drainAll, liveAndDie } from './agent-cycle.ts';
import { AgentLedger } from './agent-ledger.ts';
import { type AgentVerdict, judgeAgents } from './agent-oracle.ts';
import { BOUNDED } from './process.ts';

type Tamper = (directory: string, db: Database.Database, ledger: AgentLedger) => void;

const origin = mkdtempSync(join(tmpdir(), 'telemetry-oracle-'));
/** What the agent said. */
const said: string[] = [];

before(async () => {
  const onLine = (line: string): unknown => said.push(line);
  const moment = { lines: 400, delayMs: 0 };
  await liveAndDie({ directory: origin, url: 'http://127.0.0.1:9', name: 'a', seed: 5, moment, onLine });
  age(origin);
  await drainAll(origin);
}, BOUNDED);
after(() => rmSync(origin, { recursive: true, force: true }));

/** Tampers with a copy of what an agent that lived, died and was drained has left. @returns what the oracle says then */
function afterTampering(t: TestContext, tamper: Tamper): AgentVerdict {
  const directory = temporaryDirectory(t);
  cpSync(origin, directory, { recursive: true });
  const ledger = new AgentLedger();
  const note = ledger.agent();
  for (const line of said) note(line);
  const { lost, wrong, runs } = judgeAgents(directory, ledger);
  assert.deepEqual({ lost, wrong }, { lost: [], wrong: [] });
  assert.ok(runs > 20);
  const db = new Database(join(directory, 'db', 'telemetry.sqlite'));
  try {
    tamper(directory, db, ledger);
  } finally {
    db.close();
  }
  return judgeAgents(directory, ledger);
}

test('the oracle misses a run that is gone, one in an older state, and knows a stranger', BOUNDED, (t) => {
  const { lost, wrong } = afterTampering(t, (_, db, ledger) => {
    ledger.runs.delete('a:1');
    db.prepare("UPDATE agent_runs SET insight_id = 'older' WHERE event_id = 'a:2'").run();
    db.prepare("UPDATE agent_runs SET event_id = 'stranger' WHERE event_id = 'a:3'").run();
  });
  assert.match(lost.join('\n'), /a:2: insight_id is "older"/);
  assert.match(lost.join('\n'), /a:3 is missing/);
  assert.deepEqual(wrong.sort(), ['a:1 was never recorded', 'stranger was never recorded']);
});

test('the oracle misses an event, sees one twice, more torn lines than kills, and a rejected one', BOUNDED, (t) => {
  const { lost, wrong } = afterTampering(t, (directory) => {
    const [path = ''] = globSync(join(directory, 'raw', '*.ndjson'));
    const lines = readFileSync(path, 'utf8').split('\n');
    const [gone, twice] = lines.filter((line) => line.includes('"record_type":"event"')) as [string, string];
    writeFileSync(path, lines.filter((line) => line !== gone).join('\n'));
    appendFileSync(path, `{"torn${twice}\n{"torn\n${twice}\n`);
    mkdirSync(join(directory, 'buffer'), { recursive: true });
    // The second is a record that a kill has torn, of which there may be one; the third is one too many.
    const torn = JSON.stringify({ line: '{"event_id":"a' });
    writeFileSync(join(directory, 'buffer', 'a.jsonl.rejected'), `{}\n${torn}\n${torn}\n`);
  });
  assert.match(lost.join('\n'), /^event \S+ is not in the backup$/);
  assert.equal(wrong.length, 5);
  assert.match(wrong.join('\n'), /does not parse[^]*does not parse[^]*in the backup 2 times[^]*rejected/);
});
