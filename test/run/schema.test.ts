import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { STATUSES, TABLE } from '../../src/run.ts';
import { KINDS } from '../../src/run/kinds.ts';
import Database from 'better-sqlite3';

interface Column {
  name: string;
  type: string;
  notnull: 0 | 1;
  dflt_value: string | null;
}

const sql = readFileSync(new URL('../../migrations/0008-runs.sql', import.meta.url), 'utf8');
const db = new Database(':memory:');
db.exec(sql);
const columns = db.prepare('PRAGMA table_info(agent_runs)').all() as Column[];

test('the columns of agent_runs are the field table, in its order and of its types', () => {
  const expected = TABLE.map(({ name, kind }) => [name, KINDS[kind].sql]);
  assert.deepEqual(
    columns.map(({ name, type }) => [name, type]),
    [['id', 'INTEGER'], ...expected, ['defaulted', 'INTEGER']],
  );
});

test('exactly the fields that are required or have a default are NOT NULL, with the same defaults', () => {
  for (const { name, required, default: fallback } of TABLE) {
    const column = columns.find((one) => one.name === name);
    assert.equal(column?.notnull, required === true || fallback !== undefined ? 1 : 0, name);
    const literal = { number: String(fallback), string: `'${fallback}'`, undefined: null }[
      typeof fallback as 'number' | 'string' | 'undefined'
    ];
    assert.equal(column?.dflt_value ?? null, fallback === 'now' ? null : literal, name);
  }
});

const insert = (name: string, value: unknown): void => {
  const required = {
    event_id: crypto.randomUUID(),
    run_id: 'r',
    agent_name: 'a',
    job_type: 'j',
    start_time: 't',
    created_at: 't',
    updated_at: 't',
  };
  const record = { ...required, [name]: value };
  const names = Object.keys(record);
  db.prepare(`INSERT INTO agent_runs (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`).run(
    ...Object.values(record),
  );
};

test('the table refuses a negative count, duration or number of retries', () => {
  for (const { name } of TABLE.filter(({ kind, default: fallback }) => kind === 'count' && fallback === 0)) {
    insert(name, 0);
    assert.throws(() => insert(name, -1), { code: 'SQLITE_CONSTRAINT_CHECK' }, name);
  }
});

test('the table takes each canonical status and no other', () => {
  for (const status of STATUSES) insert('status', status);
  for (const status of ['failed', 'completed', '', 'Running']) {
    assert.throws(() => insert('status', status), { code: 'SQLITE_CONSTRAINT_CHECK' }, status);
  }
});
