/** Reads answers out of the bytes of a connection, and holds each to what every answer must be. */

export interface Answer {
  /** 0: the connection closed without one; -1: none came in time. */
  status: number;
  headers: ReadonlyMap<string, string>;
  body: Buffer;
  /** Milliseconds from the last byte sent, or from the answer before, to the last byte received. */
  ms: number;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const NOTHING = Buffer.alloc(0);

export const unanswered = (status: 0 | -1, ms: number): Answer => ({ status, headers: new Map(), body: NOTHING, ms });

/** Takes one answer from the front. @returns where it is not whole yet, how many bytes must have come at least */
export function takeAnswer(bytes: Buffer, method: string): { answer: Answer; rest: Buffer } | number {
  const end = bytes.indexOf(HEAD_END);
  if (end === -1) return bytes.length + 1;
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? Number.NaN);
  const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), valueOf(line)]));
  const from = end + HEAD_END.length;
  // 100 Continue: the answer itself follows.
  if (status >= 100 && status < 200) return after(takeAnswer(bytes.subarray(from), method), from);
  const bodiless = method === 'HEAD' || status === 304 || status === 204;
  const length = bodiless ? 0 : Number(headers.get('content-length') ?? 0);
  if (!bodiless && headers.get('transfer-encoding') === 'chunked') return takeChunked(bytes, from, { status, headers });
  if (bytes.length < from + length) return from + length;
  const body = bytes.subarray(from, from + length);
  return { answer: { status, headers, body, ms: 0 }, rest: bytes.subarray(from + length) };
}

/** What is missing behind so many bytes. */
const after = <T>(taken: T | number, from: number): T | number => (typeof taken === 'number' ? taken + from : taken);

const valueOf = (line: string): string => line.slice(line.indexOf(':') + 1).trim();

function takeChunked(
  bytes: Buffer,
  start: number,
  head: Pick<Answer, 'status' | 'headers'>,
): { answer: Answer; rest: Buffer } | number {
  const parts: Buffer[] = [];
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return bytes.length + 1;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (bytes.length < next) return next;
    if (size === 0)
      return { answer: { ...head, body: Buffer.concat(parts), ms: 0 }, rest: bytes.subarray(lineEnd + 4) };
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = next;
  }
}

const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @returns what is wrong with an answer whatever was asked; undefined where nothing is */
export function faultOf({ status, headers, body }: Answer): string | undefined {
  if (status === 500) return `it answered 500 ${body.toString('utf8', 0, 200)}`;
  if (!(status >= 200 && status < 600)) return `it answered with the status ${status}`;
  if (headers.get('content-type') !== 'application/json' || body.length === 0) return undefined;
  let text: string;
  let value: unknown;
  try {
    text = STRICT.decode(body);
    value = JSON.parse(text);
  } catch (error) {
    return `its ${status} is no JSON in UTF-8: ${String(error)}`;
  }
  // Only an escape can bring half of a pair into a text that is valid UTF-8.
  const half = /\\u[dD][89a-fA-F]/.test(text) ? halfIn(value) : undefined;
  return half === undefined ? undefined : `its ${status} holds half a surrogate pair in ${half}`;
}

/** @returns a text with half a pair in it, shown; undefined where all is well-formed */
function halfIn(root: unknown): string | undefined {
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === 'string' && !value.isWellFormed()) return JSON.stringify(value.slice(0, 60));
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, member] of Object.entries(value)) open.push(key, member);
  }
  return undefined;
}

/** The address of the next page, where the answer names one. */
export const nextOf = ({ headers }: Answer): string | undefined => /<([^>]+)>/.exec(headers.get('link') ?? '')?.[1];
