/** The document of OpenAPI 3.1, put together from the route table and the tables beside this file. */
import { FAILURES, LIMIT_HEADERS } from './failures.ts';
import type { Answer, Contents, DescribedRoute, FailureStatus, Parameter, Tag } from './operation.ts';
import { type OperationId, OPERATIONS } from './operations.ts';
import { documented } from './path.ts';
import { SCHEMAS } from './schemas.ts';

type PublicRoute = DescribedRoute<OperationId>;
type Part = Record<string, unknown>;

/** What may stand between the slashes of a path, by its name in the route table. */
const PATH_PARAMETERS: Readonly<Record<string, Parameter>> = {
  file: { description: 'The name of the file, such as `page.js`.', schema: { type: 'string' } },
  event_id: {
    description: 'The `event_id` of the run, escaped as in any address.',
    schema: { type: 'string', minLength: 1 },
  },
};

const DESCRIPTION = `Run telemetry for autonomous agents. JSON in, JSON out, UTF-8. A successful answer to anything that writes means: it is on disk.

What is said here of single routes leaves out what is true of all. A path that is none is answered 404 and \`{"detail": "Not Found"}\`; a method that it does not have 405, and \`Allow\` names those it has. \`HEAD\` is answered wherever \`GET\` is; \`OPTIONS\` nowhere, for pages of other origins are allowed nothing here (no CORS). A body must not be compressed. A request that takes longer than 60 seconds to arrive is answered 408, one whose headers are too large 431.

Tokens are asked for only where authentication is switched on, and requests are counted only where the rate limit is.`;

const TAGS: readonly { name: Tag; description: string }[] = [
  { name: 'Runs', description: 'What agents did.' },
  { name: 'Commits', description: 'What came out of it, in git.' },
  { name: 'Totals', description: 'The whole, for dashboards and monitoring.' },
  { name: 'Service', description: 'How the service itself is. Needs no token and counts for no limit.' },
  { name: 'Documentation', description: 'What you are reading. Needs no token and counts for no limit.' },
];

/** @param version of the service, such as 0.1.0 */
export function documentOf(routes: readonly PublicRoute[], version: string): Part {
  const paths: Record<string, Part> = {};
  for (const route of routes) {
    const path = documented(route.path);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: '3.1.1',
    info: { title: 'Local Telemetry', version, description: DESCRIPTION, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '/' }],
    tags: TAGS,
    paths,
    components: {
      schemas: SCHEMAS,
      responses: Object.fromEntries(
        Object.values(FAILURES).map(({ name, ...answer }) => [name, responseOf(answer, true)]),
      ),
      headers: LIMIT_HEADERS,
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'The token of `TELEMETRY_API_AUTH_TOKEN`; needed only where authentication is switched on.',
        },
      },
    },
  };
}

function operationOf({ operation: id, path, open }: PublicRoute): Part {
  const { tag, summary, description, query = {}, body, answers, failures } = OPERATIONS[id];
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    ...PATH_PARAMETERS[name],
  }));
  const inQuery = Object.entries(query).map(([name, parameter]) => ({ name, in: 'query', ...parameter }));
  const parameters = [...inPath, ...inQuery];
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    security: open ? [] : [{ bearer: [] }, {}],
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, content: { 'application/json': body } satisfies Contents } }),
    responses: responsesOf(answers, [...failures, ...(open ? [] : ([401, 429] as const)), 500], open !== true),
  };
}

function responsesOf(
  answers: Readonly<Record<number, Answer>>,
  failures: readonly FailureStatus[],
  limited: boolean,
): Part {
  return {
    ...Object.fromEntries(
      failures.map((status) => [status, { $ref: `#/components/responses/${FAILURES[status].name}` }]),
    ),
    ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, responseOf(answer, limited)])),
  };
}

/** @param limited whether the answer may carry the headers of the rate limit */
function responseOf({ headers, ...answer }: Answer, limited: boolean): Part {
  const counted = Object.keys(LIMIT_HEADERS).map((name): [string, Part] => [
    name,
    { $ref: `#/components/headers/${name}` },
  ]);
  const all: Part = { ...headers, ...(limited && Object.fromEntries(counted)) };
  return Object.keys(all).length > 0 ? { ...answer, headers: all } : answer;
}
