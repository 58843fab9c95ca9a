/** `stale`: runs that were never ended, because their process died. */
import { cleanupStaleRuns, type StaleRun } from '../client/stale.ts';
import type { Transport } from '../client/transport.ts';
import { TelemetryError } from '../errors.ts';
import { parseJson, timestampOf } from '../run.ts';
import { command } from './command.ts';
import { EXIT } from './exit.ts';
import { type Arguments, durationOf } from './filter.ts';
import { patiently } from './import/patience.ts';
import { DATABASE, JSON_OUTPUT } from './options.ts';
import { count } from '../offline/figures.ts';
import { type Run, USUAL } from './runs/columns.ts';
import { pagesOf } from './runs/pages.ts';
import { Table } from './runs/table.ts';
import { visibleJson } from './runs/text.ts';
import { ELSEWHERE, openTarget, type Target } from './target.ts';
import type { Terminal } from './terminal.ts';

export default command({
  name: 'stale',
  summary: 'List runs that never ended; cancel them if asked to',
  details:
    'Lists runs that are said to be running and were created longer ago than --older-than. Changes nothing unless --cancel is\n' +
    'given: then they become cancelled, with a summary. A run that completes after all still becomes what it completed as.',
  args: {
    'older-than': { type: 'string', valueHint: 'time', default: '24h', description: 'How long ago it was created' },
    'agent-name': { type: 'string', valueHint: 'text', description: 'Only runs of this agent' },
    cancel: { type: 'boolean', description: 'Mark them as cancelled' },
    ...JSON_OUTPUT,
    ...DATABASE,
    ...ELSEWHERE,
  },
  examples: [
    ['stale', 'which runs began more than a day ago and never ended'],
    ['stale --older-than 7d --agent-name translator --cancel', 'cancels those of one agent'],
  ],
  run: stale,
});

interface Outcome {
  found: number;
  cancelled: number;
  failed: number;
  errors: readonly string[];
}

async function stale(args: Arguments, terminal: Terminal): Promise<number> {
  const olderThanMs = durationOf('older-than', String(args['older-than']));
  const agentName = typeof args['agent-name'] === 'string' ? args['agent-name'] : undefined;
  const cancels = args.cancel === true;
  await using target = await openTarget(args, terminal, { writes: cancels });
  const show = args.json === true ? new JsonRuns(terminal) : new TableOfRuns(terminal);
  const outcome = cancels
    ? await cleanupStaleRuns(
        transportTo(target),
        { agentName, olderThanMs },
        () => false,
        (runs) => show.add(runs),
      )
    : await list(target, agentName, olderThanMs, show);
  const { found, failed, errors } = outcome;
  // What could not be found is no small thing either.
  if (errors.length > 0 && found === 0) throw new TelemetryError('unavailable', String(errors[0]));
  show.end(outcome, cancels);
  for (const error of errors) terminal.note(error);
  return failed > 0 || errors.length > 0 ? EXIT.failed : EXIT.done;
}

async function list(target: Target, agentName: string | undefined, olderThanMs: number, show: Shown): Promise<Outcome> {
  const query = new URLSearchParams({ status: 'running', created_before: timestampOf(Date.now() - olderThanMs) });
  if (agentName !== undefined) query.set('agent_name', agentName);
  let found = 0;
  for await (const page of pagesOf(target, query)) {
    found += page.length;
    show.add(page.map((json) => parseJson(Buffer.from(json).toString()) as StaleRun));
  }
  return { found, cancelled: 0, failed: 0, errors: [] };
}

/** The target as what the client's own logic speaks to. */
function transportTo(target: Target): Pick<Transport, 'request'> {
  return {
    request: async (method, path, body) => {
      const answer = await patiently(() => target.request(method, path, body));
      const text = Buffer.from(answer.body).toString();
      return { status: answer.status, retryAfterMs: undefined, body: parseJson(text) };
    },
  };
}

interface Shown {
  add(runs: readonly StaleRun[]): void;
  end(outcome: Outcome, cancels: boolean): void;
}

class TableOfRuns implements Shown {
  readonly #table: Table;
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#table = new Table(USUAL, terminal);
  }

  add(runs: readonly StaleRun[]): void {
    if (runs.length === 0) return;
    // Nobody is waited for who reads this: what was begun is brought to its end.
    for (const line of this.#table.linesOf(runs as unknown as readonly Run[])) this.#terminal.print(line);
  }

  end({ found, cancelled, failed }: Outcome, cancels: boolean): void {
    const rest = cancels
      ? `, ${cancelled} cancelled, ${failed} failed`
      : found > 0
        ? '; --cancel marks them as cancelled'
        : '';
    this.#terminal.note(`${count(found, 'stale run')}${rest}`);
  }
}

/** One JSON object, written as it comes, for there may be any number of runs. */
class JsonRuns implements Shown {
  readonly #terminal: Terminal;
  #begun = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  add(runs: readonly StaleRun[]): void {
    for (const run of runs) {
      this.#terminal.print(`${this.#begun ? ',' : '{"runs":['}${visibleJson(JSON.stringify(run))}`);
      this.#begun = true;
    }
  }

  end({ found, cancelled, failed }: Outcome): void {
    this.#terminal.print(`${this.#begun ? '' : '{"runs":['}],${JSON.stringify({ found, cancelled, failed }).slice(1)}`);
  }
}
