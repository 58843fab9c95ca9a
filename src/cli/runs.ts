/** `runs`: lists runs, or shows one. */
import { parseJson } from '../run.ts';
import { TelemetryError } from '../errors.ts';
import { valueOf } from './answer.ts';
import { command } from './command.ts';
import { EXIT, UsageError } from './exit.ts';
import { type Arguments, FILTERS, queryOf } from './filter.ts';
import { wholeNumber } from './numbers.ts';
import { DATABASE, JSON_OUTPUT } from './options.ts';
import { chosenColumns, type Run, RUN_FIELDS, textOf, USUAL } from './runs/columns.ts';
import { pagesOf } from './runs/pages.ts';
import { Table } from './runs/table.ts';
import { visibleJson } from './runs/text.ts';
import { ELSEWHERE, openTarget, type Target } from './target.ts';
import type { Terminal } from './terminal.ts';

const DEFAULT_LIMIT = '20';

export default command({
  name: 'runs',
  summary: 'List runs, newest first, or show one',
  details:
    'Asks the running service, or reads the database where none runs. Changes nothing. Times are in UTC. With an EVENT_ID it\n' +
    'shows every field of that run that is set. Control characters in a record are never sent to the terminal.',
  args: {
    event_id: { type: 'positional', required: false, description: 'Show this run in full' },
    ...FILTERS,
    limit: { type: 'string', valueHint: 'number', description: `So many runs at most; ${DEFAULT_LIMIT}` },
    columns: {
      type: 'string',
      valueHint: 'list',
      description: 'Fields of the record to show, such as run_id,status,host',
    },
    ...JSON_OUTPUT,
    ...DATABASE,
    ...ELSEWHERE,
  },
  examples: [
    ['runs', 'the last 20'],
    ['runs --status failure,timeout --created-after 24h', 'what went wrong since yesterday'],
    [
      'runs --agent-name translator --columns created_at,run_id,error_summary --limit 100',
      'of one agent, other columns',
    ],
    ['runs 3b9d2c9e-5d5c-4b0e-9d5e-0c8f5e0f2a11', 'one run in full'],
    ['runs --status running --json', 'a run a line, as the API gives it'],
  ],
  run: runs,
});

async function runs(args: Arguments, terminal: Terminal): Promise<number> {
  const { event_id: eventId } = args;
  const filter = queryOf(args);
  const columns = typeof args.columns === 'string' ? chosenColumns(args.columns) : USUAL;
  const limit = wholeNumber('limit', typeof args.limit === 'string' ? args.limit : DEFAULT_LIMIT, 1);
  if (typeof eventId === 'string' && (filter.size > 0 || args.limit !== undefined || args.columns !== undefined)) {
    throw new UsageError('An EVENT_ID names one run: leave out filters, --limit and --columns');
  }
  await using target = await openTarget(args, terminal, { writes: false });
  if (typeof eventId === 'string') return await showOne(target, eventId, args.json === true, terminal);
  const table = new Table(columns, terminal);
  let shown = 0;
  for await (const page of pagesOf(target, filter, limit)) {
    shown += page.length;
    const texts = page.map((bytes) => Buffer.from(bytes).toString());
    if (page.length === 0) continue;
    const lines =
      args.json === true ? texts.map(visibleJson) : table.linesOf(texts.map((text) => parseJson(text) as Run));
    await terminal.write(`${lines.join('\n')}\n`);
  }
  if (shown === 0 && args.json !== true) terminal.note('No run matches.');
  return EXIT.done;
}

async function showOne(target: Target, eventId: string, json: boolean, terminal: Terminal): Promise<number> {
  const answer = await target.request('GET', `/api/v1/runs/${encodeURIComponent(eventId)}`);
  if (answer.status === 404) {
    const why = `${target.where} has no run with the event_id ${textOf(eventId)}. By its run_id a run is found with --run-id.`;
    throw new TelemetryError('not_found', why);
  }
  if (answer.status !== 200) valueOf(answer, target.where);
  const text = Buffer.from(answer.body).toString();
  if (json) {
    terminal.print(visibleJson(text));
    return EXIT.done;
  }
  const run = parseJson(text) as Run;
  const set = RUN_FIELDS.filter((name) => run[name] !== null && run[name] !== undefined);
  const width = Math.max(...set.map((name) => name.length));
  for (const name of set) {
    for (const [place, line] of linesOf(run[name]).entries()) {
      terminal.print(`${(place === 0 ? name : '').padEnd(width)}  ${line}`);
    }
  }
  return EXIT.done;
}

/** A value as it is, except what commands a terminal; text of several lines, a stack trace say, in as many. */
const linesOf = (value: unknown): string[] =>
  typeof value === 'string' ? value.split(/\r?\n/).map((line) => textOf(line)) : [textOf(value)];
