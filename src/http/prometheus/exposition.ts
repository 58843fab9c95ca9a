/** Metrics as text: Prometheus' format 0.0.4, and OpenMetrics 1.0.0. Pure. */
import type { Distribution } from '../../histogram.ts';
import type { Metric } from './metrics.ts';

export type TextFormat = 'prometheus' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<TextFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** A value for each combination of label values, in the order of the metric's labels. */
export type Series = readonly (readonly [labels: readonly string[], value: number])[];

/** Undefined where it is not known just now: the metric is then left out. */
export type Value = number | Series | Distribution | undefined;

/** @param values of every metric in `metrics` */
export function render<M extends Metric>(
  metrics: readonly M[],
  values: Readonly<Record<M['name'], Value>>,
  format: TextFormat,
): string {
  const lines: string[] = [];
  for (const metric of metrics) {
    const value = values[metric.name as M['name']];
    if (value === undefined) continue;
    lines.push(...headOf(metric, format), ...samplesOf(metric, value));
  }
  if (format === 'openmetrics') lines.push('# EOF');
  return `${lines.join('\n')}\n`;
}

/** In OpenMetrics a family is called without what its samples end with, has a unit, and may be an info. */
function headOf({ name, type, help }: Metric, format: TextFormat): string[] {
  if (format === 'prometheus') return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type === 'info' ? 'gauge' : type}`];
  const family = name.replace(/_(total|info)$/, '');
  const unit = /_(seconds|bytes)$/.exec(family)?.[1];
  return [`# TYPE ${family} ${type}`, ...(unit ? [`# UNIT ${family} ${unit}`] : []), `# HELP ${family} ${help}`];
}

function samplesOf(metric: Metric, value: Exclude<Value, undefined>): string[] {
  if (typeof value === 'number') return [`${metric.name} ${value}`];
  if ('bounds' in value) return bucketsOf(metric.name, value);
  return value.map(([labels, number]) => `${metric.name}${labelsOf(metric.labels ?? [], labels)} ${number}`);
}

function bucketsOf(name: string, { bounds, counts, sum }: Distribution): string[] {
  let total = 0;
  const lines = counts.map((count, place) => {
    total += count;
    return `${name}_bucket{le="${boundOf(bounds[place])}"} ${total}`;
  });
  return [...lines, `${name}_sum ${sum}`, `${name}_count ${total}`];
}

/** A bound as OpenMetrics has them, for both: the same series whichever is asked for. */
function boundOf(bound: number | undefined): string {
  if (bound === undefined) return '+Inf';
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}

function labelsOf(names: readonly string[], values: readonly string[]): string {
  return `{${names.map((name, index) => `${name}="${escaped(values[index] ?? '')}"`).join(',')}}`;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': String.raw`\\`, '"': String.raw`\"`, '\n': String.raw`\n` };
const escaped = (value: string): string => value.replaceAll(/[\\"\n]/g, (character) => ESCAPES[character] ?? '');
