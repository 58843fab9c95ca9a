/** What stands beside the runs in an older database: events, commits, and which versions it has gone through. */
import { withoutCredentials } from '../../../run.ts';
import type { OlderValue } from '../../../run/older.ts';
import { EPOCH } from '../../../run/older/times.ts';
import { numberOf, utf8Of } from '../../../run/older/values.ts';
import type { Connection } from '../../database.ts';
import type { Digest } from './digest.ts';
import type { Pace, Progress } from './pace.ts';
import { type OlderRow, type Reading, rowsOf } from './rows.ts';
import { COMMIT_COLUMNS, EVENT_COLUMNS } from './shape.ts';
import { FIRST_VERSION, versionNumber } from './version.ts';

const INTEGERS: ReadonlySet<string> = new Set(['files_changed', 'insertions', 'deletions']);
/** What looks like a number to SQLite, and would become one in a column of integers. */
const NUMERAL = /^[\s\d+.e-]*$/i;

/** The places of columns in an older row, by their names in lower case. */
const placesOf = (columns: readonly string[]): ReadonlyMap<string, number> =>
  new Map(columns.map((column, place) => [column.toLowerCase(), place]));

/** Older values in the order of `columns`, just as the new table will give them back. */
function valuesOf(columns: readonly string[], places: ReadonlyMap<string, number>, row: OlderRow): OlderValue[] {
  return columns.map((column) => {
    const value = row[places.get(column) ?? -1] ?? null;
    if (value === null) return null;
    return INTEGERS.has(column) ? asInteger(value) : asText(value);
  });
}

/** Bytes that are no text stay bytes. */
function asText(value: OlderValue): OlderValue {
  if (value instanceof Uint8Array) return utf8Of(value) ?? value;
  return value === null || typeof value === 'string' ? value : String(value);
}

function asInteger(value: Exclude<OlderValue, null>): OlderValue {
  if (value instanceof Uint8Array) return value;
  const number = numberOf(value);
  if (number === undefined) return NUMERAL.test(String(value)) ? null : value;
  if (typeof number === 'bigint') return BigInt.asIntN(64, number) === number ? number : Number(number);
  return Number.isInteger(number) && Math.abs(number) < 2 ** 63 ? BigInt(number) : number;
}

/** @param limit of rows, for a sample */
export function* copyEvents(
  source: Reading,
  target: Connection,
  digest: Digest,
  pace: Pace,
  limit: number,
): Generator<Progress, void> {
  const { columns, hasRowid } = source.table;
  const places = placesOf(columns);
  const insert = target.prepare(`INSERT INTO run_events (${EVENT_COLUMNS.join(', ')}, id) VALUES (?, ?, ?, ?, ?)`);
  let number = 0n;
  for (const row of rowsOf(source)) {
    if (number >= limit) break;
    number++;
    const [run = null, type = null, time = null, payload = null] = valuesOf(EVENT_COLUMNS, places, row);
    const id = hasRowid ? (row[columns.length] as bigint) : number;
    const values = [run ?? 'unknown', type ?? 'unknown', time ?? EPOCH, payload, id];
    insert.run(values);
    digest.addAny(values);
    if (pace.step()) yield pace.progress;
  }
}

/** @param limit of rows, for a sample */
export function* copyCommits(
  source: Reading,
  target: Connection,
  digest: Digest,
  pace: Pace,
  limit: number,
): Generator<Progress, void> {
  const places = placesOf(source.table.columns);
  const marks = COMMIT_COLUMNS.map(() => '?').join(', ');
  const insert = target.prepare(
    `INSERT INTO commits (${COMMIT_COLUMNS.join(', ')}) VALUES (${marks}) ON CONFLICT (commit_hash) DO NOTHING`,
  );
  const repo = COMMIT_COLUMNS.indexOf('repo');
  let number = 0;
  for (const row of rowsOf(source)) {
    if (number >= limit) break;
    number++;
    const values = valuesOf(COMMIT_COLUMNS, places, row);
    const remote = values[repo];
    if (typeof remote === 'string') values[repo] = withoutCredentials(remote);
    const commit = values[0] ?? 'unknown';
    values[0] ??= `unknown-${number}`;
    // A table made by hand may have a commit twice. Ends, for only as many names can be taken as there are rows.
    for (let attempt = 1; insert.run(values).changes === 0; attempt++) {
      values[0] = `${String(commit)}-${number}${attempt === 1 ? '' : `-${attempt}`}`;
    }
    digest.addAny(values);
    if (pace.step()) yield pace.progress;
  }
}

/** Which versions the older database has gone through; its own step to this version is not among them. */
export function copyHistory(source: Reading, target: Connection): void {
  const places = placesOf(source.table.columns);
  const insert = target.prepare(
    'INSERT INTO schema_migrations (version, applied_at, description) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  );
  for (const row of rowsOf(source)) {
    const [recorded, appliedAt, description] = valuesOf(['version', 'applied_at', 'description'], places, row);
    const version = versionNumber(recorded);
    if (version !== undefined && version < FIRST_VERSION) insert.run(version, appliedAt ?? '', description ?? '');
  }
}
