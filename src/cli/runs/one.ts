/** The run that an event_id or a run_id names, in full. */
import { TelemetryError } from '../../errors.ts';
import { parseJson } from '../../run.ts';
import { runOf } from '../answer.ts';
import type { Target } from '../answer.ts';
import type { Terminal } from '../terminal.ts';
import { type Run, RUN_FIELDS, textOf, usualWith } from './columns.ts';
import { listRuns } from './list.ts';
import { pagesOf } from './pages.ts';
import { visibleJson } from '../../run/visible.ts';

/**
 * Shows a run. An event_id names one; a run_id may name several, which are listed then.
 *
 * @throws TelemetryError "not_found" where no run has it
 */
export async function showNamed(target: Target, id: string, json: boolean, terminal: Terminal): Promise<void> {
  const answer = await target.request('GET', `/api/v1/runs/${encodeURIComponent(id)}`);
  if (answer.status !== 404) {
    runOf(answer, target.where);
    return show(answer.body, json, terminal);
  }
  const filter = new URLSearchParams({ run_id: id });
  const found: Uint8Array[] = [];
  for await (const page of pagesOf(target, filter, 2)) found.push(...page);
  const [first, second] = found;
  if (!first) throw new TelemetryError('not_found', unknown(target, id));
  if (!second) return show(first, json, terminal);
  const columns = usualWith('event_id').filter(({ head }) => head !== 'run_id');
  const shown = await listRuns(target, { filter, limit: Infinity, columns, json }, terminal);
  terminal.note(`${shown} runs have the run_id ${textOf(id)}. Give the event_id of one to see it in full.`);
}

const unknown = ({ where }: Target, id: string): string =>
  `${where} has no run with the event_id or run_id ${textOf(id)}. Where only a part of its run_id is known, give it to --run-id-contains.`;

function show(body: Uint8Array, json: boolean, terminal: Terminal): void {
  const text = Buffer.from(body).toString();
  if (json) return terminal.print(visibleJson(text));
  const run = parseJson(text) as Run;
  const set = RUN_FIELDS.filter((name) => run[name] !== null && run[name] !== undefined);
  const width = Math.max(...set.map((name) => name.length));
  for (const name of set) {
    for (const [place, line] of linesOf(run[name]).entries()) {
      terminal.print(`${(place === 0 ? name : '').padEnd(width)}  ${line}`);
    }
  }
}

/** A value as it is, except what commands a terminal; text of several lines, a stack trace say, in as many. */
const linesOf = (value: unknown): string[] =>
  typeof value === 'string' ? value.split(/\r?\n/).map((line) => textOf(line)) : [textOf(value)];
