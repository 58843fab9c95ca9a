import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Histogram } from '../../../src/histogram.ts';
import { render } from '../../../src/http/prometheus/exposition.ts';
import { type Metric, METRICS } from '../../../src/http/prometheus/metrics.ts';
import { foldedOf, seriesOf } from '../../../src/http/prometheus/runs.ts';
import { parseExposition } from '../../support/exposition.ts';

const RUNS = { name: 'runs_total', type: 'counter', help: 'Runs.', labels: ['agent_name', 'status'] } as const;
const TOOK = { name: 'took_seconds', type: 'histogram', help: 'Took.' } as const;
const BUILD = { name: 'build_info', type: 'info', help: 'Build.', labels: ['version'] } as const;

const seconds = new Histogram([0.5, 1]);
for (const value of [0.2, 0.7, 3]) seconds.observe(value);
const values = { runs_total: [[['a', 'success'], 2]], took_seconds: seconds, build_info: [[['1.0'], 1]] } as const;

test("Prometheus' format is as it says", () => {
  assert.equal(
    render([RUNS, TOOK, BUILD], values, 'prometheus'),
    `# HELP runs_total Runs.
# TYPE runs_total counter
runs_total{agent_name="a",status="success"} 2
# HELP took_seconds Took.
# TYPE took_seconds histogram
took_seconds_bucket{le="0.5"} 1
took_seconds_bucket{le="1.0"} 2
took_seconds_bucket{le="+Inf"} 3
took_seconds_sum 3.9
took_seconds_count 3
# HELP build_info Build.
# TYPE build_info gauge
build_info{version="1.0"} 1
`,
  );
});

test('OpenMetrics names families without their suffix, has units, and an end', () => {
  assert.equal(
    render([RUNS, TOOK, BUILD], values, 'openmetrics'),
    `# TYPE runs counter
# HELP runs Runs.
runs_total{agent_name="a",status="success"} 2
# TYPE took_seconds histogram
# UNIT took_seconds seconds
# HELP took_seconds Took.
took_seconds_bucket{le="0.5"} 1
took_seconds_bucket{le="1.0"} 2
took_seconds_bucket{le="+Inf"} 3
took_seconds_sum 3.9
took_seconds_count 3
# TYPE build info
# HELP build Build.
build_info{version="1.0"} 1
# EOF
`,
  );
});

test('what is not known is left out, family and all', () => {
  const text = render([RUNS, TOOK], { runs_total: undefined, took_seconds: undefined }, 'openmetrics');
  assert.equal(text, '# EOF\n');
});

test('any label value arrives as it was, in both formats', () => {
  const name = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\n', '"', '\\', String.raw`\n`, '}', '",x="'));
  fc.assert(
    fc.property(
      fc.uniqueArray(name, { maxLength: 5 }),
      fc.constantFrom('prometheus', 'openmetrics'),
      (names, format) => {
        const series = names.map((one, index) => [[one, 'success'], index] as const);
        const text = render([RUNS], { runs_total: series }, format);
        const family = parseExposition(text, format).get(format === 'prometheus' ? 'runs_total' : 'runs');
        assert.deepEqual(
          family?.samples.map(({ labels }) => labels.agent_name),
          names,
        );
      },
    ),
    { numRuns: 60 },
  );
});

test('names follow the rules: our prefix or the process, a base unit last, counters as totals', () => {
  for (const { name, type, labels = [] } of METRICS as readonly Metric[]) {
    assert.match(name, /^(local_telemetry|process)_[a-z0-9]+(_[a-z0-9]+)*$/);
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    assert.doesNotMatch(name, /_(ms|milliseconds|kb|mib|percent|gauge|counter|histogram|count|sum|bucket)(_|$)/);
    const allowed =
      name === 'local_telemetry_build_info'
        ? /version$|^journal_mode$|^synchronous$/
        : /^(agent_name|job_type|status|reason)$/;
    for (const label of labels) assert.match(label, allowed, `${name}: only labels with few values`);
  }
  const names = METRICS.map(({ name }) => name.replace(/_(total|info)$/, ''));
  assert.equal(new Set(names).size, names.length, 'no two families have one name');
});

test('combinations beyond the bound are summed by status, and long names are cut', () => {
  const long = 'x'.repeat(300);
  const counted = {
    counts: [
      ['a', 'j', 'success', 3],
      [`${long}1`, 'j', 'success', 1],
      [`${long}2`, 'j', 'success', 4],
      ['(other)', '(other)', 'failure', 2],
    ],
    others: [
      ['failure', 5, 2],
      ['success', 7, 1],
    ],
  } satisfies Parameters<typeof seriesOf>[0];
  assert.deepEqual(seriesOf(counted), [
    [['a', 'j', 'success'], 3],
    [[`${'x'.repeat(127)}…`, 'j', 'success'], 5],
    [['(other)', '(other)', 'failure'], 7],
    [['(other)', '(other)', 'success'], 7],
  ]);
  assert.equal(foldedOf(counted), 3);
  assert.ok(
    seriesOf({ counts: [[`${'x'.repeat(126)}🙂`.repeat(2), 'j', 's', 1]], others: [] })[0]?.[0][0]?.isWellFormed(),
  );
});
