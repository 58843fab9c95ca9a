import { TelemetryError } from '../errors.ts';
import type { Call, Handler, Services } from './call.ts';
import { unlessKnown } from './conditional.ts';
import { ok } from './reply.ts';
import { byEventId, eventIdOf } from './run.ts';

/** POST /api/v1/runs/{event_id}/associate-commit */
export const associateCommit: Handler = async (call, { writer, http }) => {
  const eventId = eventIdOf(call.params);
  const { event_id, run_id, commit_hash } = await writer.send(
    'associate',
    { eventId },
    await call.body(http.maxBodyBytes),
  );
  return ok({ status: 'success', event_id, run_id, commit_hash });
};

/** GET /api/v1/runs/{event_id}/commit-url */
export const getCommitUrl: Handler = (call, services) =>
  unlessKnown(call, services, async () => {
    const { commit_url } = await sourceOf(call, services);
    return ok({ commit_url });
  });

/** GET /api/v1/runs/{event_id}/repo-url */
export const getRepoUrl: Handler = (call, services) =>
  unlessKnown(call, services, async () => {
    const { repo_url } = await sourceOf(call, services);
    return ok({ repo_url });
  });

async function sourceOf(
  { params }: Call,
  { readers }: Services,
): Promise<{ repo_url: string | null; commit_url: string | null }> {
  const eventId = eventIdOf(params);
  const source = await byEventId(eventId, (id) => readers.ask('source', { eventId: id }));
  if (!source) throw new TelemetryError('not_found', `Run not found: ${eventId}`);
  return source;
}
