/** The parameters of the list of runs; the compiler refuses one without a description. */
import { STATUS_NAMES } from '../../run.ts';
import { DEFAULT_LIMIT, type LIST_PARAMETERS, MAX_LIMIT } from '../filters.ts';
import type { Parameter } from './operation.ts';
import { TIMESTAMP } from './timestamps.ts';

type ListParameter = (typeof LIST_PARAMETERS)[number];

const exact = (what: string): Parameter => ({
  description: `Only runs with this ${what}.`,
  schema: { type: 'string' },
});
const time = (description: string): Parameter => ({
  description: `${description} ISO 8601, UTC where it has no offset.`,
  schema: TIMESTAMP,
});

export const LIST_QUERY: Readonly<Record<ListParameter, Parameter>> = {
  agent_name: exact('`agent_name`'),
  job_type: exact('`job_type`'),
  exclude_job_type: { description: 'All runs but those with this `job_type`.', schema: { type: 'string' } },
  run_id: exact('`run_id`'),
  run_id_contains: {
    description: 'Only runs whose `run_id` has this text anywhere in it; case matters.',
    schema: { type: 'string' },
  },
  parent_run_id: exact('`parent_run_id`'),
  insight_id: exact('`insight_id`'),
  product: exact('`product`'),
  website: exact('`website`'),
  environment: exact('`environment`'),
  git_commit_hash: exact('`git_commit_hash`'),
  created_before: time('Only runs with `created_at` before this time.'),
  created_after: time('Only runs with `created_at` after this time.'),
  start_time_from: time('Only runs with `start_time` at this time or after it.'),
  start_time_to: time('Only runs with `start_time` at this time or before it.'),
  status: {
    description: 'Only runs with this status, or one of several: `status=failure&status=timeout`.',
    schema: { type: 'array', items: { type: 'string', enum: STATUS_NAMES } },
  },
  limit: {
    description: 'How many runs at most.',
    schema: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT },
  },
  offset: {
    description: 'How many runs to pass over; each costs time, so better follow the `Link` header.',
    schema: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 },
  },
  cursor: { description: 'What a `Link` header gave, unchanged.', schema: { type: 'string' } },
};
