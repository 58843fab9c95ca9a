/** What a line of NDJSON is: runs to be stored, an event, a trailer, or nothing that can be taken. Pure. */
import { isJsonObject, parseJson } from '../../run.ts';
import { acceptsRun, reasonAgainst } from '../../run/check.ts';

export type Taken =
  | { kind: 'run'; text: string; eventId: string }
  | { kind: 'event' }
  | { kind: 'rejected'; text: string; reason: string };
export type Found = Taken | { kind: 'trailer'; rows: number; sha256: string };

const TORN = 'not a JSON object: the line is torn, or something else wrote it';
/** How a record of the NDJSON backup begins. */
const BEGINNING = '{"record_type":';
/** Places in one torn line where a whole record is looked for. */
const MAX_TRIES = 32;

const decoder = new TextDecoder('utf-8', { fatal: true });

/** @param bytes of one line. @returns nothing for an empty one, more than one thing where records were torn into each other */
export function judge(bytes: Uint8Array): Found[] {
  let text: string;
  try {
    text = decoder.decode(bytes).trim();
  } catch {
    // A record was cut within a character, and another one follows: what follows may be whole.
    return salvage(Buffer.from(bytes).toString(), 'not valid UTF-8');
  }
  if (text === '') return [];
  const value = objectIn(text);
  return value === undefined ? salvage(text, TORN) : [foundIn(text, value)];
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value = parseJson(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function foundIn(text: string, value: Record<string, unknown>): Found {
  const { record_type: type, rows, sha256 } = value;
  if (type === 'event') return { kind: 'event' };
  if (type === 'trailer' && typeof rows === 'number' && typeof sha256 === 'string')
    return { kind: 'trailer', rows, sha256 };
  if (type !== undefined && type !== null && type !== 'run') {
    return {
      kind: 'rejected',
      text,
      reason: `a record_type of ${JSON.stringify(type).slice(0, 50)} is not known here`,
    };
  }
  return runOf(text, value);
}

/** A run, or why the service would not take it. @param text the JSON of `value`, sent as it is */
export function runOf(text: string, value: unknown): Taken {
  if (acceptsRun(value)) return { kind: 'run', text, eventId: String(value.event_id) };
  return { kind: 'rejected', text, reason: reasonAgainst(value) };
}

/**
 * The complete records at the end of a torn line: the backup is shared by processes, and one that is killed while it writes
 * leaves half a line, behind which another may write a whole one.
 */
function salvage(text: string, reason: string): Found[] {
  const found: Found[] = [];
  let end = text.length;
  let at = end;
  for (let tries = 0; tries < MAX_TRIES && at > 0; tries++) {
    at = text.lastIndexOf(BEGINNING, at - 1);
    if (at === -1) break;
    const record = text.slice(at, end);
    const value = objectIn(record);
    const one = value && foundIn(record, value);
    // An object within a record begins so too, perhaps.
    if (one === undefined || one.kind === 'rejected') continue;
    found.unshift(one);
    end = at;
  }
  const lost = text.slice(0, end).trim();
  if (lost !== '') found.unshift({ kind: 'rejected', text: lost, reason });
  return found;
}
