/** A run as JSON, built by SQL: half the time of going through objects, and already bytes. */
import { COLUMNS, commitUrl, repoUrl, TABLE, withoutCredentials } from '../../run.ts';
import type { Connection } from '../database.ts';
import type { Statements } from './statements.ts';

const JSON_COLUMNS = TABLE.filter(({ kind }) => kind === 'json').map(({ name }) => name);
const BOOLEAN_COLUMNS = new Set(TABLE.filter(({ kind }) => kind === 'boolean').map(({ name }) => name));

const pairs = ['id', ...COLUMNS].map((column) => `'${column}', ${valueOf(column)}`);
pairs.push("'commit_url', commit_url(git_repo, git_commit_hash)", "'repo_url', repo_url(git_repo)");

// Databases from elsewhere may hold text that is not JSON: it comes back as text, beside the reason.
const broken = JSON_COLUMNS.map(
  (column) =>
    `CASE WHEN ${column} IS NULL OR json_valid(${column}) THEN '{}' ELSE '{"${column}_parse_error":"not valid JSON"}' END`,
);
const sound = JSON_COLUMNS.map((column) => `(${column} IS NULL OR json_valid(${column}))`).join(' AND ');

/** SQL expression: the JSON object of one row of agent_runs. */
const RUN_JSON = `CASE WHEN ${sound} THEN json_object(${pairs.join(', ')})
  ELSE ${broken.reduce((object, extra) => `json_patch(${object}, ${extra})`, `json_object(${pairs.join(', ')})`)} END`;

function valueOf(column: string): string {
  if (JSON_COLUMNS.includes(column)) return `CASE WHEN json_valid(${column}) THEN json(${column}) ELSE ${column} END`;
  if (BOOLEAN_COLUMNS.has(column)) return `json(CASE WHEN ${column} THEN 'true' ELSE 'false' END)`;
  // Stored without them, but not everything in the file need have come through here.
  if (column === 'git_repo') return 'without_credentials(git_repo)';
  return column;
}

/** The table with bytes that another program has bound (of Python, say) as the text they are. */
const AS_TEXT = `(SELECT id, ${COLUMNS.map(
  (column) => `CASE typeof(${column}) WHEN 'blob' THEN CAST(${column} AS TEXT) ELSE ${column} END AS ${column}`,
).join(', ')} FROM agent_runs) AS agent_runs`;

/** Statements that render runs, from the table and from what it is as text. */
export type Rendering = readonly [sql: string, asText: string];

/** @param sqlOf a statement with the JSON of a run, and the table it is made from */
export const rendering = (sqlOf: (json: string, table: string) => string): Rendering => [
  sqlOf(RUN_JSON, 'agent_runs'),
  sqlOf(RUN_JSON, AS_TEXT),
];

/** The first row of a rendering. Bytes are found out by the failure: to look for them would cost every run. */
export function rendered(db: Statements, [sql, asText]: Rendering, value: string): unknown {
  try {
    return db.raw(sql).get(value);
  } catch (error) {
    if (!String(error).includes('BLOB')) throw error;
    return db.raw(asText).get(value);
  }
}

/** Makes the functions that RUN_JSON uses known to a connection. */
export function defineFunctions(db: Connection): void {
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  const deterministic = { deterministic: true };
  db.function('without_credentials', deterministic, (remote: unknown) =>
    typeof remote === 'string' ? withoutCredentials(remote) : null,
  );
  db.function('repo_url', deterministic, (remote: unknown) => repoUrl(text(remote)) ?? null);
  db.function(
    'commit_url',
    deterministic,
    (remote: unknown, hash: unknown) => commitUrl(text(remote), text(hash)) ?? null,
  );
}
