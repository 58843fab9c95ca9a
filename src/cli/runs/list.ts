/** A list of runs on stdout, page by page as it comes. */
import { parseJson } from '../../run.ts';
import type { Target } from '../answer.ts';
import type { Terminal } from '../terminal.ts';
import type { Column, Run } from './columns.ts';
import { pagesOf } from './pages.ts';
import { Table } from './table.ts';
import { visibleJson } from '../../run/visible.ts';

export interface ListOptions {
  filter: URLSearchParams;
  limit: number;
  columns: readonly Column[];
  /** A run a line as the API gives it, in the place of a table. */
  json: boolean;
}

/** @returns how many runs were shown. @throws TelemetryError in the service's words */
export async function listRuns(target: Target, options: ListOptions, terminal: Terminal): Promise<number> {
  const { filter, limit, columns, json } = options;
  const table = new Table(columns, terminal);
  let shown = 0;
  for await (const page of pagesOf(target, filter, limit)) {
    if (page.length === 0) continue;
    shown += page.length;
    const texts = page.map((bytes) => Buffer.from(bytes).toString());
    const lines = json ? texts.map(visibleJson) : table.linesOf(texts.map((text) => parseJson(text) as Run));
    await terminal.write(`${lines.join('\n')}\n`);
  }
  return shown;
}
