/** A run as JSON, built by SQL: half the time of going through objects, and already bytes. */
import { COLUMNS, commitUrl, repoUrl, TABLE, withoutCredentials } from '../../run.ts';
import type { Connection } from '../database.ts';

const KINDS = new Map<string, string>(TABLE.map(({ name, kind }) => [name, kind]));
const JSON_COLUMNS = TABLE.filter(({ kind }) => kind === 'json').map(({ name }) => name);

const pairs = ['id', ...COLUMNS].map((column) => `'${column}', ${valueOf(column)}`);
const [remote, hash] = [textOf('git_repo'), textOf('git_commit_hash')];
pairs.push(`'commit_url', commit_url(${remote}, ${hash})`, `'repo_url', repo_url(${remote})`);

// Databases from elsewhere may hold text that is not JSON: it comes back as text, beside the reason.
const broken = JSON_COLUMNS.map(
  (column) =>
    `CASE WHEN ${column} IS NULL OR json_valid(${textOf(column)}) THEN '{}' ELSE '{"${column}_parse_error":"not valid JSON"}' END`,
);
const sound = JSON_COLUMNS.map((column) => `(${column} IS NULL OR json_valid(${textOf(column)}))`).join(' AND ');

/** SQL expression: the JSON object of one row of agent_runs. */
export const RUN_JSON = `CASE WHEN ${sound} THEN json_object(${pairs.join(', ')})
  ELSE ${broken.reduce((object, extra) => `json_patch(${object}, ${extra})`, `json_object(${pairs.join(', ')})`)} END`;

// HAZARD: bytes that another program has bound (of Python, say) SQLite takes for its binary JSON, or refuses: either way the
// whole list is lost. As text they are what was meant. To cast what is text already costs next to nothing.
function textOf(column: string): string {
  return `CAST(${column} AS TEXT)`;
}

function valueOf(column: string): string {
  switch (KINDS.get(column)) {
    case undefined:
      return column;
    case 'json':
      return `CASE WHEN json_valid(${textOf(column)}) THEN json(${textOf(column)}) ELSE ${textOf(column)} END`;
    case 'boolean':
      return `json(CASE WHEN ${column} THEN 'true' ELSE 'false' END)`;
    case 'count':
      return `CASE typeof(${column}) WHEN 'blob' THEN ${textOf(column)} ELSE ${column} END`;
    case 'remote':
      // Stored without them, but not everything in the file need have come through here.
      return `without_credentials(${textOf(column)})`;
    default:
      return textOf(column);
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
