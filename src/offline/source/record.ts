/** A row as the record that a service would take. Pure. */
import { isGiven, type RowValues, TABLE } from '../../run.ts';
import { jsonObjectOf, withinDepth } from '../../run/json.ts';

/** When a run was recorded is known, though nobody said it; without it the record would be new. */
const KEPT: ReadonlySet<string> = new Set(['created_at', 'updated_at']);

/**
 * What was given of a row, and its times. Of other fields a default is left out, so that merging takes it for none.
 * Text in a JSON field that is no object becomes `{"unparsed": text}`.
 *
 * @param defaulted the bits of the fields that hold their default
 */
export function recordOf(values: RowValues, defaulted: number): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (const [index, { name, kind }] of TABLE.entries()) {
    const value = values[index] ?? null;
    if (value === null || !(KEPT.has(name) || isGiven(values, defaulted, index))) continue;
    record[name] = kind === 'json' ? objectOf(String(value)) : value;
  }
  return record;
}

function objectOf(text: string): Record<string, unknown> {
  const object = jsonObjectOf(text);
  return object !== undefined && withinDepth(object) ? object : { unparsed: text };
}
