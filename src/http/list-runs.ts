import type { Handler } from './call.ts';
import { nextPage, readListTask } from './filters.ts';
import { logQuery } from './logging.ts';
import { ok } from './reply.ts';

/** GET /api/v1/runs */
export const listRuns: Handler = async (call, { readers, log }) => {
  const { body, count, next } = await readers.list(readListTask(call.query), call.signal);
  logQuery(log, call, count);
  return ok(body, next ? { Link: `<${nextPage(call.path, call.query, next)}>; rel="next"` } : undefined);
};
