import { TelemetryError } from '../errors.ts';
import { shortId } from '../run.ts';
import type { Handler } from './call.ts';
import { unlessKnown } from './conditional.ts';
import { logQuery, logUpdate } from './logging.ts';
import { ok } from './reply.ts';

/** GET /api/v1/runs/{event_id} */
export const getRun: Handler = (call, services) =>
  unlessKnown(call, services, async () => {
    const eventId = eventIdOf(call.params);
    const body = await byEventId(eventId, (id) => services.readers.ask('run', { eventId: id }));
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

/** What there is of a run by the id that was sent: one that is too long may be stored in its short form. */
export async function byEventId<T>(eventId: string, ask: (eventId: string) => Promise<T | null>): Promise<T | null> {
  const short = shortId(eventId);
  return (await ask(eventId)) ?? (short === eventId ? null : await ask(short));
}

export const eventIdOf = (params: Readonly<Record<string, string>>): string => params.event_id ?? '';
