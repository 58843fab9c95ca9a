/** What Prometheus must answer after it has scraped the service for a while. */
import { METRICS } from '../../src/http/prometheus/metrics.ts';
import { check } from '../deploy/checks.ts';
import { DASHBOARD, panelExpressions, RULES, withVariables } from './expressions.ts';
import type { Prometheus } from './prometheus.ts';

const WINDOW = '5m';

function require(condition: boolean, why: string): void {
  if (!condition) throw new Error(why);
}

/** The one value of an expression. @throws Error where there is none, or several */
async function valueOf(prometheus: Prometheus, expression: string): Promise<number> {
  const [sample, ...others] = await prometheus.query(expression);
  if (!sample || others.length > 0) throw new Error(`${expression} has ${sample ? 'several values' : 'no value'}`);
  return Number(sample.value[1]);
}

export async function checkScraped(prometheus: Prometheus): Promise<void> {
  await check('the target is up, and nothing was complained of', async () => {
    const targets = await prometheus.targets();
    require(targets.length === 1, `${targets.length} targets`);
    for (const { health, lastError } of targets) require(health === 'up', `${health}: ${lastError}`);
    require(prometheus.complaints.length === 0, prometheus.complaints.join('\n'));
  });
  await check('Prometheus has each metric of the code, and no other', async () => {
    const wanted = METRICS.flatMap(({ name, type }) =>
      type === 'histogram' ? ['bucket', 'sum', 'count'].map((suffix) => `${name}_${suffix}`) : [name],
    );
    const found = (await prometheus.names()).filter((name) => /^(local_telemetry|process)_/.test(name));
    const [missing, unknown] = [
      wanted.filter((name) => !found.includes(name)),
      found.filter((name) => !wanted.includes(name)),
    ];
    require(missing.length + unknown.length === 0, `missing: ${missing.join(', ')}; unknown: ${unknown.join(', ')}`);
    return `${METRICS.length} metrics, ${await valueOf(prometheus, 'count({job="local-telemetry"})')} series`;
  });
}

/** @param deleted runs that a retention has deleted meanwhile; the service was restarted too */
export async function checkCounters(prometheus: Prometheus, deleted: number): Promise<void> {
  const value = (expression: string): Promise<number> => valueOf(prometheus, expression);
  await check('runs come in', async () => {
    const rate = await value('sum(rate(local_telemetry_runs_total[1m]))');
    require(rate > 0, `the rate is ${rate}`);
    return `${rate.toFixed(1)} a second`;
  });
  await check('the count of runs fell neither with the retention nor with the restart', async () => {
    const restarts = await value(`max(resets(local_telemetry_http_requests_total{status="200"}[${WINDOW}]))`);
    require(restarts === 1, `other counters began anew ${restarts} times, not once`);
    const falls = await prometheus.query(`resets(local_telemetry_runs_total[${WINDOW}]) > 0`);
    require(falls.length === 0, `it fell: ${JSON.stringify(falls.map(({ metric }) => metric))}`);
  });
  await check('runs that were deleted are counted still, and stored no more', async () => {
    const [ever, stored, most] = await Promise.all([
      value('sum(local_telemetry_runs_total{status!="running"})'),
      value('sum(local_telemetry_stored_runs{status!="running"})'),
      value(`sum(max_over_time(local_telemetry_stored_runs{status="success"}[${WINDOW}]))`),
    ]);
    require(ever - stored === deleted, `${ever} ever, ${stored} stored, ${deleted} deleted`);
    require(most > (await value('sum(local_telemetry_stored_runs{status="success"})')), 'as many are stored as before');
    return `${ever} ever, ${stored} stored`;
  });
}

export async function checkAlerts(prometheus: Prometheus): Promise<void> {
  const rules = await prometheus.rules();
  await check('every rule is loaded and evaluated without error', () => {
    const written = [...RULES.matchAll(/^\s+- alert: (\w+)$/gm)].map(([, name]) => name);
    require(written.length > 0 && written.length === rules.length, `${rules.length} of ${written.length} are loaded`);
    const wrong = rules.filter(({ health }) => health !== 'ok');
    require(wrong.length === 0, wrong.map(({ name, lastError }) => `${name}: ${lastError}`).join('\n'));
    return `${rules.length} rules`;
  });
  await check('the rejected line of the spool has fired its alert, and no other fires', () => {
    const firing = rules.filter(({ state }) => state === 'firing').map(({ name }) => name);
    require(firing.join() === 'LocalTelemetrySpoolLinesRejected', `firing: ${firing.join(', ') || 'none'}`);
  });
}

export async function checkPanels(prometheus: Prometheus): Promise<void> {
  const expressions = panelExpressions();
  await check('every panel of the dashboard has something to show', async () => {
    const wrong: string[] = [];
    for (const { where, text } of expressions) {
      const shown = await prometheus.query(withVariables(text, '1m')).catch((error: Error) => error.message);
      if (typeof shown === 'string') wrong.push(`${where}: ${shown}`);
      else if (shown.length === 0 || shown.every(({ value }) => value[1] === 'NaN')) wrong.push(`${where}: nothing`);
    }
    require(expressions.length > 0 && wrong.length === 0, wrong.join('\n'));
    return `${expressions.length} expressions`;
  });
  await check('the annotations and variables of the dashboard are understood', async () => {
    for (const { expr } of DASHBOARD.annotations.list)
      if (expr !== undefined) await prometheus.query(withVariables(expr, '1m'));
    for (const { name, query } of DASHBOARD.templating.list) {
      if (typeof query === 'string') continue;
      const [, series = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(query.query) ?? [];
      const found = await prometheus.query(`count by (${label}) (${withVariables(series, '1m')})`);
      require(found.length > 0 && found.every(({ metric }) => metric[label]), `${name} has nothing to choose`);
    }
  });
}
