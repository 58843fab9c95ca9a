/** What answers of the database say of their version, so that they need not be sent again. */
import type { Answer } from './operation.ts';

export const VERSION_HEADERS: NonNullable<Answer['headers']> = {
  ETag: {
    description:
      'What names this version of the answer, for `If-None-Match`. It changes with every write, whatever was written; it is ' +
      'missing where the database was written just now.',
    schema: { type: 'string', pattern: '^W/"[\\w-]+"$' },
  },
  'Cache-Control': {
    description: 'To be kept, and asked for each time; `private` where there is a token.',
    schema: { type: 'string', enum: ['no-cache', 'private, no-cache'] },
    required: true,
  },
};

export const NOT_MODIFIED: Answer = {
  description: 'Nothing was written since the answer that `If-None-Match` names.',
  headers: VERSION_HEADERS,
};
