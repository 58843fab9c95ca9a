import { one } from '../examples.ts';
import type { Operation } from '../operation.ts';
import { RETRY_AFTER } from '../failures.ts';
import { json } from '../schemas.ts';

const health = (status: string): object => ({
  status,
  version: '0.1.0',
  db_path: '/data/db/telemetry.sqlite',
  journal_mode: 'DELETE',
  synchronous: 'FULL',
});

export const SERVICE_OPERATIONS = {
  getHealth: {
    tag: 'Service',
    summary: 'Ask whether the service lives',
    description: 'Touches no database; `journal_mode` and `synchronous` are what SQLite answered when it was opened.',
    answers: {
      200: { description: 'It lives.', content: json('Health', one('It lives', health('ok'))) },
      503: {
        description: 'There has been no writer for 5 seconds.',
        content: json('Health', one('No writer', health('unavailable'))),
      },
    },
    failures: [],
  },
  getReadiness: {
    tag: 'Service',
    summary: 'Ask whether the service can serve',
    description:
      'For whoever decides whether requests are sent here: whether runs can be stored and read. Load is no reason.',
    answers: {
      200: { description: 'It can.', content: json('Ready', one('Ready', { status: 'ready' })) },
      503: {
        description: 'It cannot, for these reasons.',
        content: json(
          'NotReady',
          one('No writer', {
            status: 'not ready',
            reasons: ['The writer is not running. It is started again by itself; the log says why.'],
          }),
        ),
        headers: { 'Retry-After': RETRY_AFTER },
      },
    },
    failures: [],
  },
} as const satisfies Record<string, Operation>;
