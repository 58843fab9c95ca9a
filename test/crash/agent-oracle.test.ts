import assert from 'node:assert/strict';
import { appendFileSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { temporaryDirectory } from '../support/service.ts';
import { age, drainAll, liveAndDie } from './agent-cycle.ts';
import { AgentLedger } from './agent-ledger.ts';
import { type AgentVerdict, judgeAgents } from './agent-oracle.ts';
import { BOUNDED } from './process.ts';

type Tamper = (directory: string, db: Database.Database, ledger: AgentLedger) => void;

/** Has an agent live, die and be drained, and tampers with what is there. @returns what the oracle says then */
async function afterTampering(t: TestContext, tamper: Tamper): Promise<AgentVerdict> {
  const directory = temporaryDirectory(t);
  const ledger = new AgentLedger();
  const moment = { lines: 400, delayMs: 0 };
  await liveAndDie({ directory, url: 'http://127.0.0.1:9', name: 'a', seed: 5, moment, onLine: ledger.agent() });
  age(directory);
  await drainAll(directory);
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

test('the oracle misses a run that is gone, one in an older state, and knows a stranger', BOUNDED, async (t) => {
  const { lost, wrong } = await afterTampering(t, (_, db, ledger) => {
    ledger.runs.delete('a:1');
    db.prepare("UPDATE agent_runs SET insight_id = 'older' WHERE event_id = 'a:2'").run();
    db.prepare("UPDATE agent_runs SET event_id = 'stranger' WHERE event_id = 'a:3'").run();
  });
  assert.match(lost.join('\n'), /a:2: insight_id is "older"/);
  assert.match(lost.join('\n'), /a:3 is missing/);
  assert.deepEqual(wrong.sort(), ['a:1 was never recorded', 'stranger was never recorded']);
});

test(
  'the oracle misses an event, sees one twice, more torn lines than kills, and a rejected one',
  BOUNDED,
  async (t) => {
    const { lost, wrong } = await afterTampering(t, (directory) => {
      const [path = ''] = globSync(join(directory, 'raw', '*.ndjson'));
      const lines = readFileSync(path, 'utf8').split('\n');
      const [gone, twice] = lines.filter((line) => line.includes('"record_type":"event"')) as [string, string];
      writeFileSync(path, lines.filter((line) => line !== gone).join('\n'));
      appendFileSync(path, `{"torn${twice}\n{"torn\n${twice}\n`);
      mkdirSync(join(directory, 'buffer'), { recursive: true });
      writeFileSync(join(directory, 'buffer', 'a.jsonl.rejected'), '{}\n');
    });
    assert.match(lost.join('\n'), /^event \S+ is not in the backup$/);
    assert.equal(wrong.length, 4);
    assert.match(wrong.join('\n'), /does not parse[^]*does not parse[^]*in the backup 2 times[^]*rejected/);
  },
);
