/** What dashboards ask about the whole: names to filter by, and totals. */
import { timestampOf } from '../run.ts';
import type { Call, Handler, Services } from './call.ts';
import { unlessKnown } from './conditional.ts';
import { MAX_NAMES, readWhole } from './filters.ts';
import { logQuery } from './logging.ts';
import { collect } from './prometheus/collect.ts';
import { CONTENT_TYPES, render } from './prometheus/exposition.ts';
import { METRICS } from './prometheus/metrics.ts';
import { type Format, formatFor } from './prometheus/negotiate.ts';
import { ok, type Reply } from './reply.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** GET /api/v1/metadata */
export const getMetadata: Handler = (call, services) => {
  const { query, path } = call;
  const limit = readWhole(query, 'limit', MAX_NAMES, 1, MAX_NAMES);
  const page = { limit, agentsAfter: query.get('agents_after') ?? '', jobsAfter: query.get('jobs_after') ?? '' };
  return unlessKnown(call, services, async () => {
    const { next, ...names } = await services.readers.ask('metadata', page);
    logQuery(services.log, call, names.agent_names.length + names.job_types.length);
    if (!next) return ok(names);
    const rest = { limit: String(limit), agents_after: next.agentsAfter, jobs_after: next.jobsAfter };
    return ok(names, { Link: `<${path}?${new URLSearchParams(rest).toString()}>; rel="next"` });
  });
};

/** GET /metrics: JSON, unless Prometheus asks. */
export const getMetrics: Handler = (call, services) => metricsIn(['json', 'prometheus', 'openmetrics'], call, services);

/** GET /metrics/prometheus: for whatever cannot say what it wants. */
export const getPrometheus: Handler = (call, services) => metricsIn(['prometheus', 'openmetrics'], call, services);

async function metricsIn(formats: readonly Format[], call: Call, services: Services): Promise<Reply> {
  const format = formatFor(formats, call.query.get('format'), call.headers.accept);
  if (format === 'json') return ok(await totalsIn(services), VARY);
  const text = render(METRICS, await collect(services), format);
  return ok(Buffer.from(text), { ...VARY, 'Content-Type': CONTENT_TYPES[format] });
}

/** Caches keep the forms apart. */
const VARY = { Vary: 'Accept' };

async function totalsIn({ readers, writer, spool }: Services): Promise<Uint8Array> {
  const { total_runs, agents, others, recent } = await readers.ask('metrics', {
    since: timestampOf(Date.now() - DAY_MS),
  });
  const { path, journalMode } = writer.info;
  // By hand: an object would put agents named by a number first.
  const counts = agents.map(([name, runs]) => `${JSON.stringify(name)}:${runs}`).join(',');
  const performance = JSON.stringify({ db_path: path, journal_mode: journalMode });
  const rest = others.runs > 0 ? `,"other_agents":${JSON.stringify(others)}` : '';
  const totals = `"total_runs":${total_runs},"agents":{${counts}}${rest},"recent_24h":${recent}`;
  return Buffer.from(`{${totals},"performance":${performance},"spool":${JSON.stringify(spool.counts)}}`);
}
