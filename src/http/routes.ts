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
import { getHealth, getReadiness } from './health.ts';
import { listRuns } from './list-runs.ts';
import { describing } from './openapi.ts';
import type { DescribedRoute } from './openapi/operation.ts';
import type { OperationId } from './openapi/operations.ts';
import { getMetadata, getMetrics, getPrometheus } from './overview.ts';
import { getPage, getPageFile, getRedoc } from './page.ts';
import { getRun, updateRun } from './run.ts';

export interface Route {
  method: 'GET' | 'POST' | 'PATCH';
  path: string;
  handler: Handler;
  /** Needs no token and counts for no limit. */
  open?: true;
}

/** A route for everyone: `operation` names its description in `openapi/operations/`. */
export type PublicRoute = Route & DescribedRoute<OperationId>;

export const ROUTES: readonly PublicRoute[] = [
  { method: 'POST', path: '/api/v1/runs', handler: createRun, operation: 'createRun' },
  { method: 'POST', path: '/api/v1/runs/batch', handler: createBatch, operation: 'createBatch' },
  { method: 'GET', path: '/api/v1/runs', handler: listRuns, operation: 'listRuns' },
  { method: 'GET', path: '/api/v1/runs/:event_id', handler: getRun, operation: 'getRun' },
  { method: 'PATCH', path: '/api/v1/runs/:event_id', handler: updateRun, operation: 'updateRun' },
  {
    method: 'POST',
    path: '/api/v1/runs/:event_id/associate-commit',
    handler: associateCommit,
    operation: 'associateCommit',
  },
  { method: 'GET', path: '/api/v1/runs/:event_id/commit-url', handler: getCommitUrl, operation: 'getCommitUrl' },
  { method: 'GET', path: '/api/v1/runs/:event_id/repo-url', handler: getRepoUrl, operation: 'getRepoUrl' },
  { method: 'GET', path: '/api/v1/metadata', handler: getMetadata, operation: 'getMetadata' },
  { method: 'GET', path: '/metrics', handler: getMetrics, operation: 'getMetrics' },
  { method: 'GET', path: '/metrics/prometheus', handler: getPrometheus, operation: 'getPrometheusMetrics' },
  { method: 'GET', path: '/health', handler: getHealth, operation: 'getHealth', open: true },
  { method: 'GET', path: '/readyz', handler: getReadiness, operation: 'getReadiness', open: true },
  { method: 'GET', path: '/openapi.json', handler: describing(() => ROUTES), operation: 'getDocument', open: true },
  { method: 'GET', path: '/docs', handler: getPage, operation: 'getPage', open: true },
  { method: 'GET', path: '/docs/page.css', handler: getPageFile, operation: 'getPageStyle', open: true },
  { method: 'GET', path: '/docs/:file', handler: getPageFile, operation: 'getPageScript', open: true },
  { method: 'GET', path: '/redoc', handler: getRedoc, operation: 'redirectToPage', open: true },
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
