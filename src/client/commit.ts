/** The commit that came out of a run: checked here, so that a mistake is told to whoever made it. */
import { isCommitSource, isJsonObject } from '../run.ts';
import { Date } from './clock.ts';
import { textOf, type Values } from './fields.ts';
import { runPath } from './requests.ts';
import type { Transport } from './transport.ts';

export type CommitSource = 'manual' | 'llm' | 'ci';

export interface CommitDetails {
  author?: string | null | undefined;
  /** As git writes it; ISO 8601 is best. */
  timestamp?: string | Date | null | undefined;
}

export interface CommitResult {
  /** Whether the commit is recorded: stored, or safe on disk until it is. */
  ok: boolean;
  message: string;
}

/** The record's fields of a commit, or what is wrong with it. */
export function commitFields(hash: unknown, source: unknown, details: unknown): Values | string {
  const usable = typeof hash === 'string' && /^[0-9A-Za-z._-]{7,64}$/.test(hash) && !hash.includes('..');
  if (!usable) return "hash must be 7 to 64 of the characters 0-9 A-Z a-z . _ - without '..'";
  if (!isCommitSource(source)) return "source must be 'manual', 'llm' or 'ci'";
  const { author, timestamp } = (typeof details === 'object' && details !== null ? details : {}) as CommitDetails;
  const at = timestamp instanceof Date && !Number.isNaN(timestamp.getTime()) ? timestamp.toISOString() : timestamp;
  const fields = { git_commit_author: textOf(author), git_commit_timestamp: textOf(at) };
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return { git_commit_hash: hash, git_commit_source: source, ...Object.fromEntries(given) };
}

/** For a run that this client does not know: the service is asked which it is. @throws where there is no answer */
export async function associateElsewhere(transport: Transport, runId: string, fields: Values): Promise<CommitResult> {
  const query = new URLSearchParams({ run_id: runId, limit: '1' }).toString();
  const found = await transport.request('GET', `/api/v1/runs?${query}`);
  if (found.status !== 200 || !Array.isArray(found.body))
    return { ok: false, message: `The service could not be asked for the run (${found.status})` };
  const run = (found.body as unknown[]).filter(isJsonObject).find((each) => each.run_id === runId);
  if (!run) return { ok: false, message: `No run ${runId} is known here, nor to the service` };
  const body = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name.replace(/^git_/, ''), value]));
  const path = `${runPath(String(run.event_id))}/associate-commit`;
  const { status, body: said } = await transport.request('POST', path, JSON.stringify(body));
  const ok = status === 200 && isJsonObject(said) && said.event_id === run.event_id;
  return { ok, message: ok ? 'The commit is stored' : `The service refused the commit (${status})` };
}
