import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { localEnvironment, spawnService, temporaryDirectory } from '../support/service.ts';
import { kill, loadUntil, makePosters } from './cycle.ts';
import { Ledger, type Run } from './ledger.ts';
import { judge, type Verdict } from './oracle.ts';
import { Random } from './random.ts';
import { aNewRun, batchOf, patchOf } from './requests.ts';

const origin = mkdtempSync(join(tmpdir(), 'telemetry-oracle-'));
const kept = new Ledger();

/** A database and a ledger that agree. */
before(async () => {
  const service = await spawnService(localEnvironment(origin));
  try {
    const end = (): void => void service.child.kill('SIGTERM');
    await loadUntil(service, makePosters(2, 7, kept), { acknowledgements: 40, delayMs: 0 }, end);
    await service.exited;
  } finally {
    await kill(service);
  }
});
after(() => rmSync(origin, { recursive: true, force: true }));

/** Tampers with copies of the two. @returns what the oracle says then */
function afterTampering(t: TestContext, tamper: (db: Database.Database, ledger: Ledger, some: Run) => void): Verdict {
  const path = join(temporaryDirectory(t), 'telemetry.sqlite');
  copyFileSync(join(origin, 'db', 'telemetry.sqlite'), path);
  const ledger = Object.assign(new Ledger(), structuredClone({ ...kept }));
  assert.deepEqual(judge(path, ledger), { runs: ledger.runs.size, lost: [], wrong: [] });
  using db = disposable(new Database(path));
  tamper(db.it, ledger, [...ledger.runs.values()].at(-1) as Run);
  return judge(path, ledger);
}

function disposable(it: Database.Database): Disposable & { it: Database.Database } {
  return { it, [Symbol.dispose]: () => void it.close() };
}

test('The oracle misses a run that was acknowledged, and sees that the rollups still count it', (t) => {
  const { lost, wrong } = afterTampering(t, (db, _, { event_id }) => {
    db.pragma('foreign_keys = OFF');
    db.prepare('DELETE FROM run_clocks WHERE id = (SELECT id FROM agent_runs WHERE event_id = ?)').run(event_id);
    db.prepare('DELETE FROM agent_runs WHERE event_id = ?').run(event_id);
  });
  assert.match(lost.join(), /^s7p\d-\d+ is missing$/);
  assert.equal(wrong.length, 2);
  assert.match(wrong.join(), /rollup_runs.*rollup_hours/);
});

test('The oracle sees an acknowledged change that is not stored, but not one in flight', (t) => {
  const random = new Random(1);
  const { lost } = afterTampering(t, (_, ledger, { event_id }) => {
    const [first] = ledger.runs.keys();
    ledger.send('a', patchOf(random, event_id));
    ledger.acknowledge('b', patchOf(random, String(first)));
  });
  assert.equal(lost.length, 1);
  assert.match(lost.join(), /error_summary=.* instead of attempt/);
});

test('The oracle sees what was never sent, and a batch of which a part is stored', (t) => {
  const { lost, wrong } = afterTampering(t, (_, ledger, some) => {
    const [first] = ledger.runs.keys();
    ledger.runs.delete(String(first));
    ledger.runs.delete(some.event_id);
    ledger.send('a', batchOf([some, aNewRun(new Random(1), 'new')], []));
  });
  assert.deepEqual(lost, []);
  assert.equal(wrong.length, 2);
  assert.match(wrong.join(), /was never sent.*is stored in part/);
});
