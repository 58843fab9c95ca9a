/** A record of any size, brought down to what the service takes for one run: never lost as a whole. */
import type { Values } from './fields.ts';

/** Bytes; the service takes 1 MiB unless it is configured otherwise. */
const MAX_BYTES = 900_000;
/** A character has three bytes at most, so shorter JSON fits without being measured. */
const SURELY_FITS = MAX_BYTES / 3;
/** What a text that is cut keeps; smaller fields are left alone. */
const KEPT = 10_000;

/** @param record is cut where it is too large @returns its JSON, and the names of the fields that were cut */
export function fitted(record: Values): { json: string; cut: string[] } {
  let json = JSON.stringify(record);
  const cut: string[] = [];
  while (json.length > SURELY_FITS && Buffer.byteLength(json) > MAX_BYTES) {
    const name = largest(record);
    if (name === undefined) break;
    const value = record[name];
    record[name] =
      typeof value === 'string'
        ? `${value.slice(0, KEPT).toWellFormed()}… (${value.length} characters)`
        : { left_out: `${JSON.stringify(value).length} characters: the run was too large` };
    cut.push(name);
    json = JSON.stringify(record);
  }
  return { json, cut };
}

function largest(record: Values): string | undefined {
  let found: string | undefined;
  let most = 2 * KEPT;
  for (const [name, value] of Object.entries(record)) {
    const size = JSON.stringify(value)?.length ?? 0;
    if (size > most) [found, most] = [name, size];
  }
  return found;
}
