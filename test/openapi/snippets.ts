/** Programs that use the generated client: one that is right, and some that each have one mistake. */

export const RIGHT = `
import { createRun, getRun, listRuns, updateRun } from './client/index.ts';
import { createClient } from './client/client/index.ts';
import type { Run, RunInput, ValidationError } from './client/index.ts';

export async function main(baseUrl: string, token: string): Promise<unknown> {
  const client = createClient({ baseUrl, auth: () => token });
  const body: RunInput = {
    event_id: 'e-1',
    run_id: 'r-1',
    agent_name: 'translator',
    job_type: 'translate_posts',
    start_time: '2026-01-10T12:00:00Z',
    items_succeeded: '10',
    api_posted: 1,
    end_time: null,
    metrics_json: { tokens: 1200 },
  };
  const created = await createRun({ client, body });
  const path = { event_id: body.event_id };
  const changed = await updateRun({ client, path, body: { status: 'completed' } });
  const run: Run | undefined = (await getRun({ client, path })).data;
  const status: 'running' | 'success' | 'failure' | 'partial' | 'timeout' | 'cancelled' | undefined = run?.status;
  const listed = await listRuns({ client, query: { status: ['success', 'failed'], limit: 10 } });
  const refused = await createRun({ client, body: { event_id: 'e-2' } as RunInput });
  const { detail } = refused.error as ValidationError;
  const withoutToken = await listRuns({ client: createClient({ baseUrl }) });
  return {
    created: created.data?.status,
    status,
    changed: changed.data?.fields_updated,
    listed: listed.data?.length,
    refused: detail.map(({ loc }) => loc[1]),
    withoutToken: withoutToken.response?.status,
  };
}
`;

const run = `{ event_id: 'e', run_id: 'r', agent_name: 'a', job_type: 'j', start_time: '2026-01-10' }`;
const program = (text: string): string => `import * as api from './client/index.ts';\nexport const it = ${text};\n`;

export const WRONG: Readonly<Record<string, string>> = {
  'a run without a required field': program(`api.createRun({ body: { event_id: 'e', run_id: 'r' } })`),
  'a status that there is not': program(`api.createRun({ body: { ...${run}, status: 'odd' } })`),
  'a value of the wrong kind': program(`api.createRun({ body: { ...${run}, duration_ms: [] } })`),
  'a required field that is null': program(`api.createRun({ body: { ...${run}, run_id: null } })`),
  'a path without its event_id': program(`api.getRun({ path: {} })`),
  'a parameter that there is not': program(`api.listRuns({ query: { agent: 'a' } })`),
  'a source of a commit that there is not': program(
    `api.associateCommit({ path: { event_id: 'e' }, body: { commit_hash: 'abcdef1', commit_source: 'odd' } })`,
  ),
  'a field of an answer that there is not': program(`(await api.getRun({ path: { event_id: 'e' } })).data?.nothing`),
};
