/** The answers that are the same whatever was asked for: one for each status in which a request can fail. */
import type { Answer, AnswerHeader, FailureStatus } from './operation.ts';
import { json } from './schemas.ts';

interface Failure extends Answer {
  /** The name among the document's components. */
  readonly name: string;
}

export const RETRY_AFTER: AnswerHeader = {
  description: 'Seconds after which to try again.',
  schema: { type: 'integer', minimum: 1 },
  required: true,
};

/** On every answer of a route that counts for the rate limit, where that is switched on. */
export const LIMIT_HEADERS: Readonly<Record<string, AnswerHeader>> = {
  'X-RateLimit-Limit': {
    description: 'Requests an address has in any 60 seconds; only where the rate limit is switched on.',
    schema: { type: 'integer', minimum: 1 },
  },
  'X-RateLimit-Remaining': {
    description: 'Requests that are left of them; only where the rate limit is switched on.',
    schema: { type: 'integer', minimum: 0 },
  },
};

const error = (detail: string): Pick<Answer, 'content'> => ({
  content: json('Error', { error: { summary: 'An example', value: { detail } } }),
});

const issues = {
  missing: {
    summary: 'A field that is missing, and one with a wrong value',
    value: {
      detail: [
        { type: 'missing', loc: ['body', 'run_id'], msg: 'Field required', input: null },
        {
          type: 'greater_than_equal',
          loc: ['body', 'items_failed'],
          msg: 'Input should be greater than or equal to 0',
          input: -1,
        },
      ],
    },
  },
};

export const FAILURES: Readonly<Record<FailureStatus, Failure>> = {
  400: {
    name: 'BadRequest',
    description: 'The request cannot be understood. Change it.',
    ...error('No valid fields to update'),
  },
  401: {
    name: 'Unauthorized',
    description: 'The token is missing or wrong; only where authentication is switched on.',
    headers: { 'WWW-Authenticate': { description: 'The scheme.', schema: { const: 'Bearer' }, required: true } },
    ...error('Authorization header required. Use: Authorization: Bearer <token>'),
  },
  404: { name: 'NotFound', description: 'No such run, or no such file.', ...error('Run not found: 3b9d2c9e') },
  408: {
    name: 'TooSlow',
    description: 'The body came too slowly; the connection is closed.',
    ...error('The body came too slowly. Send it again, in smaller parts.'),
  },
  413: {
    name: 'TooLarge',
    description: 'Over a bound that the service is configured for. Send it in parts.',
    ...error('The body is larger than the 1048576 bytes taken here. Send it in parts.'),
  },
  415: {
    name: 'UnknownEncoding',
    description: 'The body is encoded in a way that is not taken.',
    headers: { 'Accept-Encoding': { description: 'What is taken.', schema: { type: 'string' }, required: true } },
    ...error('Content-Encoding br is not supported. Send gzip, deflate, or the JSON as it is.'),
  },
  422: {
    name: 'WrongValues',
    description: 'Wrong values, each named, or a body that is not JSON.',
    content: json('ValidationError', issues),
  },
  429: {
    name: 'TooManyRequests',
    description: 'Over the rate limit; only where it is switched on.',
    headers: { 'Retry-After': RETRY_AFTER },
    ...error('Rate limit exceeded. Max 60 requests per minute.'),
  },
  500: {
    name: 'Fault',
    description: 'A fault of the service, or a damaged database; its log tells more.',
    ...error('Internal Server Error'),
  },
  503: {
    name: 'Unavailable',
    description:
      'A queue is full, or the database cannot be reached now. The outcome of a write may be unknown: send it again.',
    headers: { 'Retry-After': RETRY_AFTER },
    ...error('The service is receiving more than it takes at once. Send this again.'),
  },
  507: {
    name: 'DiskFull',
    description: 'The disk is full; reading still works.',
    ...error('The disk of the database is full. Free space there, then send this again.'),
  },
};
