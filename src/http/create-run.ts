import type { Handler } from './call.ts';

/** POST /api/v1/runs */
export const createRun: Handler = async (call, { writer, http }) => {
  const { created, event_id, run_id } = await writer.send('create', {}, await call.body(http.maxBodyBytes));
  if (created) return { status: 201, body: { status: 'created', event_id, run_id } };
  return { status: 200, body: { status: 'duplicate', event_id, message: 'Event already exists (idempotent)' } };
};
