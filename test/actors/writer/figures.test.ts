import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WriterFigures } from '../../../src/actors/writer/figures.ts';
import { aRecord, codesOf, create, fileDatabase, groupOf, groupWriter } from '../../support/database.ts';

const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

test('each command counts with its own wait, a group with its size', () => {
  const figures = new WriterFigures();
  const committed = { outcomes: [], took: 100, timing: null, failure: null, mended: {} };
  figures.committed(committed, [{ since: 0 }, { since: 800 }, { since: 1_050 }], 1_100);
  assert.deepEqual([sumOf(figures.wait.counts), figures.wait.sum], [3, 1.2], 'the last joined it under way');
  assert.deepEqual([sumOf(figures.groups.counts), figures.groups.sum], [1, 3]);
});

test('a group that failed is a trouble until one does not, or the thread dies with what waited', () => {
  const figures = new WriterFigures();
  const committed = { outcomes: [], took: 0, timing: null, failure: null, mended: {} };
  figures.committed({ ...committed, failure: 'The disk is full.' }, [], 0, 5);
  assert.deepEqual([figures.failures, figures.trouble], [1, { reason: 'The disk is full.', at: 5 }]);
  figures.committed({ ...committed, timing: { commit: 4, gate: 1 } }, [], 0);
  assert.deepEqual([figures.failures, figures.trouble], [1, undefined]);
  assert.deepEqual([figures.commit.sum, figures.gate.sum], [0.004, 0.001]);
  figures.died(false);
  assert.deepEqual([figures.deaths, figures.failures], [1, 1], 'nobody waited');
  figures.died(true, 6);
  assert.deepEqual([figures.failures, figures.trouble?.at], [2, 6]);
});

test('what one command has brought about alone is no failure of the group, but a full disk is', (t) => {
  const { db } = fileDatabase(t);
  const writer = groupWriter(db);
  db.exec(
    "CREATE TEMP TRIGGER no BEFORE INSERT ON agent_runs WHEN new.agent_name = 'no' BEGIN SELECT raise(ABORT, 'no'); END",
  );
  assert.deepEqual(codesOf(writer.execute(groupOf(create(aRecord({ agent_name: 'no' }))))), ['internal']);
  assert.equal(writer.last.failure, null);
  const pages = db.pragma('page_count', { simple: true }) as number;
  db.pragma(`max_page_count = ${pages}`);
  const large = aRecord({ error_details: 'x'.repeat(100_000) });
  assert.deepEqual(codesOf(writer.execute(groupOf(create(large)))), ['full']);
  assert.match(writer.last.failure ?? '', /disk of the database is full/);
});
