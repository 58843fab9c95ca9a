/** What a line of NDJSON is: runs to be stored, an event, a trailer, or nothing that can be taken. Pure. */
import { objectIn, salvage } from '../../offline/salvage.ts';
import { acceptsRun, reasonAgainst } from '../../run/check.ts';
import { tooMuchIn } from '../../run/json.ts';
import { cut } from '../../run/text.ts';

export type Taken =
  | { kind: 'run'; text: string; eventId: string }
  | { kind: 'event' }
  | { kind: 'rejected'; text: string; reason: string };
export type Found = Taken | { kind: 'trailer'; rows: number; sha256: string };

const TORN = 'not a JSON object: the line is torn, or something else wrote it';

/** Fields of entries in files of rejected lines. */
const IMPORTED: ReadonlySet<string> = new Set(['file', 'line', 'offset', 'reason', 'text']);
const SPOOLED: ReadonlySet<string> = new Set(['offset', 'rejected_at', 'reason', 'line']);

const decoder = new TextDecoder('utf-8', { fatal: true });

/** @param bytes of one line. @returns nothing for an empty one, more than one thing where records were torn into each other */
export function judge(bytes: Uint8Array): Found[] {
  let text: string;
  try {
    text = decoder.decode(bytes).trim();
  } catch {
    // A record was cut within a character, and another one follows: what follows may be whole.
    return wholeIn(Buffer.from(bytes).toString(), 'not valid UTF-8');
  }
  if (text === '') return [];
  const value = objectIn(text);
  if (value === undefined) {
    const much = tooMuchIn(text);
    return much === undefined ? wholeIn(text, TORN) : [{ kind: 'rejected', text, reason: much }];
  }
  const rejected = rejectedLine(value);
  // What was rejected before has its reason anew: it may have gone, or be another.
  return rejected === undefined ? [foundIn(text, value)] : judge(Buffer.from(rejected));
}

/**
 * The line that an entry of a file of rejected lines holds: `import` has it in `text`, the service and clients in `line`.
 * Undefined for anything else.
 */
function rejectedLine(value: Record<string, unknown>): string | undefined {
  const { reason, line, text } = value;
  if (typeof reason !== 'string') return undefined;
  const known = typeof text === 'string' ? IMPORTED : SPOOLED;
  const held = typeof text === 'string' ? text : line;
  return typeof held === 'string' && Object.keys(value).every((name) => known.has(name)) ? held : undefined;
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
      reason: `a record_type of ${cut(JSON.stringify(type), 50)} is not known here`,
    };
  }
  return runOf(text, value);
}

/** A run, or why the service would not take it. @param text the JSON of `value`, sent as it is */
export function runOf(text: string, value: unknown): Taken {
  if (acceptsRun(value, 'repair')) return { kind: 'run', text, eventId: String(value.event_id) };
  return { kind: 'rejected', text, reason: reasonAgainst(value, 'repair') };
}

/** What is whole in a torn line, behind what is lost. */
function wholeIn(line: string, reason: string): Found[] {
  const { found, lost } = salvage(line, (text, value) => {
    const one = foundIn(text, value);
    return one.kind === 'rejected' ? undefined : one;
  });
  return lost === '' ? found : [{ kind: 'rejected', text: lost, reason }, ...found];
}
