import { TelemetryError } from '../errors.ts';
import { commitUrl, repoUrl } from '../run.ts';
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
    const { git_repo, git_commit_hash } = await sourceOf(call, services);
    return ok({ commit_url: commitUrl(git_repo, git_commit_hash) ?? null });
  });

/** GET /api/v1/runs/{event_id}/repo-url */
export const getRepoUrl: Handler = (call, services) =>
  unlessKnown(call, services, async () => {
    const { git_repo } = await sourceOf(call, services);
    return ok({ repo_url: repoUrl(git_repo) ?? null });
  });

async function sourceOf(
  { params }: Call,
  { readers }: Services,
): Promise<{ git_repo: string | null; git_commit_hash: string | null }> {
  const eventId = eventIdOf(params);
  const source = await byEventId(eventId, (id) => readers.ask('source', { eventId: id }));
  if (!source) throw new TelemetryError('not_found', `Run not found: ${eventId}`);
  return source;
}
