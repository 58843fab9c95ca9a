/** A table for people: aligned, never wider than the terminal, drawn while it still comes. */
import type { Terminal } from '../terminal.ts';
import type { Column, Run } from './columns.ts';
import { cut, padded, widthOf } from './text.ts';
import { fitted, type Place } from './widths.ts';

const GAP = '  ';

const COLOURS: Readonly<Record<string, 'green' | 'red' | 'yellow' | 'cyan'>> = {
  success: 'green',
  failure: 'red',
  timeout: 'red',
  partial: 'yellow',
  cancelled: 'yellow',
  running: 'cyan',
};

/** A run as the texts of its cells, which are bounded: many may be held. */
export type Row = readonly string[];

export class Table {
  readonly #columns: readonly Column[];
  readonly #terminal: Terminal;
  #places: (Place & { index: number })[] | undefined;

  constructor(columns: readonly Column[], terminal: Terminal) {
    this.#columns = columns;
    this.#terminal = terminal;
  }

  rowOf(run: Run): Row {
    return this.#columns.map((column) => cut(column.cell(run), column.most));
  }

  /** The lines of some runs; the first ones say how wide each column is, for all of them are never held at once. */
  linesOf(runs: readonly Run[]): string[] {
    return this.linesOfRows(runs.map((run) => this.rowOf(run)));
  }

  linesOfRows(rows: readonly Row[]): string[] {
    const lines = (places: readonly (Place & { index: number })[]): string[] =>
      rows.map((row) => this.#lineOf(places, row, false));
    if (this.#places) return lines(this.#places);
    const heads = this.#columns.map(({ head }) => head);
    const natural = heads.map((head, index) =>
      Math.max(widthOf(head), ...rows.map((row) => widthOf(row[index] ?? ''))),
    );
    const places = fitted(this.#columns, natural, this.#terminal.columns, GAP.length);
    this.#places = places.map((place) => ({ ...place, index: this.#columns.indexOf(place.column) }));
    return [this.#lineOf(this.#places, heads, true), ...lines(this.#places)];
  }

  #lineOf(places: readonly (Place & { index: number })[], cells: Row, head: boolean): string {
    let left = this.#terminal.columns;
    const parts: string[] = [];
    for (const [number, { index, column, width, cut: narrowed }] of places.entries()) {
      const gap = number === 0 ? '' : GAP;
      left -= gap.length;
      if (left <= 0) break;
      const whole = cells[index] ?? '';
      const cell = narrowed ? cut(whole, width) : whole;
      const text = cut(number === places.length - 1 ? cell : padded(cell, width), left);
      left -= widthOf(text);
      parts.push(gap + this.#styled(text, column, head));
    }
    return parts.join('').trimEnd();
  }

  #styled(text: string, column: Column, head: boolean): string {
    if (head) return this.#terminal.style('bold', text);
    const colour = column.head === 'status' ? COLOURS[text.trim()] : undefined;
    return colour ? this.#terminal.style(colour, text) : text;
  }
}
