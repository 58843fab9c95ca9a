/** Every operation by its operationId; the route table names one in each line. */
import type { Operation } from './operation.ts';
import { COMMIT_OPERATIONS } from './operations/commits.ts';
import { DOCUMENTATION_OPERATIONS } from './operations/documentation.ts';
import { RUN_OPERATIONS } from './operations/runs.ts';
import { SERVICE_OPERATIONS } from './operations/service.ts';
import { TOTALS_OPERATIONS } from './operations/totals.ts';

const operations = {
  ...RUN_OPERATIONS,
  ...COMMIT_OPERATIONS,
  ...TOTALS_OPERATIONS,
  ...SERVICE_OPERATIONS,
  ...DOCUMENTATION_OPERATIONS,
};

export type OperationId = keyof typeof operations;

export const OPERATIONS: Readonly<Record<OperationId, Operation>> = operations;
