/** A strict reader of Prometheus' text format 0.0.4 and of OpenMetrics 1.0.0: whatever is not exactly so, fails. */
import assert from 'node:assert/strict';

export type TextFormat = 'prometheus' | 'openmetrics';

export interface Family {
  type: string;
  help: string;
  unit: string | undefined;
  samples: Sample[];
}

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const TYPES: Readonly<Record<TextFormat, readonly string[]>> = {
  prometheus: ['counter', 'gauge', 'histogram', 'summary', 'untyped'],
  openmetrics: ['counter', 'gauge', 'histogram', 'summary', 'info', 'stateset', 'gaugehistogram', 'unknown'],
};
/** What a family's samples may end with. */
const SUFFIXES: Readonly<Record<TextFormat, Readonly<Record<string, readonly string[]>>>> = {
  prometheus: { histogram: ['_bucket', '_sum', '_count'] },
  openmetrics: { histogram: ['_bucket', '_sum', '_count'], counter: ['_total', '_created'], info: ['_info'] },
};

/** The families of an exposition by name. @throws AssertionError with the line that is wrong */
export function parseExposition(text: string, format: TextFormat): Map<string, Family> {
  assert.ok(text.endsWith('\n'), 'the last line ends');
  const lines = text.slice(0, -1).split('\n');
  if (format === 'openmetrics') assert.equal(lines.pop(), '# EOF');
  const families = new Map<string, Family>();
  let current: [name: string, family: Family] | undefined;
  for (const line of lines) {
    if (line.startsWith('#')) current = readHead(line, format, families, current);
    else readSample(line, format, current ?? assert.fail(`a sample before any family: ${line}`));
  }
  for (const [name, family] of families) checkFamily(name, family, format);
  return families;
}

function readHead(
  line: string,
  format: TextFormat,
  families: Map<string, Family>,
  current: [string, Family] | undefined,
): [string, Family] {
  const [, keyword, name = '', text = ''] = /^# (HELP|TYPE|UNIT) (\S+) (.+)$/.exec(line) ?? assert.fail(line);
  assert.match(name, NAME);
  let family = current?.[1];
  if (current?.[0] !== name) {
    assert.ok(!families.has(name), `the family ${name} comes twice, or in pieces`);
    family = { type: '', help: '', unit: undefined, samples: [] };
    families.set(name, family);
  }
  assert.ok(family?.samples.length === 0, `${line} comes behind a sample`);
  if (keyword === 'HELP') family.help = once(family.help, text, line);
  else if (keyword === 'TYPE') {
    assert.ok(TYPES[format].includes(text), line);
    family.type = once(family.type, text, line);
  } else {
    assert.equal(format, 'openmetrics', line);
    assert.ok(name.endsWith(`_${text}`), line);
    family.unit = once(family.unit ?? '', text, line);
  }
  return [name, family];
}

function once(before: string, text: string, line: string): string {
  assert.equal(before, '', `twice: ${line}`);
  return text;
}

function readSample(line: string, format: TextFormat, [family, { type, samples }]: [string, Family]): void {
  const [, name = '', braces, number = ''] =
    /^([^\s{]+)(\{.*\})? (\S+)$/s.exec(line) ?? assert.fail(`not a sample: ${line}`);
  const suffixes = SUFFIXES[format][type] ?? [''];
  assert.ok(
    suffixes.some((suffix) => name === family + suffix),
    `${name} is no sample of the ${type} ${family}`,
  );
  const value = number === '+Inf' ? Infinity : Number(number);
  assert.match(number, /^(\+Inf|NaN|-?\d+(\.\d+)?(e[+-]\d+)?)$/, line);
  samples.push({ name, labels: labelsIn(braces ?? '', line), value });
}

function labelsIn(braces: string, line: string): Record<string, string> {
  const labels: [string, string][] = [];
  let rest = braces.slice(1, -1);
  while (rest !== '') {
    const [all, name = '', escaped = ''] =
      /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/.exec(rest) ?? assert.fail(`labels of ${line}`);
    assert.ok(!labels.some(([other]) => other === name), `the label ${name} comes twice: ${line}`);
    labels.push([
      name,
      escaped.replaceAll(/\\(["\\n])/g, (_, character) => (character === 'n' ? '\n' : String(character))),
    ]);
    rest = rest.slice(all.length);
  }
  return Object.fromEntries(labels);
}

function checkFamily(name: string, { type, help, samples }: Family, format: TextFormat): void {
  assert.notEqual(type, '', `${name} has no type`);
  assert.notEqual(help, '', `${name} has no help`);
  const keys = samples.map((sample) => JSON.stringify([sample.name, Object.entries(sample.labels).sort()]));
  assert.equal(new Set(keys).size, keys.length, `${name} has a series twice`);
  if (type === 'counter') {
    if (format === 'prometheus') assert.ok(name.endsWith('_total'), `${name} is a counter`);
    else assert.ok(!name.endsWith('_total'), `${name} is a family`);
    for (const { value } of samples) assert.ok(value >= 0, `${name} is ${value}`);
  }
  if (type === 'histogram') checkHistogram(name, samples);
}

function checkHistogram(name: string, samples: readonly Sample[]): void {
  const buckets = samples.filter((sample) => sample.name.endsWith('_bucket'));
  const bounds = buckets.map(({ labels }) => (labels.le === '+Inf' ? Infinity : Number(labels.le)));
  assert.equal(bounds.at(-1), Infinity, `${name} has no last bucket`);
  for (const [index, bound] of bounds.entries()) {
    if (index === 0) continue;
    assert.ok(bound > (bounds[index - 1] ?? NaN), `the bounds of ${name} ascend`);
    assert.ok((buckets[index]?.value ?? NaN) >= (buckets[index - 1]?.value ?? NaN), `${name} is cumulative`);
  }
  const count = samples.find((sample) => sample.name === `${name}_count`)?.value;
  assert.equal(buckets.at(-1)?.value, count, `the last bucket of ${name} is its count`);
  assert.ok(
    samples.some((sample) => sample.name === `${name}_sum`),
    `${name} has a sum`,
  );
}
