/** The expressions of the dashboard and the names in the rules: what is tried against Prometheus, and held to the code's metrics. */
import { readFileSync } from 'node:fs';
import { METRICS } from '../../src/http/prometheus/metrics.ts';

const deployed = (path: string): string => readFileSync(new URL(`../../deploy/${path}`, import.meta.url), 'utf8');

export const CONFIGURATION = deployed('prometheus/prometheus.yml');
export const RULES = deployed('prometheus/alerts.yml');
export const RULE_TESTS = deployed('prometheus/alerts.test.yml');

export interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  datasource?: { uid: string };
  targets?: { expr: string; refId: string; datasource: { uid: string } }[];
}

export interface Variable {
  name: string;
  type: string;
  query: string | { query: string };
}

export interface Dashboard {
  id: null;
  uid?: string;
  schemaVersion: number;
  title: string;
  panels: Panel[];
  templating: { list: Variable[] };
  annotations: { list: { name: string; expr?: string }[] };
}

export const DASHBOARD = JSON.parse(deployed('grafana/dashboard.json')) as Dashboard;

export interface Expression {
  /** Where it stands, for people. */
  where: string;
  text: string;
}

/** Every expression that a panel shows, as it is written. */
export const panelExpressions = (): Expression[] =>
  DASHBOARD.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, refId }) => ({ where: `${title} (${refId})`, text: expr })),
  );

/** As Grafana asks it where everything is chosen. @param interval what stands for $__rate_interval, such as 1m */
export const withVariables = (text: string, interval: string): string =>
  text.replaceAll('$__rate_interval', interval).replaceAll(/"\$(job|instance|agent_name|job_type)"/g, '".*"');

/** Metrics of ours that a text names, once each, as the code calls them: a histogram without its suffix. Beginnings of names are none. */
export function metricsIn(text: string): string[] {
  const histograms = METRICS.filter(({ type }) => type === 'histogram').map(({ name }) => name as string);
  const names = [...text.matchAll(/\b(?:local_telemetry|process)_\w*[a-z0-9](?!\w)/g)].map(([name]) => {
    const family = name.replace(/_(bucket|sum|count)$/, '');
    return histograms.includes(family) ? family : name;
  });
  return [...new Set(names)];
}
