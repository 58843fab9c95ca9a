/** What is whole in a torn line of NDJSON. Pure; one judge for all who read such lines. */
import { isJsonObject, parseJson } from '../run.ts';

/** How a record of the NDJSON backup begins. */
const BEGINNING = '{"record_type":';
/** Places in one torn line where a whole record is looked for. */
const MAX_TRIES = 32;

export interface Salvaged<T> {
  /** In the order of the line. */
  found: T[];
  /** What stands before them, and is none; empty where nothing does. */
  lost: string;
}

/**
 * The complete records at the end of a torn line: the backup is shared by processes, and one that is killed while it writes
 * leaves half a line, behind which another may write a whole one.
 *
 * @param take what a record is; undefined for one that is none, as an object within a record, which begins so too, perhaps
 */
export function salvage<T>(
  line: string,
  take: (text: string, value: Record<string, unknown>) => T | undefined,
): Salvaged<T> {
  const found: T[] = [];
  let end = line.length;
  let at = end;
  for (let tries = 0; tries < MAX_TRIES && at > 0; tries++) {
    at = line.lastIndexOf(BEGINNING, at - 1);
    if (at === -1) break;
    const text = line.slice(at, end);
    const value = objectIn(text);
    const one = value && take(text, value);
    if (one === undefined) continue;
    found.unshift(one);
    end = at;
  }
  return { found, lost: line.slice(0, end).trim() };
}

/** The JSON object that a text is; undefined where it is none. */
export function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value = parseJson(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
