import type { Handler } from './call.ts';
import { unlessKnown } from './conditional.ts';
import { nextPage, readListTask } from './filters.ts';
import { logQuery } from './logging.ts';
import { ok } from './reply.ts';

/** GET /api/v1/runs */
export const listRuns: Handler = async (call, services) => {
  const task = readListTask(call.query);
  return unlessKnown(call, services, async () => {
    const { body, count, next } = await services.readers.list(task, call.signal);
    logQuery(services.log, call, count);
    return ok(body, next ? { Link: `<${nextPage(call.path, call.query, next)}>; rel="next"` } : undefined);
  });
};
