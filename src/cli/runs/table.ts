/** A table for people: aligned, never wider than the terminal, drawn while it still comes. */
import type { Terminal } from '../terminal.ts';
import type { Column, Run } from './columns.ts';
import { cut, padded, widthOf } from './text.ts';

const GAP = '  ';

const COLOURS: Readonly<Record<string, 'green' | 'red' | 'yellow' | 'cyan'>> = {
  success: 'green',
  failure: 'red',
  timeout: 'red',
  partial: 'yellow',
  cancelled: 'yellow',
  running: 'cyan',
};

export class Table {
  readonly #columns: readonly Column[];
  readonly #terminal: Terminal;
  #widths: number[] | undefined;

  constructor(columns: readonly Column[], terminal: Terminal) {
    this.#columns = columns;
    this.#terminal = terminal;
  }

  /** The lines of some runs; the first ones say how wide each column is, for all of them are never held at once. */
  linesOf(runs: readonly Run[]): string[] {
    const rows = runs.map((run) => this.#columns.map((column) => cut(column.cell(run), column.most)));
    if (!this.#widths) {
      const heads = this.#columns.map(({ head }) => head);
      this.#widths = heads.map((head, place) =>
        Math.max(widthOf(head), ...rows.map((row) => widthOf(row[place] ?? ''))),
      );
      return [this.#lineOf(heads, true), ...rows.map((row) => this.#lineOf(row, false))];
    }
    return rows.map((row) => this.#lineOf(row, false));
  }

  #lineOf(cells: readonly string[], head: boolean): string {
    let left = this.#terminal.columns;
    const parts: string[] = [];
    for (const [place, cell] of cells.entries()) {
      const last = place === cells.length - 1;
      const gap = place === 0 ? '' : GAP;
      left -= gap.length;
      if (left <= 0) break;
      const text = cut(last ? cell : padded(cell, this.#widths?.[place] ?? 0), left);
      left -= widthOf(text);
      parts.push(gap + this.#styled(text, place, head));
    }
    return parts.join('').trimEnd();
  }

  #styled(text: string, place: number, head: boolean): string {
    if (head) return this.#terminal.style('bold', text);
    const colour = this.#columns[place]?.head === 'status' ? COLOURS[text.trim()] : undefined;
    return colour ? this.#terminal.style(colour, text) : text;
  }
}
