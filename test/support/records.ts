/** Generated records: JSON texts of values good and odd, and whole records that meet in one run. */
import fc from 'fast-check';
import { TABLE } from '../../src/run.ts';
import type { KindName } from '../../src/run/kinds.ts';

const nested = (levels: number): string => '{"a":'.repeat(levels - 1) + '{}' + '}'.repeat(levels - 1);

/** JSON texts that some kind takes, nearly takes, or trips over. */
export const ODD_VALUES: readonly string[] = [
  ...['null', 'true', 'false', '0', '1', '2', '-1', '-0', '-0.0', '0.5', '1.0', '1e3', '1e400', '-1e400', '1e-400'],
  ...['9007199254740991', '9007199254740992', '9007199254740993', '-9007199254740993', '9007199254740991.0'],
  ...['123456789012345678901234567890', '1234567890123456.5', '1e21', '12345678901234567890.5'],
  ...['"0"', '"1"', '"-0"', '"-1"', '"+1"', '"007"', '"1.0"', '"1e3"', '" 1"', '"1 "', '"1\\n"', '"0x10"', '"٣"'],
  ...['"0000000000000001"', '"00000000000000001"', '"9007199254740991"', '"9007199254740992"', '"9999999999999999"'],
  ...['"12345678901234567890"', '"NaN"', '"Infinity"', '""', '" "', '"a"', '"\\u0000"', '"a\\u0000b"', '"\\ud800"'],
  ...['"a\\udc00\\ud800b"', '"\\ud83d\\ude00"', '"\\ufeff"', '"\\ufffd"', '"null"', '"true"', '"false"', '"TRUE"'],
  ...['"running"', '"success"', '"failed"', '"completed"', '"succeeded"', '"cancelled"', '"Running"', '"running "'],
  ...[
    '"manual"',
    '"ci"',
    '"CI"',
    '"github"',
    '"True"',
    '" False "',
    '"5.0"',
    '" +5. "',
    '"5.5"',
    '1765368330',
    '"1765368330.25"',
  ],
  ...[
    '"2026-01-10T12:00:00+00:00Z"',
    '" 2026-01-10 "',
    '1765368330000',
    '1765368330000250',
    '17653683300002500000',
    '99999999',
  ],
  ...[
    `"${'x'.repeat(512)}"`,
    `"${'x'.repeat(513)}"`,
    `"${'ü'.repeat(257)}"`,
    `"${'😀'.repeat(3000)}"`,
    '"FAILED"',
    '" Success"',
  ],
  ...['"constructor"', '"__proto__"', '"toString"', '"valueOf"', '"hasOwnProperty"'],
  ...[
    '"2026-01-10T12:00:00Z"',
    '"2026-01-10"',
    '"2026-02-29T00:00:00Z"',
    '"20260110T120000Z"',
    '"2026-13-01T00:00:00Z"',
  ],
  ...['"2026-01-10T12:00:00.000000+00:00"', '"2026-02-30T12:00:00.000000+00:00"', '"0001-01-01T00:00:00+01:00"'],
  ...['[]', '[1]', '["a"]', '[null]', '[[]]', '{}', '{"a":1}', '{"a":[{"b":null}]}', '{"__proto__":{"a":1}}'],
  ...[
    '{"toString":1,"valueOf":2}',
    '{"rawJSON":"1"}',
    '{"a":9007199254740993}',
    '{"a":"\\ud800\\u0000"}',
    '{"a":1e400}',
  ],
  ...[
    '"{}"',
    '"[]"',
    '"{\\"a\\":9007199254740993}"',
    '"\\"{}\\""',
    '"{"',
    '"{} "',
    '"[{}]"',
    '"5"',
    '"9007199254740993"',
  ],
  ...[
    nested(500),
    nested(501),
    JSON.stringify(nested(500)),
    JSON.stringify(nested(501)),
    '['.repeat(600) + ']'.repeat(600),
  ],
];

const TIMES = [
  '2026-01-10T12:00:00Z',
  '2026-01-10T13:00:00+01:00',
  '2026-01-10T12:00:00.000001Z',
  '2026-01-09T23:59:59Z',
];

/** A few values of each kind, so that records often agree and often do not. */
const FEW: Readonly<Record<KindName, readonly unknown[]>> = {
  id: ['a', 'b', 'ü'],
  reference: ['', 'a', 'p'],
  source: ['manual', 'llm', 'ci'],
  text: ['', 'x', 'y', 'lone \ud800'],
  remote: ['git@github.com:o/r.git', 'https://user:token@github.com/o/r'],
  count: [0, 1, '1', 9007199254740991],
  boolean: [true, 0, '1'],
  timestamp: TIMES,
  status: ['running', 'success', 'failed', 'partial', 'timeout', 'cancelled'],
  json: [{}, { a: 1 }, '{"a":1}', { a: [null, 'ü'] }],
};

/** A checked record of the run `eventId`: any subset of the fields, some null. */
export function recordOf(eventId: string): fc.Arbitrary<Record<string, unknown>> {
  const fields = TABLE.filter(({ name }) => name !== 'event_id').map(({ name, kind, required }) => {
    const value = fc.constantFrom(...FEW[kind]);
    const given = required
      ? value
      : fc.oneof({ weight: 3, arbitrary: value }, { weight: 2, arbitrary: fc.constant(null) });
    return [name, required ? given : fc.option(given, { nil: undefined, freq: 2 })] as const;
  });
  return fc
    .record(Object.fromEntries(fields))
    .map((record) => ({ event_id: eventId, ...(JSON.parse(JSON.stringify(record)) as Record<string, unknown>) }));
}

/**
 * Some records of one run, and the same ones again in another order, each once or more often.
 *
 * @param statuses one of which each record has; any, none and null without it
 */
export function twoOrders(
  eventId: string,
  statuses?: readonly string[],
): fc.Arbitrary<[Record<string, unknown>[], Record<string, unknown>[]]> {
  const any = recordOf(eventId);
  const record = statuses
    ? fc.tuple(any, fc.constantFrom(...statuses)).map(([fields, status]) => ({ ...fields, status }))
    : any;
  return fc.array(record, { minLength: 1, maxLength: 5 }).chain((records) => {
    const twice = [...records, ...records];
    return fc.tuple(fc.constant(records), fc.shuffledSubarray(twice, { minLength: twice.length }));
  });
}

/** The JSON text of a record: every required field, and some of the others, mostly good. */
export function recordText(): fc.Arbitrary<string> {
  const good = (kind: KindName): fc.Arbitrary<string> =>
    fc.constantFrom(...FEW[kind]).map((value) => JSON.stringify(value));
  const odd = fc.oneof(
    fc.constantFrom(...ODD_VALUES),
    fc.json({ maxDepth: 3 }),
    fc.string({ unit: 'binary' }).map((s) => JSON.stringify(s)),
  );
  const members = TABLE.map(({ name, kind, required }) => {
    const value = fc.oneof({ weight: 80, arbitrary: good(kind) }, { weight: 1, arbitrary: odd });
    const member = value.map((text) => `${JSON.stringify(name)}:${text}`);
    return required ? fc.option(member, { nil: '', freq: 60 }) : fc.option(member, { nil: '', freq: 1 });
  });
  const strange = fc.tuple(fc.constantFrom('__proto__', 'constructor', 'toString', 'unknown', ''), odd);
  const extra = fc.option(
    strange.map(([key, text]) => `${JSON.stringify(key)}:${text}`),
    { nil: '' },
  );
  return fc.tuple(...members, extra).map((parts) => `{${parts.filter(Boolean).join(',')}}`);
}
