/** Every route of the service, and those of its operator. */
import type { Handler } from './call.ts';
import { associateCommit, getCommitUrl, getRepoUrl } from './commit.ts';
import {
  copyDatabase,
  countOld,
  deleteOld,
  getIndexes,
  getRecount,
  getStatus,
  optimize,
  recount,
  reindex,
  shrink,
} from './control.ts';
import { createBatch } from './create-batch.ts';
import { createRun } from './create-run.ts';
import { getHealth } from './health.ts';
import { listRuns } from './list-runs.ts';
import { getMetadata, getMetrics } from './overview.ts';
import { getRun, updateRun } from './run.ts';

export interface Route {
  method: 'GET' | 'POST' | 'PATCH';
  path: string;
  handler: Handler;
  /** Needs no token and counts for no limit. */
  open?: true;
}

export const ROUTES: readonly Route[] = [
  { method: 'POST', path: '/api/v1/runs', handler: createRun },
  { method: 'POST', path: '/api/v1/runs/batch', handler: createBatch },
  { method: 'GET', path: '/api/v1/runs', handler: listRuns },
  { method: 'GET', path: '/api/v1/runs/:event_id', handler: getRun },
  { method: 'PATCH', path: '/api/v1/runs/:event_id', handler: updateRun },
  { method: 'POST', path: '/api/v1/runs/:event_id/associate-commit', handler: associateCommit },
  { method: 'GET', path: '/api/v1/runs/:event_id/commit-url', handler: getCommitUrl },
  { method: 'GET', path: '/api/v1/runs/:event_id/repo-url', handler: getRepoUrl },
  { method: 'GET', path: '/api/v1/metadata', handler: getMetadata },
  { method: 'GET', path: '/metrics', handler: getMetrics },
  { method: 'GET', path: '/health', handler: getHealth, open: true },
];

/** What the control socket answers beside them, without a token. */
export const CONTROL_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/control/status', handler: getStatus },
  { method: 'POST', path: '/control/copy', handler: copyDatabase },
  { method: 'GET', path: '/control/retention', handler: countOld },
  { method: 'POST', path: '/control/retention', handler: deleteOld },
  { method: 'POST', path: '/control/shrink', handler: shrink },
  { method: 'POST', path: '/control/optimize', handler: optimize },
  { method: 'GET', path: '/control/reindex', handler: getIndexes },
  { method: 'POST', path: '/control/reindex', handler: reindex },
  { method: 'GET', path: '/control/recount', handler: getRecount },
  { method: 'POST', path: '/control/recount', handler: recount },
];

/** A route's path as documentation and logs write it: /api/v1/runs/{event_id}. */
export const documented = (path: string): string => path.replaceAll(/:(\w+)/g, '{$1}');
