import { MAX_NAMES } from '../../filters.ts';
import { CONTENT_TYPES } from '../../prometheus/exposition.ts';
import { NOT_MODIFIED, VERSION_HEADERS } from '../conditional.ts';
import { one } from '../examples.ts';
import type { Answer, Content, Contents, Operation, Parameter } from '../operation.ts';
import { contentOf, json } from '../schemas.ts';

const exposition = `# TYPE local_telemetry_stored_runs gauge
local_telemetry_stored_runs{agent_name="translator",job_type="translate_posts",status="success"} 12
`;

const text = (summary: string, value: string): Content => contentOf({ type: 'string' }, one(summary, value));

/** The same figures as Prometheus reads them, in its own format and in OpenMetrics. */
const EXPOSITION: Contents = {
  [CONTENT_TYPES.prometheus]: text('Prometheus', exposition),
  [CONTENT_TYPES.openmetrics]: text('OpenMetrics', `${exposition}# EOF\n`),
};

const vary: Answer['headers'] = {
  Vary: { description: 'What the form depends on.', schema: { const: 'Accept' }, required: true },
};

const format = (...formats: string[]): Parameter => ({
  description: 'The format, whatever `Accept` says.',
  schema: { type: 'string', enum: formats },
});

const nextNames: Answer['headers'] = {
  Link: { description: 'The next page, where more names follow.', schema: { type: 'string' } },
};

export const TOTALS_OPERATIONS = {
  getMetadata: {
    tag: 'Totals',
    summary: 'Get the names to filter by',
    description:
      "The names of agents and jobs that occur, sorted, to fill a dashboard's menus; a page at a time where they are very many.",
    query: {
      limit: {
        description: 'How many names of each sort.',
        schema: { type: 'integer', minimum: 1, maximum: MAX_NAMES, default: MAX_NAMES },
      },
      agents_after: { description: 'Agents behind this name; a `Link` header has it.', schema: { type: 'string' } },
      jobs_after: { description: 'Job types behind this name; a `Link` header has it.', schema: { type: 'string' } },
    },
    answers: {
      200: {
        description: 'The names.',
        content: json(
          'Metadata',
          one('One agent', {
            agent_names: ['translator'],
            job_types: ['translate_posts'],
            counts: { agent_names: 1, job_types: 1 },
          }),
        ),
        headers: { ...nextNames, ...VERSION_HEADERS },
      },
      304: NOT_MODIFIED,
    },
    failures: [422, 503],
  },
  getMetrics: {
    tag: 'Totals',
    summary: 'Get totals',
    description: 'Totals as JSON; as text for Prometheus where `Accept` prefers that, or `format` asks for it.',
    query: { format: format('json', 'prometheus', 'openmetrics') },
    answers: {
      200: {
        description: 'The totals.',
        content: {
          ...json(
            'Metrics',
            one('Two agents', {
              total_runs: 13729,
              agents: { renovate: 13728, translator: 1 },
              recent_24h: 2,
              performance: { db_path: '/data/db/telemetry.sqlite', journal_mode: 'DELETE' },
              spool: { files: 2, pending_bytes: 0, lag_seconds: 0, stored: 1250, rejected: 1 },
            }),
          ),
          ...EXPOSITION,
        },
        headers: vary,
      },
    },
    failures: [422, 503],
  },
  getPrometheusMetrics: {
    tag: 'Totals',
    summary: 'Get metrics for Prometheus',
    description:
      'Counts of runs and figures of the service, for a scraper that cannot say what it wants. Where the database cannot be read, the figures that come from it are missing.',
    query: { format: format('prometheus', 'openmetrics') },
    answers: { 200: { description: 'The metrics.', content: EXPOSITION, headers: vary } },
    failures: [422],
  },
} as const satisfies Record<string, Operation>;
