import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { COLUMNS, parseJson, PATCH_FIELDS, TABLE } from '../../src/run.ts';
import { acceptsPatch, acceptsRun, explainPatch, explainRun } from '../../src/run/check.ts';
import { ODD_VALUES, recordText } from '../support/records.ts';

const VALID: Readonly<Record<string, string>> = {
  event_id: '"e"',
  run_id: '"r"',
  agent_name: '"a"',
  job_type: '"j"',
  start_time: '"2026-01-10T12:00:00Z"',
};

const textOf = (members: Readonly<Record<string, string>>): string =>
  `{${Object.entries(members)
    .map(([name, text]) => `${JSON.stringify(name)}:${text}`)
    .join(',')}}`;

test('the hot path and superstruct judge every odd value of every field alike', () => {
  const verdicts = new Set<boolean>();
  for (const name of COLUMNS) {
    for (const text of ODD_VALUES) {
      const record = parseJson(textOf({ ...VALID, [name]: text }));
      const accepted = acceptsRun(record);
      const issues = explainRun(record);
      assert.equal(accepted, issues.length === 0, `${name}: ${text.slice(0, 80)} — ${JSON.stringify(issues)}`);
      assert.ok(issues.length <= 1, `${name}: ${text.slice(0, 80)} has one issue at most`);
      verdicts.add(accepted);
    }
  }
  assert.equal(verdicts.size, 2, 'both verdicts occur');
});

test('they judge every odd value of every field that PATCH takes alike', () => {
  for (const { name } of PATCH_FIELDS) {
    for (const text of ODD_VALUES) {
      const patch = parseJson(textOf({ [name]: text }));
      assert.equal(acceptsPatch(patch), explainPatch(patch).length === 0, `${name}: ${text.slice(0, 80)}`);
    }
  }
});

test('they judge generated records alike, good ones and nearly good ones', () => {
  const verdicts = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(recordText(), (text) => {
      const record = parseJson(text);
      const accepted = acceptsRun(record);
      verdicts[accepted ? 'accepted' : 'refused']++;
      assert.equal(accepted, explainRun(record).length === 0);
    }),
    { numRuns: 500 },
  );
  // Some 60 of the 500 are refused; so few as 20 would be no chance.
  assert.ok(verdicts.accepted > 20 && verdicts.refused > 20, JSON.stringify(verdicts));
});

test('they judge anything that is not a record alike', () => {
  for (const text of ODD_VALUES) {
    const value = parseJson(text);
    assert.equal(acceptsRun(value), false, text.slice(0, 80));
    assert.equal(explainRun(value).length > 0, true, text.slice(0, 80));
    assert.equal(acceptsPatch(value), explainPatch(value).length === 0, text.slice(0, 80));
  }
});

test('a run with only its required fields is accepted', () => {
  assert.equal(acceptsRun(parseJson(textOf(VALID))), true);
});

for (const { name } of TABLE.filter(({ required }) => required)) {
  test(`a run without ${name} is refused as missing it`, () => {
    const rest = Object.entries(VALID).filter(([key]) => key !== name);
    const [issue] = explainRun(parseJson(textOf(Object.fromEntries(rest))));
    assert.deepEqual(issue, { type: 'missing', loc: ['body', name], msg: 'Field required', input: null });
    assert.equal(acceptsRun(parseJson(textOf({ ...VALID, [name]: 'null' }))), false, 'null is not a value either');
  });
}

test('every wrong field of a record is named, each once', () => {
  const issues = explainRun(
    parseJson(textOf({ ...VALID, items_failed: '-1', status: '"done"', run_id: '""', host: '5' })),
  );
  assert.deepEqual(issues.map(({ type, loc }) => [type, loc[1]]).sort(), [
    ['enum', 'status'],
    ['greater_than_equal', 'items_failed'],
    ['string_too_short', 'run_id'],
    ['string_type', 'host'],
  ]);
});

test('an issue shows no more than a line of its input', () => {
  const long = explainRun(parseJson(textOf({ ...VALID, status: JSON.stringify('x'.repeat(5000)) })))[0]?.input;
  assert.equal(typeof long === 'string' && long.length, 201);
  const nested = explainRun(parseJson(textOf({ ...VALID, host: '{"secret":{"a":1},"b":2}' })))[0]?.input;
  assert.equal(nested, 'object with 2 keys');
});
