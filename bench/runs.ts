/**
 * Runs to measure with: real ones where a file of them is there, else some shaped like them. Every one is new: its ids,
 * its commit and its times are made as it is sent.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';
import { eventId } from '../src/client/run-ids.ts';

export type Run = Record<string, unknown>;

/** v7: ids as our client makes them, whose order is that of time. v4: random ones, as older clients make them. */
export const IDS = process.env.BENCH_IDS ?? 'v7';
if (!['v4', 'v7'].includes(IDS)) throw new RangeError(`BENCH_IDS must be v4 or v7, not ${IDS}`);

/** An NDJSON file of runs, gzipped or not. */
const FILE =
  process.env.BENCH_RUNS ?? fileURLToPath(new URL('../../shared/data/agent-runs.ndjson.gz', import.meta.url));
/** Runs taken of it, evenly: all would cost more memory than they show. */
const TEMPLATES = 2_000;

const AGENTS = ['renovate', 'dependabot', 'openhands', 'claude', 'github-actions'];
const JOB_TYPES = ['commit', 'chore(deps)', 'fix', 'feat', 'docs', 'test'];
const STATUSES = ['success', 'success', 'success', 'failure', 'running'];

const templates: readonly Run[] = existsSync(FILE) ? real() : made();

/** Where the runs come from, for the report. */
export const SOURCE = existsSync(FILE) ? 'real runs' : 'made runs, shaped like real ones';

function real(): Run[] {
  const bytes = readFileSync(FILE);
  const text = (FILE.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const lines = text.split('\n').filter((line) => line !== '');
  const step = Math.max(1, Math.floor(lines.length / TEMPLATES));
  return lines.filter((_, index) => index % step === 0).map((line) => JSON.parse(line) as Run);
}

function made(): Run[] {
  return Array.from({ length: TEMPLATES }, (_, index) => ({
    agent_name: AGENTS[index % AGENTS.length],
    job_type: JOB_TYPES[index % JOB_TYPES.length],
    status: STATUSES[index % STATUSES.length],
    product: 'renovate',
    platform: 'github',
    items_discovered: 3,
    items_succeeded: 3,
    items_failed: 0,
    duration_ms: index,
    output_summary: `Update dependency something to version 1.2.${index} (#90)`,
    git_repo: 'https://github.com/renovatebot/renovate',
    git_branch: 'main',
    git_run_tag: 'renovate/main',
    git_commit_source: 'ci',
    git_commit_author: 'renovate',
    environment: 'public',
    trigger_type: 'scheduler',
    metrics_json: { files_added: 0, files_modified: 1, files_deleted: 0 },
  }));
}

let next = 0;

/** A new run. @param at its times, ISO 8601 */
export function makeRun(at = new Date().toISOString()): Run {
  const random = randomUUID();
  const template = templates[next++ % templates.length] as Run;
  return {
    ...template,
    event_id: IDS === 'v7' ? eventId() : random,
    run_id: `${at}-${String(template.agent_name)}-${random.slice(0, 8)}`,
    created_at: at,
    start_time: at,
    end_time: at,
    git_commit_hash: random.replaceAll('-', '').padEnd(40, '0'),
    git_commit_timestamp: at,
  };
}

export const makeBatch = (size: number, at?: string): Run[] => Array.from({ length: size }, () => makeRun(at));
