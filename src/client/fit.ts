/** A record of any size, brought down to what the service takes for one run: never lost as a whole. */
import type { Values } from './fields.ts';

/** Bytes; the service takes 1 MiB unless it is configured otherwise. */
const MAX_BYTES = 900_000;
/** A character has three bytes at most, so shorter JSON fits without being measured. */
const SURELY_FITS = MAX_BYTES / 3;
/** Bytes of JSON that a field keeps that is cut: all of them together fit. Smaller fields are left alone. */
const KEPT = 20_000;
/** What a run is known by. */
const NAMES: ReadonlySet<string> = new Set(['event_id', 'run_id']);

/** @param record is cut where it is too large @returns its JSON, and the names of the fields that were cut */
export function fitted(record: Values): { json: string; cut: string[] } {
  const json = JSON.stringify(record);
  if (json.length <= SURELY_FITS) return { json, cut: [] };
  let bytes = Buffer.byteLength(json);
  if (bytes <= MAX_BYTES) return { json, cut: [] };
  const cut: string[] = [];
  const sizes = Object.entries(record)
    .map(([name, value]) => ({ name, size: bytesOf(value) }))
    .filter(({ name, size }) => size > KEPT && !NAMES.has(name))
    .sort((a, b) => b.size - a.size);
  // Each is cut once at most.
  for (const { name, size } of sizes) {
    record[name] = shortened(record[name]);
    cut.push(name);
    bytes += bytesOf(record[name]) - size;
    if (bytes <= MAX_BYTES) break;
  }
  return { json: JSON.stringify(record), cut };
}

function shortened(value: unknown): unknown {
  if (typeof value !== 'string') {
    return { left_out: `${JSON.stringify(value).length} characters: the run was too large` };
  }
  const end = `… (${value.length} characters)`;
  let kept = value.slice(0, KEPT / 2);
  // A character may need six bytes.
  while (bytesOf(kept + end) > KEPT) kept = kept.slice(0, kept.length / 2);
  return kept.toWellFormed() + end;
}

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? '');
