/** Hostile addresses, parameters and headers for everything that can be asked. */
import type { Random } from '../../crash/random.ts';
import { baseId, exchangeOf, type Input, RUNS } from '../input.ts';
import { SECRET } from './values.ts';

const PARAMETERS = [
  ...[
    'agent_name',
    'status',
    'job_type',
    'exclude_job_type',
    'run_id',
    'run_id_contains',
    'parent_run_id',
    'insight_id',
  ],
  ...['product', 'website', 'environment', 'git_commit_hash', 'created_before', 'created_after', 'start_time_from'],
  ...['start_time_to', 'limit', 'offset', 'cursor', 'format', 'after', 'x'],
];
const cursor = (text: string): string => Buffer.from(text).toString('base64url');
const VALUES = [
  ...[
    '',
    '0',
    '1',
    '5',
    '-1',
    '1001',
    '1e3',
    '9007199254740993',
    '99999999999999999999',
    'NaN',
    '%',
    '%zz',
    '%00',
    '%ff',
  ],
  ...[
    '%ed%a0%80',
    '%F0%9F%98%80',
    'success',
    'running',
    'failed',
    'bad',
    'translator',
    '%22',
    "'%20OR%201=1--",
    '*',
    '%25',
    '_',
  ],
  ...['2026-01-10T12:00:00Z', '2026-01-10T12:00:00+00:00', '2026-01-10T12:00:00%2B00:00', '2026-01-10', '2026-13-01'],
  ...['0001-01-01T00:00:00+23:59', '9999-12-31T23:59:59-23:59', '7d', 'yesterday', `${'T'.repeat(3_000)}%2000`],
  ...[
    `2026-01-10${'T'.repeat(2_000)}`,
    `${'%20'.repeat(2_000)}`,
    `${'9'.repeat(4_000)}`,
    `${'+'.repeat(4_000)}`,
    `${'T%20'.repeat(1_500)}`,
  ],
  ...[
    cursor('x'),
    cursor('2026-01-10T12:00:00.000000+00:00|1'),
    cursor('|'),
    cursor('|9223372036854775808'),
    cursor('\0|-1'),
  ],
  ...[
    cursor('2026|NaN'),
    cursor(`${'a'.repeat(3_000)}|1`),
    cursor('a|b|c'),
    '%3D%3D',
    'a=b',
    'a&b',
    ';',
    '[]',
    '{}',
    '../..',
    '%2e%2e',
  ],
];
const IDS = [
  '.',
  '..',
  '%2F',
  '%2e%2e',
  '%00',
  '%ff',
  '%',
  'batch',
  '__proto__',
  '%F0%9F%98%80',
  '%ed%a0%bd',
  `${'a'.repeat(513)}`,
  `${'%41'.repeat(4_000)}`,
  '%20',
  '?',
  '*',
];
const PATHS = [
  ...[
    RUNS,
    RUNS,
    RUNS,
    RUNS,
    `${RUNS}/`,
    '/api/v1/metadata',
    '/metrics',
    '/metrics/prometheus',
    '/health',
    '/readyz',
    '/openapi.json',
  ],
  ...[
    '/docs',
    '/docs/page.css',
    '/docs/..%2f..%2fpackage.json',
    '/docs/page.js',
    '/redoc',
    '/',
    '//',
    '/api/v1/runs/batch',
    '/x',
    '/control/status',
  ],
];
const HEADERS = [
  ...[
    'If-None-Match: *',
    'If-None-Match: "a"',
    `If-None-Match: ${'"a", '.repeat(1_500)}"b"`,
    `If-None-Match: ${'W/"'.repeat(2_000)}`,
  ],
  ...[
    `If-None-Match: ${'"'.repeat(5_000)}`,
    `If-None-Match: ${','.repeat(5_000)}`,
    'Accept: */*',
    'Accept: text/plain;version=0.0.4',
  ],
  ...[
    'Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5',
    'Accept: application/json;q=0',
    'Accept: ;;;,',
  ],
  ...[
    `Accept: ${'text/plain;q=0.1,'.repeat(600)}`,
    `Accept: ${';'.repeat(5_000)}`,
    `Accept: ${'q='.repeat(3_000)}`,
    'Accept-Encoding: gzip',
  ],
  ...[
    'Forwarded: for="[::1]";proto=https',
    `Forwarded: ${'for=a;'.repeat(1_500)}`,
    `X-Forwarded-For: ${'1.2.3.4, '.repeat(1_500)}x`,
  ],
  ...[
    'X-Forwarded-For: ,,,',
    'Authorization: Bearer ',
    `Authorization: ${'Bearer '.repeat(1_000)}`,
    'Range: bytes=0-1',
    'Expect: 200-ok',
  ],
  ...[
    'Cookie: \xff\xfe',
    'Content-Type: \xe9',
    'Upgrade: h2c',
    'Connection: keep-alive, Upgrade',
    'Host: \xff',
    'TE: trailers',
  ],
];

function query(random: Random): string {
  if (random.chance(0.03)) return `?${'a&'.repeat(random.between(1_000, 7_000))}`;
  if (random.chance(0.03)) return `?${'status=success&'.repeat(random.between(100, 900))}`;
  if (random.chance(0.02))
    return `?${random.pick(['=', '&', '%', '+', '?', 'a=', '%26'])}`.repeat(random.between(10, 3_000)).slice(0, 9_000);
  const pairs = Array.from({ length: random.between(0, 3) }, () => `${random.pick(PARAMETERS)}=${random.pick(VALUES)}`);
  // Large pages are asked for between the stages, for to read them takes this program's time.
  if (!pairs.some((pair) => pair.startsWith('limit='))) pairs.push(`limit=${random.between(1, 20)}`);
  return `?${pairs.join('&')}`;
}

function path(random: Random): string {
  if (random.chance(0.3)) {
    const id = random.chance(0.7) ? baseId(random) : random.pick(IDS);
    return `${RUNS}/${id}${random.pick(['', '', '/repo-url', '/commit-url', '/associate-commit'])}${random.chance(0.2) ? query(random) : ''}`;
  }
  return random.pick(PATHS) + query(random);
}

export function reads(random: Random): Omit<Input, 'number' | 'kind'> {
  const method = random.pick(['GET', 'GET', 'GET', 'GET', 'GET', 'HEAD', 'OPTIONS', 'DELETE', 'PUT', 'TRACE']);
  const headers = random.chance(0.25) ? [random.pick(HEADERS)] : [];
  const asked = path(random);
  return {
    what: `${method} ${asked.slice(0, 80)}${headers.map((line) => `, ${line.slice(0, 40)}`).join('')}`,
    exchange: exchangeOf({ method, path: asked, headers }),
    // What Node's own parser refuses ends the connection.
    ...(headers.some((line) => /^(Host|Upgrade|Expect|Connection)/.test(line)) && { apart: true }),
    judge: (answers) =>
      answers.some(({ body }) => body.includes(SECRET) && !asked.includes(SECRET))
        ? 'it shows credentials of an address'
        : undefined,
  };
}
