/** Bodies of which bytes were changed, and bodies that never were anything else. */
import type { Random } from '../../crash/random.ts';
import { baseId, exchangeOf, type Input, oneOf, RUNS } from '../input.ts';
import { aRecord, objectOf } from './records.ts';

type Mutation = (random: Random, body: Buffer) => Buffer;

const INSERTED = [
  ...[
    '\0',
    '\ufeff',
    '\u2028',
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '\\ud83d',
    '\\u0000',
    'NaN',
    '1e999',
    '-',
    '\r\n',
    ' ',
  ],
  ...['/*', '"event_id":', '\u202e', '\u009b'],
].map((text) => Buffer.from(text));
const INVALID = ['ff', 'c0af', 'eda080', 'f4908080', 'e282', '80', 'fe', 'c3'].map((hex) => Buffer.from(hex, 'hex'));

const spliced = (body: Buffer, at: number, remove: number, insert: Buffer): Buffer =>
  Buffer.concat([body.subarray(0, at), insert, body.subarray(at + remove)]);

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'a flipped bit': (random, body) => {
    const changed = Buffer.from(body);
    if (changed.length === 0) return changed;
    const at = random.between(0, changed.length - 1);
    changed[at] = (changed[at] as number) ^ (1 << random.between(0, 7));
    return changed;
  },
  'a changed byte': (random, body) =>
    spliced(body, random.between(0, body.length), 1, Buffer.from([random.between(0, 255)])),
  'cut short': (random, body) => body.subarray(0, random.between(0, body.length)),
  'without its beginning': (random, body) => body.subarray(random.between(0, body.length)),
  'a part twice': (random, body) => {
    const from = random.between(0, body.length);
    return spliced(body, random.between(0, body.length), 0, body.subarray(from, from + random.between(1, 200)));
  },
  'a part left out': (random, body) =>
    spliced(body, random.between(0, body.length), random.between(1, 20), Buffer.alloc(0)),
  'something put in': (random, body) => spliced(body, random.between(0, body.length), 0, random.pick(INSERTED)),
  'invalid UTF-8': (random, body) =>
    spliced(body, random.between(0, body.length), random.between(0, 2), random.pick(INVALID)),
  'a byte order mark': (_, body) => Buffer.concat([Buffer.from('\ufeff'), body]),
  'UTF-16': (_, body) => Buffer.from(body.toString(), 'utf16le'),
};
const NAMES = Object.keys(MUTATIONS);

function aBody(random: Random, id: string): { method: string; path: string; body: Buffer } {
  const spaced = random.chance(0.5);
  const record = (eventId: string): string => objectOf(aRecord(random, eventId), spaced);
  const die = random.next();
  if (die < 0.5) return { method: 'POST', path: RUNS, body: Buffer.from(record(id)) };
  if (die < 0.8) {
    const items = Array.from({ length: random.between(1, 6) }, (_, index) => record(`${id}-${index}`));
    const query = random.pick(['', '?on_duplicate=merge']);
    return { method: 'POST', path: `${RUNS}/batch${query}`, body: Buffer.from(`[${items.join()}]`) };
  }
  if (die < 0.9) {
    const body = Buffer.from('{"status":"success","end_time":"2026-01-10T12:03:20Z","metrics_json":{"a":[1,2]}}');
    return { method: 'PATCH', path: `${RUNS}/${baseId(random)}`, body };
  }
  const body = Buffer.from(Array.from({ length: random.between(0, 300) }, () => random.between(0, 255)));
  return { method: 'POST', path: random.pick([RUNS, `${RUNS}/batch`]), body };
}

export function bytes(random: Random, id: string): Omit<Input, 'number' | 'kind'> {
  const request = aBody(random, id);
  const names: string[] = [];
  for (let times = random.chance(0.7) ? 1 : random.between(2, 8); times > 0; times--) {
    const name = random.pick(NAMES);
    request.body = (MUTATIONS[name] as Mutation)(random, request.body);
    names.push(name);
  }
  return {
    what: `${request.method} ${request.path}: ${names.join(', ')}`,
    exchange: exchangeOf(request),
    judge: oneOf(200, 201, 400, 413, 422),
  };
}
