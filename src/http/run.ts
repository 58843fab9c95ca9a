import { TelemetryError } from '../errors.ts';
import type { Handler } from './call.ts';
import { unlessKnown } from './conditional.ts';
import { logQuery, logUpdate } from './logging.ts';
import { ok } from './reply.ts';

/** GET /api/v1/runs/{event_id} */
export const getRun: Handler = (call, services) =>
  unlessKnown(call, services, async () => {
    const eventId = eventIdOf(call.params);
    const body = await services.readers.ask('run', { eventId });
    logQuery(services.log, call, body ? 1 : 0);
    if (!body) throw new TelemetryError('not_found', `Run not found: ${eventId}`);
    return ok(body);
  });

/** PATCH /api/v1/runs/{event_id} */
export const updateRun: Handler = async (call, { writer, http, log }) => {
  const eventId = eventIdOf(call.params);
  try {
    const { event_id, fields_updated } = await writer.send('update', { eventId }, await call.body(http.maxBodyBytes));
    logUpdate(log, call, eventId, fields_updated, true);
    return ok({ event_id, updated: true, fields_updated });
  } catch (error) {
    logUpdate(log, call, eventId, [], false);
    throw error;
  }
};

export const eventIdOf = (params: Readonly<Record<string, string>>): string => params.event_id ?? '';
