/** What was found wrong, and how each is seen again. */
import type { Input } from './input.ts';

export interface Finding {
  /** The number of the input; undefined where no one input is known. */
  number: number | undefined;
  what: string;
  why: string;
}

export class Findings {
  readonly all: Finding[] = [];
  readonly #seed: number;
  readonly #say: (line: string) => void;

  constructor(seed: number, say: (line: string) => void) {
    this.#seed = seed;
    this.#say = say;
  }

  add(number: number | undefined, what: string, why: string): void {
    this.all.push({ number, what, why });
    const again = number === undefined ? '' : `  (again: --seed ${this.#seed} --only ${number})`;
    this.#say(`FOUND ${number ?? 'in all'}: ${shown(why, 300)}\n    ${shown(what, 200)}${again}`);
  }

  of({ number, what }: Input, why: string): void {
    this.add(number, what, why);
  }
}

/** A text on one line, for a terminal. */
export const shown = (text: string, bound: number): string => JSON.stringify(text.slice(0, bound)).slice(1, -1);
