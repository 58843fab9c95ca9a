/** A run as JSON, built by SQL: half the time of going through objects, and already bytes. Total: a row may hold anything. */
import { isUtf8 } from 'node:buffer';
import { COLUMNS, TABLE, withoutCredentials } from '../../run.ts';
import { addressBook } from '../../run/urls.ts';
import type { Connection } from '../database.ts';

const KINDS = new Map<string, string>(TABLE.map(({ name, kind }) => [name, kind]));
const JSON_COLUMNS = TABLE.filter(({ kind }) => kind === 'json').map(({ name }) => name);

/** A run of more bytes is shown without its long values: they would be loaded, and copied, for every list. */
export const SHOWN_BYTES = 16 * 1024 * 1024;
/** Of such a run a longer value is only its size. */
const LONG_VALUE_BYTES = 64 * 1024;
/** An address, or what one is derived from. */
const ADDRESS_BYTES = 8_192;

/** SQL expression: the bytes of a row, none of which SQLite reads for it. */
export const ROW_BYTES = [...COLUMNS, 'repo_url', 'commits_url']
  .map((column) => `ifnull(octet_length(${column}), 0)`)
  .join(' + ');

/** @param column as an expression of what is shown of it */
type Shown = (column: string) => string;

// HAZARD: bytes that another program has bound (of Python, say) SQLite takes for its binary JSON, or refuses: either way the
// whole list is lost. As text they are what was meant. To cast what is text already costs next to nothing.
const whole: Shown = (column) => `CAST(${column} AS TEXT)`;
const bounded: Shown = (column) =>
  `iif(octet_length(${column}) > ${LONG_VALUE_BYTES}, '… (' || octet_length(${column}) || ' bytes)', ${whole(column)})`;
const address: Shown = (column) => `iif(octet_length(${column}) <= ${ADDRESS_BYTES}, ${whole(column)}, NULL)`;

/** SQL expressions: the addresses of a run; derived here only where another program, or an earlier release, left none. */
export const REPO_URL = `nullif(ifnull(${address('repo_url')}, repo_url(${address('git_repo')})), '')`;
const COMMITS_URL = `nullif(ifnull(${address('commits_url')}, commits_url(${address('git_repo')})), '')`;
// As commitUrlAt has it; the lengths differ where a NUL hides the rest from GLOB.
export const COMMIT_URL = `CASE WHEN octet_length(git_commit_hash) BETWEEN 1 AND 64
    AND octet_length(git_commit_hash) = length(${whole('git_commit_hash')})
    AND ${whole('git_commit_hash')} NOT GLOB '*[^0-9A-Za-z._-]*' AND instr(${whole('git_commit_hash')}, '..') = 0
  THEN ${COMMITS_URL} || ${whole('git_commit_hash')} END`;

/** @param isSound whether all JSON columns of the row are JSON */
function objectOf(shown: Shown, isSound: boolean): string {
  const pairs = ['id', ...COLUMNS].map((column) => `'${column}', ${valueOf(column, shown, isSound)}`);
  return `json_object(${[...pairs, `'commit_url', ${COMMIT_URL}`, `'repo_url', ${REPO_URL}`].join(', ')})`;
}

// Databases from elsewhere may hold text that is not JSON: it comes back as text, beside the reason.
function runOf(shown: Shown): string {
  const valid = JSON_COLUMNS.map((column) => `(${column} IS NULL OR json_valid(${shown(column)}))`);
  const broken = JSON_COLUMNS.map((column, index) => `iif(${valid[index]}, NULL, '${column}')`);
  return `CASE WHEN ${valid.join(' AND ')} THEN ${objectOf(shown, true)}
    ELSE with_parse_errors(${objectOf(shown, false)}, ${broken.join(', ')}) END`;
}

/** SQL expression: the JSON object of a row of agent_runs that is no larger than what is shown whole. */
export const RUN_JSON = runOf(whole);
/** The same of a row of any size. */
export const LARGE_RUN_JSON = runOf(bounded);
/** The same of any row, where its size was not asked for before. @param shownBytes of a row that is shown whole */
export const runJson = (shownBytes: number): string =>
  `CASE WHEN ${ROW_BYTES} <= ${shownBytes} THEN ${RUN_JSON} ELSE ${LARGE_RUN_JSON} END`;

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
      // Stored without them by us, which the addresses beside it tell; not everything in the file need have come through here.
      return `iif(repo_url IS NULL, without_credentials(${text}), ${text})`;
    default:
      return text;
  }
}

/** Makes the functions that RUN_JSON uses known to a connection. None of them throws: a row that it cannot read has null there. */
export function defineFunctions(db: Connection): void {
  const addresses = addressBook();
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
  define('without_credentials', (remote) => (typeof remote === 'string' ? withoutCredentials(remote) : null));
  define('repo_url', (remote) => addresses(remote).repo);
  define('commits_url', (remote) => addresses(remote).commits);
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
