/** A run as JSON, built by SQL: half the time of going through objects, and already bytes. Total: a row may hold anything. */
import { isUtf8 } from 'node:buffer';
import { COLUMNS, TABLE, withoutCredentials } from '../../run.ts';
import { addressBook, remembered } from '../../run/urls.ts';
import type { Connection } from '../database.ts';

const KINDS = new Map<string, string>(TABLE.map(({ name, kind }) => [name, kind]));
const JSON_COLUMNS = TABLE.filter(({ kind }) => kind === 'json').map(({ name }) => name);

/** A longer value is shown as its size: it would be loaded, and copied, for every list. */
export const SHOWN_BYTES = 16 * 1024 * 1024;
/** An address, or what one is derived from. */
const ADDRESS_BYTES = 8_192;

/** @param column as an expression of what is shown of it */
type Shown = (column: string) => string;

// HAZARD: bytes that another program has bound (of Python, say) SQLite takes for its binary JSON, or refuses: either way the
// whole list is lost. As text they are what was meant. To cast what is text already costs next to nothing.
const whole: Shown = (column) => `CAST(${column} AS TEXT)`;
const upTo =
  (most: number): Shown =>
  (column) =>
    `iif(octet_length(${column}) > ${most}, '… (' || octet_length(${column}) || ' bytes)', ${whole(column)})`;

/** SQL: what is stored of an address, as it is shown; null where nothing is. Another is derived of a remote that is short. */
const derived = (of: string): string =>
  `${of}(iif(octet_length(git_repo) <= ${ADDRESS_BYTES}, ${whole('git_repo')}, NULL))`;
const repoUrl = (shown: Shown): string =>
  `CASE WHEN repo_url IS NULL THEN ${derived('repo_url')} WHEN repo_url = '' THEN NULL ELSE ${shown('repo_url')} END`;
// As commitUrlAt has it; the lengths differ where a NUL hides the rest from GLOB.
const commitUrl = (shown: Shown): string => `CASE
  WHEN git_commit_hash IS NULL OR commits_url = '' OR octet_length(git_commit_hash) NOT BETWEEN 1 AND 64
    OR octet_length(git_commit_hash) <> length(${whole('git_commit_hash')})
    OR ${whole('git_commit_hash')} GLOB '*[^0-9A-Za-z._-]*' OR ${whole('git_commit_hash')} GLOB '*..*' THEN NULL
  ELSE iif(commits_url IS NULL, ${derived('commits_url')}, ${shown('commits_url')}) || ${whole('git_commit_hash')} END`;

/** SQL expressions: the addresses of a run; derived here only where another program, or an earlier release, left none. */
export const REPO_URL = repoUrl(upTo(ADDRESS_BYTES));
export const COMMIT_URL = commitUrl(upTo(ADDRESS_BYTES));

/** @param isSound whether all JSON columns of the row are JSON */
function objectOf(shown: Shown, isSound: boolean): string {
  const pairs = ['id', ...COLUMNS].map((column) => `'${column}', ${valueOf(column, shown, isSound)}`);
  return `json_object(${[...pairs, `'commit_url', ${commitUrl(shown)}`, `'repo_url', ${repoUrl(shown)}`].join(', ')})`;
}

// Databases from elsewhere may hold text that is not JSON: it comes back as text, beside the reason.
function runOf(shown: Shown): string {
  const valid = JSON_COLUMNS.map((column) => `(${column} IS NULL OR json_valid(${shown(column)}))`);
  const broken = JSON_COLUMNS.map((column, index) => `iif(${valid[index]}, NULL, '${column}')`);
  return `CASE WHEN ${valid.join(' AND ')} THEN ${objectOf(shown, true)}
    ELSE with_parse_errors(${objectOf(shown, false)}, ${broken.join(', ')}) END`;
}

/** SQL expression: the JSON object of one row of agent_runs. @param shownBytes of a value; a longer one is not even loaded */
export const runJson = (shownBytes: number): string => runOf(upTo(shownBytes));

function valueOf(column: string, shown: Shown, isSound: boolean): string {
  const text = shown(column);
  switch (KINDS.get(column)) {
    case undefined:
      return column;
    case 'json':
      return isSound ? `json(${text})` : `CASE WHEN json_valid(${text}) THEN json(${text}) ELSE ${text} END`;
    case 'boolean':
      return `json(CASE WHEN octet_length(${column}) < 64 AND ${column} THEN 'true' ELSE 'false' END)`;
    case 'count':
      // An infinite one is no number of JSON.
      return `CASE WHEN typeof(${column}) = 'integer' OR abs(${column}) < 1e308 AND typeof(${column}) = 'real' THEN ${column} ELSE ${text} END`;
    case 'remote':
      // Stored without them by us; but another program may have changed it since, whatever stands beside it.
      return `iif(instr(${text}, '@') + instr(${text}, '?') + instr(${text}, '#') > 0, without_credentials(${text}), ${text})`;
    default:
      return text;
  }
}

/** Makes the functions that RUN_JSON uses known to a connection. None of them throws: a row that it cannot read has null there. */
export function defineFunctions(db: Connection): void {
  const addresses = addressBook();
  const shownRemote = remembered(withoutCredentials);
  const define = (name: string, of: (...values: unknown[]) => string | null): void => {
    const total = (...values: unknown[]): string | null => {
      try {
        return of(...values);
      } catch {
        return null;
      }
    };
    db.function(name, { deterministic: true, varargs: true }, total);
  };
  define('without_credentials', (remote) => (typeof remote === 'string' ? shownRemote(remote) : null));
  define('repo_url', (remote) => addresses(remote).repo || null);
  define('commits_url', (remote) => addresses(remote).commits || null);
  define('with_parse_errors', (object, ...columns) => {
    const notes = columns.filter(Boolean).map((column) => `,"${String(column)}_parse_error":"not valid JSON"`);
    return `${String(object).slice(0, -1)}${notes.join('')}}`;
  });
}

const ESCAPE = /\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|[^])/g;

/**
 * JSON that every parser reads: text that is not UTF-8 and escapes of half an emoji, both of which a database may hold, become
 * U+FFFD. What is sound is not copied.
 */
export function wellFormed(json: Buffer): Buffer {
  const escapes = json.includes('\\ud') || json.includes('\\uD');
  if (!escapes && isUtf8(json)) return json;
  const text = json.toString();
  if (!escapes) return Buffer.from(text);
  return Buffer.from(text.replaceAll(ESCAPE, (escape, half: string | undefined) => (half ? '\\ufffd' : escape)));
}
