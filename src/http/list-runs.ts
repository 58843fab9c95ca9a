import type { ListPage } from '../actors/protocol.ts';
import type { Handler } from './call.ts';
import { unlessKnown } from './conditional.ts';
import { DEFAULT_LIMIT, nextPage, readListTask } from './filters.ts';
import { logQuery } from './logging.ts';
import { ok } from './reply.ts';

/** GET /api/v1/runs */
export const listRuns: Handler = async (call, services) => {
  const task = readListTask(call.query);
  return unlessKnown(call, services, async () => {
    const ask = (): Promise<ListPage> => services.readers.list(task, call.signal);
    const { body, count, next } = await (task.limit > DEFAULT_LIMIT ? call.inTurn(ask) : ask());
    logQuery(services.log, call, count);
    return ok(body, next ? { Link: `<${nextPage(call.path, call.query, next)}>; rel="next"` } : undefined);
  });
};
