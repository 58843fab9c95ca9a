/** Runs as CSV by RFC 4180, for spreadsheets; not to be imported, for a cell is not always what the record holds. Pure. */
import { parseJson } from '../../run.ts';
import { digitsOf } from '../../run/json.ts';
import { escaped } from '../../run/visible.ts';
import { RUN_FIELDS, type Run } from '../runs/columns.ts';

export const LINE_END = '\r\n';

/** A spreadsheet takes a cell that begins so for a formula, which may send what stands beside it away. */
const FORMULA = /^[=+\-@\t\r]/;
const QUOTED = /[",\r\n]/;

export const CSV_HEADER = `${RUN_FIELDS.join(',')}${LINE_END}`;

/** @param json a run as the API gives it */
export function csvOf(json: Uint8Array): string {
  const run = parseJson(Buffer.from(json).toString()) as Run;
  return `${RUN_FIELDS.map((name) => cellOf(run[name])).join(',')}${LINE_END}`;
}

/** null is an empty cell; objects are JSON; text that a spreadsheet would run has an apostrophe before it. */
export function cellOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  const digits = digitsOf(value);
  if (digits !== undefined) return digits;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  // A file that is shown on a terminal must not command it; text that means such a character shows it as JSON does.
  const text = escaped(typeof value === 'string' ? value : JSON.stringify(value));
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  return QUOTED.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
