/** What of a run a table shows, and how a cell is worded. Pure. */
import { digitsOf } from '../../run/json.ts';
import { cut } from '../../run/text.ts';
import { COLUMNS, TABLE } from '../../run.ts';
import { UsageError } from '../exit.ts';
import { listOf } from '../filter.ts';
import { meant } from '../usage.ts';
import { visible } from './text.ts';

export type Run = Readonly<Record<string, unknown>>;

export interface Column {
  head: string;
  /** The cell's text; empty where the run has no such value. */
  cell(run: Run): string;
  /** Columns of the terminal that it takes at most. */
  most: number;
  /** On a narrow terminal it may be cut to so many; undefined where it may not be cut while another one can. */
  least?: number;
  /** On a narrow terminal it goes before any is cut to less than its `least`; the lowest goes first. */
  goes?: number;
}

/** Every field of a run as the API gives it. */
export const RUN_FIELDS: readonly string[] = ['id', ...COLUMNS, 'commit_url', 'repo_url'];

const TIMES = new Set(TABLE.filter(({ kind }) => kind === 'timestamp').map(({ name }) => name));

/** Longer values are for --json. */
const MAX_CELL = 120;
/** Of JSON, text beyond this is not even looked at. */
const MAX_LOOKED_AT = 4 * MAX_CELL;

/** Any value as text, with nothing in it that commands a terminal. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  const digits = digitsOf(value);
  if (digits !== undefined) return digits;
  return visible(typeof value === 'string' ? value : JSON.stringify(value));
}

/** `2026-01-10 12:00:00`, UTC, of a canonical timestamp; other text as it is. */
export const secondsOf = (value: unknown): string =>
  textOf(value).replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\.\d{6}\+00:00$/, '$1 $2');

/** `850 ms`, `12.3 s`, `3 m 20 s`, `2 h 05 m`. */
export function durationText(milliseconds: number): string {
  if (milliseconds < 1_000) return `${milliseconds} ms`;
  if (milliseconds < 60_000) return `${(Math.floor(milliseconds / 100) / 10).toFixed(1)} s`;
  const seconds = Math.floor(milliseconds / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, '0')} s`;
  const minutes = Math.floor(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} m`;
}

const number = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** A value that is cut says nothing any more: what names a run is copied, and a time is read to its end. */
const WHOLE: ReadonlySet<string> = new Set(['id', 'event_id', 'run_id', 'parent_run_id', ...TIMES]);
/** What is left of other text shows at least what it is. */
const LEAST = 12;

function fieldColumn(name: string): Column {
  const cell = (run: Run): string => (TIMES.has(name) ? secondsOf(run[name]) : shortText(run[name]));
  return { head: name, cell, most: MAX_CELL, ...(!WHOLE.has(name) && { least: LEAST }) };
}

const shortText = (value: unknown): string =>
  cut(textOf(typeof value === 'string' ? cut(value, MAX_LOOKED_AT) : value), MAX_LOOKED_AT);

/** What is shown where no columns are chosen. */
export const USUAL: readonly Column[] = [
  { head: 'created_at', cell: ({ created_at }) => secondsOf(created_at), most: 32, goes: 4 },
  { head: 'agent', cell: ({ agent_name }) => shortText(agent_name), most: 40, least: LEAST },
  { head: 'job', cell: ({ job_type }) => shortText(job_type), most: 40, least: LEAST, goes: 3 },
  { head: 'status', cell: ({ status }) => shortText(status), most: 20 },
  {
    head: 'duration',
    // A run that goes on has none yet.
    cell: ({ duration_ms, status }) => (status === 'running' ? '' : durationText(number(duration_ms))),
    most: 20,
    goes: 2,
  },
  { head: 'ok/failed', cell: (run) => `${number(run.items_succeeded)}/${number(run.items_failed)}`, most: 35, goes: 1 },
  { head: 'run_id', cell: ({ run_id }) => shortText(run_id), most: 60 },
  { head: 'error', cell: ({ error_summary }) => shortText(error_summary), most: 60, least: LEAST },
];

/** These, with columns of fields before the run_id: to tell runs of one run_id apart, or to see what was done to them. */
export function usualWith(...fields: string[]): Column[] {
  return USUAL.flatMap((column) => (column.head === 'run_id' ? [...fields.map(fieldColumn), column] : [column]));
}

/** The columns of a list such as `run_id,status,host`. @throws UsageError for what is no field, with the nearest */
export function chosenColumns(list: string): Column[] {
  return listOf('columns', list).map((name) => {
    if (RUN_FIELDS.includes(name)) return fieldColumn(name);
    throw new UsageError(`A run has no field "${name}"${meant(name, RUN_FIELDS, '')}`);
  });
}
