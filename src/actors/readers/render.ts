/** A run as JSON, built by SQL: half the time of going through objects, and already bytes. */
import { COLUMNS, commitsUrl, commitUrlAt, repoUrl, TABLE, withoutCredentials } from '../../run.ts';
import type { Connection } from '../database.ts';

const KINDS = new Map<string, string>(TABLE.map(({ name, kind }) => [name, kind]));
const JSON_COLUMNS = TABLE.filter(({ kind }) => kind === 'json').map(({ name }) => name);

/** @param isSound whether all JSON columns of the row are JSON */
function objectOf(isSound: boolean): string {
  const pairs = ['id', ...COLUMNS].map((column) => `'${column}', ${valueOf(column, isSound)}`);
  const [remote, hash] = [textOf('git_repo'), textOf('git_commit_hash')];
  pairs.push(`'commit_url', commit_url(${remote}, ${hash})`, `'repo_url', repo_url(${remote})`);
  return `json_object(${pairs.join(', ')})`;
}

// Databases from elsewhere may hold text that is not JSON: it comes back as text, beside the reason.
const broken = JSON_COLUMNS.map(
  (column) =>
    `CASE WHEN ${column} IS NULL OR json_valid(${textOf(column)}) THEN '{}' ELSE '{"${column}_parse_error":"not valid JSON"}' END`,
);
const sound = JSON_COLUMNS.map((column) => `(${column} IS NULL OR json_valid(${textOf(column)}))`).join(' AND ');

/** SQL expression: the JSON object of one row of agent_runs. */
export const RUN_JSON = `CASE WHEN ${sound} THEN ${objectOf(true)}
  ELSE ${broken.reduce((object, extra) => `json_patch(${object}, ${extra})`, objectOf(false))} END`;

// HAZARD: bytes that another program has bound (of Python, say) SQLite takes for its binary JSON, or refuses: either way the
// whole list is lost. As text they are what was meant. To cast what is text already costs next to nothing.
function textOf(column: string): string {
  return `CAST(${column} AS TEXT)`;
}

function valueOf(column: string, isSound: boolean): string {
  switch (KINDS.get(column)) {
    case undefined:
      return column;
    case 'json':
      if (isSound) return `json(${textOf(column)})`;
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
  const shown = remembered((remote) => (remote === null ? null : withoutCredentials(remote)));
  const repo = remembered((remote) => repoUrl(remote) ?? null);
  const commits = remembered((remote) => commitsUrl(remote) ?? null);
  db.function('without_credentials', deterministic, (remote: unknown) => shown(text(remote)));
  db.function('repo_url', deterministic, (remote: unknown) => repo(text(remote)));
  db.function('commit_url', deterministic, (remote: unknown, hash: unknown) => {
    return commitUrlAt(commits(text(remote)) ?? undefined, text(hash)) ?? null;
  });
}

/** Remotes remembered; there are far more runs than repositories, and to parse an address takes longer than all else of a run. */
const MAX_REMOTES = 1_000;
const MAX_LENGTH = 2_048;

function remembered(of: (remote: string | null) => string | null): (remote: string | null) => string | null {
  const known = new Map<string | null, string | null>();
  return (remote) => {
    if (remote !== null && remote.length > MAX_LENGTH) return of(remote);
    let result = known.get(remote);
    if (result !== undefined) return result;
    if (known.size >= MAX_REMOTES) known.clear();
    known.set(remote, (result = of(remote)));
    return result;
  };
}
