/** The run that all examples are about. */
import { COLUMNS } from '../../run.ts';

export const EVENT_ID = '3b9d2c9e-5d5c-4b0e-9d5e-0c8f5e0f2a11';
export const RUN_ID = '20260110T120000Z-translator-1a2b3c4d';
export const COMMIT_HASH = '9f1c2d3e4a5b';

export const NEW_RUN = {
  event_id: EVENT_ID,
  run_id: RUN_ID,
  agent_name: 'translator',
  job_type: 'translate_posts',
  start_time: '2026-01-10T12:00:00Z',
  metrics_json: { tokens: 1200 },
};

export const CHANGE = { status: 'success', end_time: '2026-01-10T12:03:20Z', items_succeeded: 10 };

/** The run once it was changed and has its commit. */
export const STORED_RUN = {
  id: 1,
  ...Object.fromEntries(COLUMNS.map((name) => [name, null])),
  ...NEW_RUN,
  schema_version: 8,
  created_at: '2026-01-10T12:00:00.120000+00:00',
  updated_at: '2026-01-10T12:03:20.480000+00:00',
  start_time: '2026-01-10T12:00:00.000000+00:00',
  end_time: '2026-01-10T12:03:20.000000+00:00',
  status: 'success',
  items_discovered: 0,
  items_succeeded: 10,
  items_failed: 0,
  items_skipped: 0,
  duration_ms: 200_000,
  git_repo: 'git@github.com:acme/site.git',
  git_commit_hash: COMMIT_HASH,
  git_commit_source: 'llm',
  api_posted: false,
  api_retry_count: 0,
  commit_url: `https://github.com/acme/site/commit/${COMMIT_HASH}`,
  repo_url: 'https://github.com/acme/site',
};

/** One example, by the only name it needs. */
export const one = (summary: string, value: unknown): Record<string, { summary: string; value: unknown }> => ({
  example: { summary, value },
});
