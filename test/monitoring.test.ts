/** Rules, dashboard and documentation name the metrics that the code has, and each other. npm run test:scrape tries them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { COMMANDS } from '../src/cli/commands.ts';
import { SETTINGS } from '../src/config/settings.ts';
import { METRICS } from '../src/http/prometheus/metrics.ts';
import { ROUTES } from '../src/http/routes.ts';
import {
  CONFIGURATION,
  DASHBOARD,
  metricsIn,
  panelExpressions,
  RULE_TESTS,
  RULES,
  withVariables,
} from './scrape/expressions.ts';

interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; description: string; runbook: string };
}

interface RuleTest {
  promql_expr_test: { expr: string; exp_samples?: { labels: string }[] }[];
}

const rules = (parse(RULES) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
const page = readFileSync(new URL('../docs/monitoring.md', import.meta.url), 'utf8');
const names = METRICS.map(({ name }) => name as string);
/** As OpenMetrics and whoever reads it call them. */
const families = names.map((name) => name.replace(/_total$/, ''));

/** The cells of a table's row of docs/monitoring.md without the first, which is `name`. */
function rowOf(name: string): string[] | undefined {
  const row = page.split('\n').find((line) => line.startsWith(`| \`${name}\` `));
  return row
    ?.split('|')
    .slice(2, -1)
    .map((cell) => cell.trim());
}

for (const [what, text] of Object.entries({
  'the rules': RULES,
  'the tests of the rules': RULE_TESTS,
  'the dashboard': JSON.stringify(DASHBOARD),
  'docs/monitoring.md': page,
})) {
  test(`every metric that is named in ${what} is one of the code`, () => {
    const found = metricsIn(text);
    assert.ok(found.length > 10, `only these were found: ${found.join(', ')}`);
    assert.deepEqual(
      found.filter((name) => !names.includes(name) && !(text === page && families.includes(name))),
      [],
    );
  });
}

test('every metric has a row in docs/monitoring.md with its type and its labels', () => {
  for (const metric of METRICS) {
    const { name, type } = metric;
    const labels = 'labels' in metric ? metric.labels.map((label) => `\`${label}\``).join(', ') : '';
    const [shownType, shownLabels] = rowOf(name) ?? assert.fail(`${name} has no row`);
    assert.deepEqual([shownType, shownLabels], [type, labels], `the row of ${name}`);
  }
});

test('every metric is shown by the dashboard, or an alert goes by it', () => {
  const used = metricsIn(`${RULES}${JSON.stringify(DASHBOARD)}`);
  assert.deepEqual(
    names.filter((name) => !used.includes(name)),
    [],
  );
});

test('every alert has a severity, a remedy, and a row in the section that its runbook names', () => {
  assert.ok(rules.length > 20, `only ${rules.length} rules`);
  for (const { alert, labels, annotations } of rules) {
    assert.match(labels.severity, /^(critical|warning|info)$/, alert);
    assert.ok(annotations.summary && annotations.description.length > 80, `${alert} says too little`);
    const anchor = /^docs\/monitoring\.md#([\w-]+)$/.exec(annotations.runbook)?.[1];
    const sections = page.split(/^#+ /m);
    const section = sections.find((text) => text.split('\n')[0]?.toLowerCase().replaceAll(' ', '-') === anchor);
    const row = section?.split('\n').find((line) => line.startsWith(`| \`${alert}\` `));
    assert.ok(row, `${alert} has no row below #${anchor}`);
    assert.equal(row.split('|')[2]?.trim(), labels.severity, `the severity of ${alert} in docs/monitoring.md`);
  }
});

test('every alert has a case in which it fires', () => {
  const { tests } = parse(RULE_TESTS) as { tests: RuleTest[] };
  const fired = tests
    .flatMap((one) => one.promql_expr_test)
    .flatMap(({ exp_samples = [] }) => exp_samples)
    .map(({ labels }) => /alertname="(\w+)"/.exec(labels)?.[1]);
  assert.deepEqual(
    rules.map(({ alert }) => alert).filter((alert) => !fired.includes(alert)),
    [],
  );
});

test('commands and settings that the alerts advise exist', () => {
  const advice = rules.map(({ annotations }) => annotations.description.replaceAll(/\s+/g, ' ')).join('\n');
  const commands = [...advice.matchAll(/\blocal-telemetry ([a-z]+)/g)].map(([, name]) => String(name));
  assert.ok(commands.includes('doctor'), commands.join(', '));
  assert.deepEqual(
    commands.filter((name) => !(name in COMMANDS)),
    [],
  );
  const settings = SETTINGS.map(({ name }) => name as string);
  assert.deepEqual(
    [...advice.matchAll(/\bTELEMETRY_[A-Z_]+/g)].map(([name]) => name).filter((name) => !settings.includes(name)),
    [],
  );
});

test('the configuration asks a route that there is, at the default port, by the name that the alerts go by', () => {
  const [scrape] = (
    parse(CONFIGURATION) as {
      scrape_configs: { job_name: string; metrics_path: string; static_configs: { targets: string[] }[] }[];
    }
  ).scrape_configs;
  assert.ok(ROUTES.some(({ method, path }) => method === 'GET' && path === scrape?.metrics_path));
  const port = SETTINGS.find(({ name }) => name === 'TELEMETRY_API_PORT');
  assert.ok(port && 'default' in port);
  assert.deepEqual(scrape?.static_configs, [{ targets: [`127.0.0.1:${port.default}`] }]);
  const jobs = [...RULES.matchAll(/job="([^"]+)"/g)].map(([, job]) => job);
  assert.deepEqual([...new Set(jobs)], [scrape.job_name]);
});

test('the dashboard names no data source of its own and no place, and asks by its variables', () => {
  assert.equal(DASHBOARD.uid, undefined);
  const sources = [...JSON.stringify(DASHBOARD).matchAll(/"uid":"([^"]+)"/g)].map(([, uid]) => uid);
  assert.deepEqual([...new Set(sources)].sort(), ['${datasource}', '-- Grafana --'].sort());
  const variables = DASHBOARD.templating.list.map(({ name }) => name);
  assert.deepEqual(variables, ['datasource', 'job', 'instance', 'agent_name', 'job_type']);
  for (const { where, text } of panelExpressions()) {
    assert.match(text, /\{job=~"\$job",instance=~"\$instance"/, where);
    assert.ok(!withVariables(text, '1m').includes('$'), `${where} has another variable: ${text}`);
  }
});

test('the panels of the dashboard have numbers of their own, and none covers another', () => {
  const taken = new Map<string, string>();
  for (const { title, gridPos } of DASHBOARD.panels) {
    assert.ok(gridPos.x + gridPos.w <= 24, title);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.equal(taken.get(`${x},${y}`), undefined, `${title} covers another`);
        taken.set(`${x},${y}`, title);
      }
    }
  }
  const ids = DASHBOARD.panels.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
});
