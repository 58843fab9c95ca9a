/** What dashboards ask about the whole: names to filter by, and totals. */
import { timestampOf } from '../run.ts';
import type { Handler } from './call.ts';
import { logQuery } from './logging.ts';
import { ok } from './reply.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** GET /api/v1/metadata */
export const getMetadata: Handler = async (call, { readers, log }) => {
  const { agent_names, job_types } = await readers.ask('metadata', {});
  logQuery(log, call, agent_names.length + job_types.length);
  return ok({ agent_names, job_types, counts: { agent_names: agent_names.length, job_types: job_types.length } });
};

/** GET /metrics */
export const getMetrics: Handler = async (_call, { readers, writer, spool }) => {
  const { total_runs, agents, recent } = await readers.ask('metrics', { since: timestampOf(Date.now() - DAY_MS) });
  const { path, journalMode } = writer.info;
  // By hand: an object would put agents named by a number first.
  const counts = agents.map(([name, runs]) => `${JSON.stringify(name)}:${runs}`).join(',');
  const performance = JSON.stringify({ db_path: path, journal_mode: journalMode });
  const totals = `"total_runs":${total_runs},"agents":{${counts}},"recent_24h":${recent}`;
  return ok(Buffer.from(`{${totals},"performance":${performance},"spool":${JSON.stringify(spool.counts)}}`));
};
