/** Compares a database with the ledger: everything acknowledged, exactly once, as acknowledged last. */
import Database from 'better-sqlite3';
import type { Fields, Ledger, Run, Sent } from './ledger.ts';
import { COMPARED } from './requests.ts';

export interface Verdict {
  /** Rows in the database. */
  runs: number;
  /** Acknowledged and not there, or there with an older content. */
  lost: string[];
  /** Everything else that must not be: strangers, half batches, corruption, rollups that count wrong. */
  wrong: string[];
}

/**
 * Judges, and settles the ledger's open requests by what is stored.
 *
 * HAZARD: opens the database, so no service may live in this very process. One in another process
 * should run: a connection that only reads cannot roll back the journal of a killed writer.
 */
export function judge(path: string, ledger: Ledger): Verdict {
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: 10_000 });
  try {
    // One snapshot for all of it.
    db.exec('BEGIN');
    const rows = db.prepare(`SELECT ${COMPARED.join(', ')} FROM agent_runs`).all() as Run[];
    const stored = new Map(rows.map((row) => [row.event_id, row]));
    const wrong = [...ledger.wrongAnswers.splice(0), ...structure(db), ...rollups(db)];
    if (stored.size !== rows.length) wrong.push(`${rows.length - stored.size} event_ids are there more than once`);
    const lost = missing(ledger, stored);
    wrong.push(...strangers(ledger, stored), ...halfBatches(ledger, stored));
    ledger.settle(stored);
    return { runs: rows.length, lost, wrong };
  } finally {
    db.close();
  }
}

function missing(ledger: Ledger, stored: ReadonlyMap<string, Run>): string[] {
  const lost: string[] = [];
  const inFlight = new Map(
    [...ledger.open.values()].flatMap(({ change }) => (change ? [[change.eventId, change]] : [])),
  );
  for (const [eventId, run] of ledger.runs) {
    const row = stored.get(eventId);
    const change = inFlight.get(eventId);
    if (!row) lost.push(`${eventId} is missing`);
    else if (!same(row, run) && !(change && same(row, { ...run, ...change.fields })))
      lost.push(`${eventId} is ${differences(row, run)}`);
  }
  return lost;
}

/** Rows that nobody sent, or that hold what nobody sent. */
function strangers(ledger: Ledger, stored: ReadonlyMap<string, Run>): string[] {
  const sent = new Map([...ledger.open.values()].flatMap(({ creates }) => creates.map((run) => [run.event_id, run])));
  const found: string[] = [];
  for (const [eventId, row] of stored) {
    if (ledger.runs.has(eventId)) continue;
    const run = sent.get(eventId);
    if (!run) found.push(`${eventId} was never sent`);
    else if (!same(row, run)) found.push(`${eventId} is not as it was sent: ${differences(row, run)}`);
  }
  return found;
}

/** A request is one transaction: all of its new runs are stored, or none. */
function halfBatches(ledger: Ledger, stored: ReadonlyMap<string, Run>): string[] {
  const isHalf = ({ creates }: Sent): boolean => {
    const fresh = creates.filter(({ event_id }) => !ledger.runs.has(event_id));
    const there = fresh.filter(({ event_id }) => stored.has(event_id)).length;
    return there > 0 && there < fresh.length;
  };
  const halves = [...ledger.open.values()].filter(isHalf);
  return halves.map(({ path, creates }) => `${path} is stored in part (${creates[0]?.event_id} and following)`);
}

export function structure(db: Database.Database): string[] {
  const integrity = db.pragma('integrity_check', { simple: true });
  const foreignKeys = db.pragma('foreign_key_check') as unknown[];
  const found: string[] = [];
  if (integrity !== 'ok') found.push(`integrity_check: ${String(integrity)}`);
  if (foreignKeys.length > 0) found.push(`foreign_key_check: ${foreignKeys.length} rows`);
  return found;
}

export function rollups(db: Database.Database): string[] {
  const pairs = [
    [
      'SELECT agent_name, job_type, status, runs FROM rollup_runs ORDER BY 1, 2, 3',
      'SELECT agent_name, job_type, status, count(*) FROM agent_runs GROUP BY 1, 2, 3 ORDER BY 1, 2, 3',
    ],
    [
      'SELECT hour, runs FROM rollup_hours ORDER BY 1',
      'SELECT substr(created_at, 1, 13), count(*) FROM agent_runs GROUP BY 1 ORDER BY 1',
    ],
  ] as const;
  return pairs.flatMap(([kept, recount]) => {
    const [have, want] = [kept, recount].map((sql) => JSON.stringify(db.prepare(sql).raw().all()));
    return have === want ? [] : [`rollups: "${kept}" gives ${have}, counted anew ${want}`];
  });
}

function same(row: Fields, run: Fields): boolean {
  return COMPARED.every((name) => row[name] === run[name]);
}

function differences(row: Fields, run: Fields): string {
  const names = COMPARED.filter((name) => row[name] !== run[name]);
  return names.map((name) => `${name}=${row[name]} instead of ${run[name]}`).join(', ');
}
