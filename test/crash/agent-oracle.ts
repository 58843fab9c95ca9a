/** Compares database and backup with what agents said: all that was recorded, once, in its last state, and nothing else. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import Database from 'better-sqlite3';
import { durationBetween } from '../../src/run.ts';
import type { AgentLedger, Fields } from './agent-ledger.ts';
import { rollups, structure } from './oracle.ts';

export interface AgentVerdict {
  runs: number;
  events: number;
  /** Recorded and not there, or there in an older state. */
  lost: string[];
  /** What must not be: strangers, torn lines, rejected ones, corruption. */
  wrong: string[];
}

const JSON_COLUMNS = ['metrics_json', 'context_json'];

/** HAZARD: opens the database, so no service may live in this very process. */
export function judgeAgents(directory: string, ledger: AgentLedger): AgentVerdict {
  const lost: string[] = [];
  const wrong: string[] = [];
  const backup = readBackup(directory);
  // A kill may tear the line that is being written, and that line only.
  if (backup.torn.length > ledger.agents) wrong.push(...backup.torn);
  for (const [marker, returned] of ledger.events) {
    const count = backup.events.get(marker) ?? 0;
    if (count === 0 && returned) lost.push(`event ${marker} is not in the backup`);
    if (count > 1) wrong.push(`event ${marker} is in the backup ${count} times`);
  }
  for (const marker of backup.events.keys()) {
    if (!ledger.events.has(marker)) wrong.push(`event ${marker} was never logged`);
  }
  const rows = readRows(join(directory, 'db', 'telemetry.sqlite'), wrong);
  for (const [eventId, { settled, pending }] of ledger.runs) {
    const row = rows.get(eventId);
    const states = [settled, pending && { ...settled, ...pending }].filter((state) => state !== undefined);
    if (row && states.some((state) => differences(row, state).length === 0)) {
      const last = backup.runs.get(eventId);
      if (!last && settled) lost.push(`${eventId} is not in the backup`);
      else if (last && !pending)
        wrong.push(...differences(row, last).map((text) => `${eventId}, by the backup: ${text}`));
    } else if (row) lost.push(`${eventId}: ${differences(row, states[0] as Fields).join(', ')}`);
    else if (settled) lost.push(`${eventId} is missing`);
  }
  for (const eventId of rows.keys()) if (!ledger.runs.has(eventId)) wrong.push(`${eventId} was never recorded`);
  wrong.push(...rejectedIn(directory, ledger));
  return { runs: rows.size, events: backup.events.size, lost, wrong };
}

/** What was rejected; but the line of a spool file that a kill has torn is no record, and rejected rightly. */
function rejectedIn(directory: string, { agents }: AgentLedger): string[] {
  const rejected: string[] = [];
  let torn = 0;
  for (const path of globSync('buffer/*.rejected', { cwd: directory })) {
    for (const text of readFileSync(join(directory, path), 'utf8').trimEnd().split('\n')) {
      const line = parse(text)?.line;
      if (typeof line === 'string' && !parse(line) && ++torn <= agents) continue;
      rejected.push(`${path}: ${text.slice(0, 300)}`);
    }
  }
  return rejected;
}

interface Backup {
  /** The newest state of each run. */
  runs: Map<string, Fields>;
  /** How often each event is there, by its marker. */
  events: Map<string, number>;
  /** What does not parse. */
  torn: string[];
}

function readBackup(directory: string): Backup {
  const backup: Backup = { runs: new Map(), events: new Map(), torn: [] };
  for (const path of globSync('raw/*.ndjson', { cwd: directory })) {
    const lines = readFileSync(join(directory, path), 'utf8').split('\n');
    for (const [index, line] of lines.entries()) {
      if (line === '') continue;
      const parsed = parse(line);
      if (!parsed)
        backup.torn.push(`${path}, line ${index + 1} does not parse: ${line.slice(0, 100)}…${line.slice(-100)}`);
      else if (parsed.record_type === 'run') backup.runs.set(String(parsed.event_id), withoutOwn(parsed));
      else {
        const { marker } = parsed.payload_json as { marker: string };
        backup.events.set(marker, (backup.events.get(marker) ?? 0) + 1);
      }
    }
  }
  return backup;
}

/** What the service may set as well is not compared. */
function withoutOwn({ record_type, updated_at, ...fields }: Fields): Fields {
  void record_type;
  void updated_at;
  return fields;
}

function parse(line: string): Fields | undefined {
  try {
    return JSON.parse(line) as Fields;
  } catch {
    return undefined;
  }
}

function readRows(path: string, wrong: string[]): Map<string, Fields> {
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: 10_000 });
  try {
    db.exec('BEGIN');
    wrong.push(...structure(db), ...rollups(db));
    const rows = db.prepare('SELECT * FROM agent_runs').all() as Fields[];
    for (const row of rows) {
      for (const name of JSON_COLUMNS) if (typeof row[name] === 'string') row[name] = JSON.parse(row[name]);
      row.ended = row.end_time !== null;
    }
    return new Map(rows.map((row) => [String(row.event_id), row]));
  } finally {
    db.close();
  }
}

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

function differences(row: Fields, state: Fields): string[] {
  const wanted: Fields = { ...('ended' in state || 'end_time' in state ? {} : { ended: false }), ...state };
  // A 0 of a run whose end is behind its start is as good as not given: the times tell.
  if (wanted.duration_ms === 0) wanted.duration_ms = durationBetween(text(wanted.start_time), text(wanted.end_time));
  const names = Object.keys(wanted).filter((name) => !isDeepStrictEqual(row[name], wanted[name]));
  return names.map((name) => `${name} is ${shown(row[name])} instead of ${shown(wanted[name])}`);
}

const shown = (value: unknown): string => (JSON.stringify(value) ?? 'undefined').slice(0, 60);
