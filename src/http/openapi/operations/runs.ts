import { NOT_MODIFIED, VERSION_HEADERS } from '../conditional.ts';
import { CHANGE, EVENT_ID, NEW_RUN, one, RUN_ID, STORED_RUN } from '../examples.ts';
import { LIST_QUERY } from '../list-parameters.ts';
import type { FailureStatus, Operation } from '../operation.ts';
import { contentOf, json, refTo } from '../schemas.ts';

/** What may go wrong with a request whose body is written to the database. */
export const WRITING: readonly FailureStatus[] = [400, 408, 413, 415, 422, 503, 507];

const linkHeader = {
  Link: {
    description: 'The next page, `</api/v1/runs?…>; rel="next"`, with all filters in it; only where more runs follow.',
    schema: { type: 'string' },
  },
};

export const RUN_OPERATIONS = {
  createRun: {
    tag: 'Runs',
    summary: 'Record a run',
    description:
      'Stores a new run; once it is answered, it is on disk. A known `event_id` changes nothing, so the request may be ' +
      'repeated without harm.',
    body: contentOf(refTo('RunInput'), one('A run that begins', NEW_RUN)),
    answers: {
      200: {
        description: 'Its `event_id` is known; nothing was changed.',
        content: json(
          'Duplicate',
          one('A known run', {
            status: 'duplicate',
            event_id: EVENT_ID,
            message: 'Event already exists (idempotent)',
          }),
        ),
      },
      201: {
        description: 'A new run.',
        content: json('Created', one('A new run', { status: 'created', event_id: EVENT_ID, run_id: RUN_ID })),
      },
    },
    failures: WRITING,
  },
  createBatch: {
    tag: 'Runs',
    summary: 'Record many runs',
    description:
      'Stores runs in one transaction. One bad item never costs the others: it becomes a line in `errors`. The answer to ' +
      '`{"runs": […]}` has a `status` beside the counts, and is 201 when any run was created.',
    query: {
      on_duplicate: {
        description: 'What to do with known runs: leave them as they are, or merge what is sent into them.',
        schema: { type: 'string', enum: ['ignore', 'merge'], default: 'ignore' },
      },
      on_invalid: {
        description:
          'What to do with an id that is too long, or a `git_commit_source` that is none: refuse the item, or store it with ' +
          'the short form of the id, without the source; what was sent is kept in the database.',
        schema: { type: 'string', enum: ['refuse', 'repair'], default: 'refuse' },
      },
    },
    body: contentOf(refTo('BatchInput'), {
      array: { summary: 'An array', value: [NEW_RUN] },
      object: { summary: 'An object', value: { runs: [NEW_RUN] } },
    }),
    answers: {
      200: {
        description: 'What became of the items.',
        content: {
          'application/json': contentOf(
            { anyOf: [refTo('BatchResult'), refTo('WrappedBatchResult')] },
            one('A new run, a known one, and two that were refused', {
              inserted: 1,
              duplicates: 1,
              errors: [
                'b-2: start_time: Field required; agent_name: Field required',
                'index 2: Input should be a JSON object',
              ],
              total: 4,
            }),
          ),
        },
      },
      201: {
        description: 'What became of the items of `{"runs": […]}`, of which some were new.',
        content: json(
          'WrappedBatchResult',
          one('One new run', { status: 'created', inserted: 1, duplicates: 0, errors: [], total: 1 }),
        ),
      },
    },
    failures: WRITING,
  },
  listRuns: {
    tag: 'Runs',
    summary: 'List runs',
    description:
      'Newest `created_at` first; equal times by ascending `id`. Filters add up. An empty parameter is as good as none; of ' +
      'a repeated one (but `status`) the last counts. 400 is a status or timestamp that is none, 422 a wrong `limit`, ' +
      '`offset` or `cursor`; 503 may also mean that the filters have no index and the list took too long: narrow it.',
    query: LIST_QUERY,
    answers: {
      200: {
        description: 'The runs, maybe none.',
        content: json('RunList', one('One run', [STORED_RUN])),
        headers: { ...linkHeader, ...VERSION_HEADERS },
      },
      304: NOT_MODIFIED,
    },
    failures: [400, 422, 503],
  },
  getRun: {
    tag: 'Runs',
    summary: 'Get a run',
    description: 'One run with all its fields.',
    answers: {
      200: { description: 'The run.', content: json('Run', one('A run', STORED_RUN)), headers: VERSION_HEADERS },
      304: NOT_MODIFIED,
    },
    failures: [404, 503],
  },
  updateRun: {
    tag: 'Runs',
    summary: 'Change a run',
    description:
      'Sets the fields that are named; nothing is ever cleared. `updated_at` becomes the time of the request. 422: a value ' +
      'is wrong, and nothing was changed. 404: no such run. 400: nothing that can be set was named. They are looked at in ' +
      'this order.',
    body: contentOf(refTo('RunChange'), one('The run has ended', CHANGE)),
    answers: {
      200: {
        description: 'The fields were set.',
        content: json(
          'RunChanged',
          one('Three fields', {
            event_id: EVENT_ID,
            updated: true,
            fields_updated: ['end_time', 'status', 'items_succeeded'],
          }),
        ),
      },
    },
    failures: [...WRITING, 404],
  },
} as const satisfies Record<string, Operation>;
