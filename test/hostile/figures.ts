/** What is counted and timed on the way, and the table at the end. */
import type { Answer } from './answers.ts';
import { type Input, type Kind, KINDS } from './input.ts';
import { shown } from './findings.ts';

interface OfKind {
  inputs: number;
  answers: number;
  longestMs: number;
  longest: string;
}

export class Figures {
  readonly #kinds = new Map<Kind, OfKind>(
    KINDS.map((kind) => [kind, { inputs: 0, answers: 0, longestMs: 0, longest: '' }]),
  );
  readonly #statuses = new Map<number, number>();
  /** MiB after each stage. */
  readonly memory: number[] = [];

  note({ kind, number, what }: Input, answers: readonly Answer[]): void {
    const of = this.#kinds.get(kind) as OfKind;
    of.inputs++;
    for (const { status, ms } of answers) {
      this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
      if (status <= 0) continue;
      of.answers++;
      if (ms > of.longestMs) Object.assign(of, { longestMs: ms, longest: `${number}: ${what}` });
    }
  }

  get answers(): number {
    return [...this.#kinds.values()].reduce((sum, { answers }) => sum + answers, 0);
  }

  /** The greatest after the first quarter of the stages, in the second quarter and in the last. */
  memoryGrowth(): { warm: number; end: number } | undefined {
    const { length } = this.memory;
    if (length < 4) return undefined;
    const quarter = Math.floor(length / 4);
    return {
      warm: Math.max(...this.memory.slice(quarter, 2 * quarter)),
      end: Math.max(...this.memory.slice(-quarter)),
    };
  }

  table(): string[] {
    const rows = [...this.#kinds].filter(([, { inputs }]) => inputs > 0);
    const statuses = [...this.#statuses].sort(([a], [b]) => a - b);
    const nameOf = (status: number): string => ({ '0': 'closed', '-1': 'open' })[status] ?? String(status);
    return [
      '| Kind      |  Inputs | Answers | Longest, ms | Which |',
      '| --------- | ------: | ------: | ----------: | ----- |',
      ...rows.map(
        ([kind, { inputs, answers, longestMs, longest }]) =>
          `| ${kind.padEnd(9)} | ${String(inputs).padStart(7)} | ${String(answers).padStart(7)} | ${longestMs.toFixed(0).padStart(11)} | ${shown(longest, 70)} |`,
      ),
      `Statuses: ${statuses.map(([status, count]) => `${nameOf(status)} ${count}`).join(', ')}`,
      `Memory, MiB: ${this.memory.map((mib) => mib.toFixed(0)).join(' ')}`,
    ];
  }
}
