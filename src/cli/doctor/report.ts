/** Checks for people: a line each, what was seen below, and the remedy. */
import type { Check } from '../../offline/check.ts';
import { cut, visible } from '../runs/text.ts';
import { visibleJson } from '../../run/visible.ts';
import type { Terminal } from '../terminal.ts';

const COLOURS = { ok: 'green', warning: 'yellow', bad: 'red' } as const;

/** @param bad what a check is called that is not in order */
export function printChecks(checks: readonly Check[], terminal: Terminal, bad = 'bad'): void {
  const words = { ok: 'ok', warning: 'warning', bad };
  const stateWidth = Math.max(...checks.map(({ state }) => words[state].length));
  const nameWidth = Math.max(...checks.map(({ name }) => name.length));
  const indent = ' '.repeat(stateWidth + nameWidth + 4);
  // What was seen may come from files, records and other programs.
  const shown = (line: string): string => cut(visible(line), terminal.columns);
  for (const { name, state, summary, details, remedy } of checks) {
    const word = terminal.style(COLOURS[state], words[state].padEnd(stateWidth));
    // The state may carry colour, whose characters take no place.
    const rest = shown(`${' '.repeat(stateWidth)}  ${name.padEnd(nameWidth)}  ${summary}`).slice(stateWidth);
    terminal.print(word + rest);
    for (const line of details) terminal.print(shown(indent + line));
    // Never cut: it is what to do.
    for (const line of remedy?.split('\n') ?? []) terminal.print(`${indent}-> ${visible(line)}`);
  }
}

/** The same for scripts, which may run on a terminal, too. */
export const printJson = (value: unknown, terminal: Terminal): void =>
  terminal.print(visibleJson(JSON.stringify(value)));
