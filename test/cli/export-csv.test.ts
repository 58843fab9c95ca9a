import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CSV_HEADER, csvOf } from '../../src/cli/export/csv.ts';
import { RUN_FIELDS } from '../../src/cli/runs/columns.ts';

/** RFC 4180 to the letter: CRLF, quotes only around a whole field and doubled within. @throws on anything else */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (let at = 0; at < text.length;) {
    let field = '';
    if (text[at] === '"') {
      for (at++; ; at++) {
        if (at >= text.length) throw new Error('a quote is not closed');
        if (text[at] !== '"') field += text[at];
        else if (text[at + 1] === '"') field += text[at++];
        else break;
      }
      at++;
    } else {
      for (; at < text.length && text[at] !== ',' && text[at] !== '\r'; at++) {
        if (text[at] === '"' || text[at] === '\n')
          throw new Error(`${JSON.stringify(text[at])} stands in a bare field`);
        field += text[at];
      }
    }
    row.push(field);
    if (text[at] === ',') {
      at++;
      continue;
    }
    if (text.slice(at, at + 2) !== '\r\n') throw new Error('a line does not end with CRLF');
    at += 2;
    rows.push(row);
    row = [];
  }
  if (row.length > 0) throw new Error('the last line has no end');
  return rows;
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', '\r\n', '=', '+', '-', '@', '\t', "'", ' ', 'a') }),
);
const value = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), fc.dictionary(text, text, { maxKeys: 2 }));

/** What a cell must say of a value. */
function cellOf(given: unknown): string {
  if (given === null || given === undefined) return '';
  if (typeof given !== 'string') return typeof given === 'object' ? JSON.stringify(given) : `${given as number}`;
  return ['=', '+', '-', '@', '\t', '\r'].some((start) => given.startsWith(start)) ? `'${given}` : given;
}

test('CSV is read back by a strict parser, and no text begins as a formula', () => {
  const fields = Object.fromEntries(RUN_FIELDS.map((name) => [name, fc.option(value, { nil: undefined })]));
  fc.assert(
    fc.property(fc.array(fc.record(fields), { minLength: 1, maxLength: 3 }), (runs) => {
      const csv = CSV_HEADER + runs.map((run) => csvOf(Buffer.from(JSON.stringify(run)))).join('');
      const [head, ...rows] = parseCsv(csv);
      assert.deepEqual(head, RUN_FIELDS);
      assert.deepEqual(
        rows,
        runs.map((run) => RUN_FIELDS.map((name) => cellOf((run as Record<string, unknown>)[name]))),
      );
    }),
    { numRuns: 60 },
  );
});

test('numbers stay numbers, to the last digit, also within JSON', () => {
  const json =
    '{"id":1,"duration_ms":9007199254740991,"metrics_json":{"a":-12345678901234567890},"error_summary":"-5"}';
  const [row] = parseCsv(csvOf(Buffer.from(json)));
  const cells = Object.fromEntries(RUN_FIELDS.map((name, place) => [name, row?.[place]]));
  assert.equal(cells.duration_ms, '9007199254740991');
  assert.equal(cells.metrics_json, '{"a":-12345678901234567890}');
  assert.equal(cells.error_summary, "'-5");
});
