/** What agents may say of a run, in the names of the record. Units and meanings: docs/api.md. */

import type { CommitSource } from './commit.ts';

/** How a run ends; the last three are other names for failure and success. */
export type RunStatus =
  'success' | 'failure' | 'partial' | 'timeout' | 'cancelled' | 'failed' | 'completed' | 'succeeded';

type Text = string | null | undefined;
/** ISO 8601, a Date, or milliseconds since the epoch. */
type Time = string | Date | number | null | undefined;
type Count = number | null | undefined;
type Json = object | null | undefined;

/** Counters, summaries and results, which may be said at any time of the run. */
export interface RunMetrics {
  items_discovered?: Count;
  items_succeeded?: Count;
  items_failed?: Count;
  items_skipped?: Count;
  /** Milliseconds; measured by the client where it is not given. */
  duration_ms?: Count;
  input_summary?: Text;
  output_summary?: Text;
  error_summary?: Text;
  error_details?: Text;
  /** Any JSON object; replaced as a whole. */
  metrics_json?: Json;
  /** Any JSON object; replaced as a whole. */
  context_json?: Json;
  git_commit_hash?: Text;
  git_commit_source?: CommitSource | null | undefined;
  git_commit_author?: Text;
  git_commit_timestamp?: Text;
  agent_owner?: Text;
  product?: Text;
  product_family?: Text;
  platform?: Text;
  subdomain?: Text;
  website?: Text;
  website_section?: Text;
  item_name?: Text;
  source_ref?: Text;
  target_ref?: Text;
  git_repo?: Text;
  git_branch?: Text;
  git_run_tag?: Text;
  host?: Text;
  environment?: Text;
  trigger_type?: Text;
  insight_id?: Text;
  parent_run_id?: Text;
}

/** What a run may be ended with. */
export interface RunFields extends RunMetrics {
  /** Now where it is not given. */
  end_time?: Time;
}

/** What a run may be started with. */
export interface StartFields extends Omit<RunMetrics, 'duration_ms'> {
  /** The agent's own name of the run: 1 to 255 characters without / \ and NUL; otherwise one is made. */
  run_id?: Text;
  /** The key under which the service stores the run once; a UUID where it is not given. */
  event_id?: Text;
  /** Now where it is not given. */
  start_time?: Time;
  created_at?: Time;
  /** `running` where it is not given. */
  status?: RunStatus | 'running' | null | undefined;
}
