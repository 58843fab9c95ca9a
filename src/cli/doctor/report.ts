/** Checks for people: a line each, what was seen below, and the remedy. */
import type { Check } from '../../offline/check.ts';
import type { Terminal } from '../terminal.ts';

const COLOURS = { ok: 'green', warning: 'yellow', bad: 'red' } as const;

/** @param bad what a check is called that is not in order */
export function printChecks(checks: readonly Check[], terminal: Terminal, bad = 'bad'): void {
  const words = { ok: 'ok', warning: 'warning', bad };
  const stateWidth = Math.max(...checks.map(({ state }) => words[state].length));
  const nameWidth = Math.max(...checks.map(({ name }) => name.length));
  const indent = ' '.repeat(stateWidth + nameWidth + 4);
  const cut = (line: string): string =>
    line.length > terminal.columns ? `${line.slice(0, Math.max(0, terminal.columns - 1))}…` : line;
  for (const { name, state, summary, details, remedy } of checks) {
    const word = terminal.style(COLOURS[state], words[state].padEnd(stateWidth));
    // The state may carry colour, whose characters take no place.
    const rest = cut(`${' '.repeat(stateWidth)}  ${name.padEnd(nameWidth)}  ${summary}`).slice(stateWidth);
    terminal.print(word + rest);
    for (const line of details) terminal.print(cut(indent + line.replaceAll('\n', ' ')));
    // Never cut: it is what to do.
    if (remedy !== undefined) terminal.print(`${indent}-> ${remedy}`);
  }
}
