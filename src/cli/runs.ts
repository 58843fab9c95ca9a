/** `runs`: lists runs, or shows one. */
import { command } from './command.ts';
import { EXIT, UsageError } from './exit.ts';
import { type Arguments, FILTERS, queryOf } from './filter.ts';
import { wholeNumber } from './numbers.ts';
import { DATABASE, JSON_OUTPUT } from './options.ts';
import { chosenColumns, USUAL } from './runs/columns.ts';
import { listRuns } from './runs/list.ts';
import { showNamed } from './runs/one.ts';
import { ELSEWHERE, openTarget } from './target.ts';
import type { Terminal } from './terminal.ts';

const DEFAULT_LIMIT = '20';

export default command({
  name: 'runs',
  summary: 'List runs, newest first, or show one',
  details:
    'Asks the running service, or reads the database where none runs. Changes nothing. Times are in UTC. With an EVENT_ID or a\n' +
    'RUN_ID it shows every field of that run that is set; where several runs have that run_id, it lists them. On a narrow\n' +
    'terminal ok/failed, duration and job are left out first. Control characters in a record are never sent to the terminal.',
  args: {
    event_id: { type: 'positional', required: false, description: 'Show the run of this event_id, or run_id, in full' },
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
    ['runs 20260110T120000Z-translator-3b9d2c9e', 'one run in full, by its run_id'],
    ['runs 3b9d2c9e-5d5c-4b0e-9d5e-0c8f5e0f2a11 --json', 'by its event_id, as the API gives it'],
    ['runs --status running --json', 'a run a line, as the API gives it'],
  ],
  run: runs,
});

async function runs(args: Arguments, terminal: Terminal): Promise<number> {
  const { event_id: id } = args;
  const filter = queryOf(args);
  const columns = typeof args.columns === 'string' ? chosenColumns(args.columns) : USUAL;
  const limit = wholeNumber('limit', typeof args.limit === 'string' ? args.limit : DEFAULT_LIMIT, 1);
  if (typeof id === 'string' && (filter.size > 0 || args.limit !== undefined || args.columns !== undefined)) {
    throw new UsageError('An EVENT_ID names one run: leave out filters, --limit and --columns');
  }
  await using target = await openTarget(args, terminal, { writes: false });
  const json = args.json === true;
  if (typeof id === 'string') {
    await showNamed(target, id, json, terminal);
  } else if ((await listRuns(target, { filter, limit, columns, json }, terminal)) === 0 && !json) {
    terminal.note('No run matches.');
  }
  return EXIT.done;
}
