/** What was found wrong, and how each is seen again. */
import type { Input } from './input.ts';

export interface Finding {
  /** The number of the input; undefined where no one input is known. */
  number: number | undefined;
  what: string;
  why: string;
}

/** So many of a sort are shown; the rest is counted. */
const SHOWN = 3;

export class Findings {
  readonly all: Finding[] = [];
  readonly #sorts = new Map<string, number>();
  readonly #seed: number;
  readonly #say: (line: string) => void;

  constructor(seed: number, say: (line: string) => void) {
    this.#seed = seed;
    this.#say = say;
  }

  add(number: number | undefined, what: string, why: string): void {
    this.all.push({ number, what, why });
    const sort = why.replace(/[\w-]*\d[\w-]*/g, 'N').slice(0, 80);
    const count = (this.#sorts.get(sort) ?? 0) + 1;
    this.#sorts.set(sort, count);
    if (count > SHOWN) return;
    const again = number === undefined ? '' : `  (again: --seed ${this.#seed} --only ${number})`;
    this.#say(`FOUND ${number ?? 'in all'}: ${shown(why, 400)}\n    ${shown(what, 300)}${again}`);
  }

  of({ number, what }: Input, why: string): void {
    this.add(number, what, why);
  }

  /** How often each sort was found. */
  sorts(): string[] {
    return [...this.#sorts].map(([sort, count]) => `${String(count).padStart(6)} ${shown(sort, 80)}`);
  }
}

/** A text on one line, for a terminal. */
export const shown = (text: string, bound: number): string => JSON.stringify(text.slice(0, bound)).slice(1, -1);
