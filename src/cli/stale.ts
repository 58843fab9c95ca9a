/** `stale`: runs that were never ended, because their process died. */
import { cleanupStaleRuns, type StaleRun } from '../client/stale.ts';
import type { Transport } from '../client/transport.ts';
import { TelemetryError } from '../errors.ts';
import { parseJson, timestampOf } from '../run.ts';
import { runOf, runsOf, valueOf } from './answer.ts';
import { command } from './command.ts';
import { EXIT } from './exit.ts';
import { type Arguments, durationOf } from './filter.ts';
import { patiently } from './import/patience.ts';
import { wholeNumber } from './numbers.ts';
import { DATABASE, JSON_OUTPUT } from './options.ts';
import { pagesOf } from './runs/pages.ts';
import { JsonRuns, type Outcome, type Shown, TableOfRuns } from './stale/shown.ts';
import type { Target } from './answer.ts';
import { ELSEWHERE, openTarget } from './target.ts';
import type { Terminal } from './terminal.ts';

/** Runs of a table. */
const DEFAULT_LIMIT = '100';
/** The rows of a table are held until their number is known. */
const MAX_LIMIT = 10_000;
/** Requests at once. */
const READING = 20;

export default command({
  name: 'stale',
  summary: 'List runs that never ended; cancel them if asked to',
  details:
    'Lists runs that are said to be running and were created longer ago than --older-than. Changes nothing unless --cancel is\n' +
    'given: then they become cancelled, with a summary, and are shown as they are then. A run that completes after all still\n' +
    'becomes what it completed as. All are counted, and cancelled, however many are shown. With --json each is a line, and\n' +
    'the last line has the numbers: without it the list is not complete.',
  args: {
    'older-than': { type: 'string', valueHint: 'time', default: '24h', description: 'How long ago it was created' },
    'agent-name': { type: 'string', valueHint: 'text', description: 'Only runs of this agent' },
    cancel: { type: 'boolean', description: 'Mark them as cancelled' },
    limit: {
      type: 'string',
      valueHint: 'number',
      description: `Show so many at most, the newest; ${DEFAULT_LIMIT}, and all with --json`,
    },
    ...JSON_OUTPUT,
    ...DATABASE,
    ...ELSEWHERE,
  },
  examples: [
    ['stale', 'which runs began more than a day ago and never ended'],
    ['stale --older-than 7d --agent-name translator --cancel', 'cancels those of one agent'],
    ['stale --json | jq -r "select(.event_id).run_id"', 'their run_ids, for a script'],
  ],
  run: stale,
});

async function stale(args: Arguments, terminal: Terminal): Promise<number> {
  const olderThanMs = durationOf('older-than', String(args['older-than']));
  const agentName = typeof args['agent-name'] === 'string' ? args['agent-name'] : undefined;
  const cancels = args.cancel === true;
  const json = args.json === true;
  const limit =
    json && args.limit === undefined
      ? Infinity
      : wholeNumber('limit', typeof args.limit === 'string' ? args.limit : DEFAULT_LIMIT, 1, MAX_LIMIT);
  await using target = await openTarget(args, terminal, { writes: cancels });
  const show = json ? new JsonRuns(terminal, limit) : new TableOfRuns(terminal, limit, cancels);
  const outcome = await (cancels ? cancel : list)(target, { agentName, olderThanMs }, show);
  const { found, failed, errors } = outcome;
  // What could not be found is no small thing either.
  if (errors.length > 0 && found === 0) throw new TelemetryError('unavailable', String(errors[0]));
  show.end(outcome);
  for (const error of errors) terminal.note(error);
  return failed > 0 || errors.length > 0 ? EXIT.failed : EXIT.done;
}

interface Which {
  agentName: string | undefined;
  olderThanMs: number;
}

async function list(target: Target, { agentName, olderThanMs }: Which, show: Shown): Promise<Outcome> {
  const query = new URLSearchParams({ status: 'running', created_before: timestampOf(Date.now() - olderThanMs) });
  if (agentName !== undefined) query.set('agent_name', agentName);
  let found = 0;
  for await (const page of pagesOf(target, query)) {
    found += page.length;
    show.add(page.slice(0, show.room).map((json) => parseJson(Buffer.from(json).toString()) as StaleRun));
  }
  return { found, cancelled: 0, failed: 0, errors: [] };
}

/** Each run is read again once its page is cancelled, for what became of it only the service knows. */
async function cancel(target: Target, which: Which, show: Shown): Promise<Outcome> {
  let waiting: readonly StaleRun[] = [];
  const showWaiting = async (): Promise<void> => {
    const runs = waiting.slice(0, show.room);
    waiting = [];
    for (let at = 0; at < runs.length; at += READING)
      show.add(await Promise.all(runs.slice(at, at + READING).map((run) => readAgain(target, run))));
  };
  const transport = transportTo(target);
  const request: typeof transport.request = async (method, path, body) => {
    // The next page is asked for when all of the one before is done.
    if (method === 'GET') await showWaiting();
    return transport.request(method, path, body);
  };
  const outcome = await cleanupStaleRuns(
    { request },
    which,
    () => false,
    (runs) => (waiting = runs),
  );
  await showWaiting();
  return outcome;
}

/** @returns the run as it was found where it cannot be read now: what went wrong with it is told beside */
async function readAgain(target: Target, run: StaleRun): Promise<StaleRun> {
  try {
    const answer = await patiently(target, () =>
      target.request('GET', `/api/v1/runs/${encodeURIComponent(run.event_id)}`),
    );
    return runOf<StaleRun>(answer, target.where);
  } catch {
    return run;
  }
}

/** The target as what the client's own logic speaks to. */
function transportTo(target: Target): Pick<Transport, 'request'> {
  return {
    request: async (method, path, body) => {
      const answer = await patiently(target, () => target.request(method, path, body));
      const { status } = answer;
      // Of a failure the client's logic looks at the status only, and its body may be a page for people.
      const read = method === 'GET' ? runsOf : valueOf;
      return { status, retryAfterMs: undefined, body: status === 200 ? read(answer, target.where) : undefined };
    },
  };
}
