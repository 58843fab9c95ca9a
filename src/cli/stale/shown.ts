/** Stale runs as they are shown: a table behind their number, or JSON. */
import type { StaleRun } from '../../client/stale.ts';
import { count } from '../../offline/figures.ts';
import { type Run, USUAL, usualWith } from '../runs/columns.ts';
import { type Row, Table } from '../runs/table.ts';
import { visibleJson } from '../../run/visible.ts';
import type { Terminal } from '../terminal.ts';

export interface Outcome {
  found: number;
  cancelled: number;
  failed: number;
  errors: readonly string[];
}

export interface Shown {
  /** How many more runs it shows. */
  readonly room: number;
  add(runs: readonly StaleRun[]): void;
  end(outcome: Outcome): void;
}

export class TableOfRuns implements Shown {
  readonly #terminal: Terminal;
  readonly #table: Table;
  readonly #limit: number;
  readonly #cancels: boolean;
  readonly #rows: Row[] = [];

  constructor(terminal: Terminal, limit: number, cancels: boolean) {
    this.#terminal = terminal;
    this.#table = new Table(cancels ? usualWith('end_time') : USUAL, terminal);
    this.#limit = limit;
    this.#cancels = cancels;
  }

  get room(): number {
    return this.#limit - this.#rows.length;
  }

  add(runs: readonly StaleRun[]): void {
    for (const run of runs.slice(0, this.room)) this.#rows.push(this.#table.rowOf(run as unknown as Run));
  }

  end({ found, cancelled, failed }: Outcome): void {
    const shown = this.#rows.length < found ? `; the newest ${this.#rows.length} are shown, --limit shows more` : '';
    const rest = this.#cancels
      ? `, ${cancelled} cancelled, ${failed} failed`
      : found > 0
        ? '; --cancel marks them as cancelled'
        : '';
    this.#terminal.print(`${count(found, 'stale run')}${rest}${shown}`);
    if (this.#rows.length === 0) return;
    for (const line of this.#table.linesOfRows(this.#rows)) this.#terminal.print(line);
  }
}

/** A run a line, written as it comes, for there may be any number; then a trailer, which is missing where not all came. */
export class JsonRuns implements Shown {
  readonly #terminal: Terminal;
  readonly #limit: number;
  #shown = 0;

  constructor(terminal: Terminal, limit: number) {
    this.#terminal = terminal;
    this.#limit = limit;
  }

  get room(): number {
    return this.#limit - this.#shown;
  }

  add(runs: readonly StaleRun[]): void {
    for (const run of runs.slice(0, this.room)) {
      // Nobody is waited for who reads this: what was begun is brought to its end.
      this.#terminal.print(visibleJson(JSON.stringify(run)));
      this.#shown++;
    }
  }

  end({ found, cancelled, failed }: Outcome): void {
    this.#terminal.json({ record_type: 'trailer', found, cancelled, failed });
  }
}
