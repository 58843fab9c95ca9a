/**
 * How a benchmark tells what it saw: one table, and the same as JSON in `bench/results/`, or the folder BENCH_RESULTS, where
 * the next run finds it.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { machineLine, median } from './support.ts';

export interface Figure {
  /** What is compared with what. */
  name: string;
  /** Its value in each round. */
  rounds: number[];
  /** x is a ratio, which says something of other machines too. */
  unit: 'x' | 'ms' | '/s' | 'us' | 'MiB';
  /** What it should be. */
  atLeast?: number;
  atMost?: number;
  /** What the figure was made of, on this machine. */
  of?: string;
}

export interface Section {
  /** The script's name, without .ts. */
  name: string;
  /** What was done, in a sentence. */
  about: string;
  figures: Figure[];
}

/** A section as its file has it. */
export interface Kept extends Section {
  machine: string;
  /** When it was measured, ISO 8601. */
  at: string;
}

/** Where results are kept unless BENCH_RESULTS says otherwise. */
export const RESULTS = fileURLToPath(new URL('./results', import.meta.url));

const folder = (): string => process.env.BENCH_RESULTS || RESULTS;
const fileOf = (name: string): string => join(folder(), `${name}.json`);

/** Prints a section and keeps it. */
export function report(section: Section): void {
  const earlier = kept(section.name);
  process.stdout.write(`\n${section.about}\n${machineLine()}\n\n${table(section, earlier)}`);
  mkdirSync(folder(), { recursive: true });
  const figures = section.figures.map((figure) => ({ median: median(figure.rounds), ...figure }));
  const whole: Kept = { ...section, machine: machineLine(), at: new Date().toISOString(), figures };
  writeFileSync(fileOf(section.name), `${JSON.stringify(whole, null, 2)}\n`);
}

/** What the last run of a script left; undefined where there was none. */
export function kept(name: string): Kept | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(name), 'utf8')) as Kept;
  } catch {
    return undefined;
  }
}

/** The figures as a table of text: median, spread, what it should be, and the median of the run before. */
export function table({ figures }: Section, earlier?: Section): string {
  const before = new Map(earlier?.figures.map(({ name, rounds }) => [name, median(rounds)]));
  const rows = figures.map((figure) => {
    const { name, rounds, unit, of = '' } = figure;
    const was = before.get(name);
    const spread = `${digits(Math.min(...rounds))} to ${digits(Math.max(...rounds))}`;
    return [
      name,
      `${digits(median(rounds))} ${unit}`,
      spread,
      verdict(figure),
      was === undefined ? '' : digits(was),
      of,
    ];
  });
  const all = [['', 'median', 'rounds', 'should be', 'last run', 'of'], ...rows];
  const widths = (all[0] as string[]).map((_, column) => Math.max(...all.map((row) => (row[column] as string).length)));
  return all
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] as number))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** Whether a figure is what it should be; undefined where nobody says. */
export function isMet({ rounds, atLeast, atMost }: Figure): boolean | undefined {
  if (atLeast === undefined && atMost === undefined) return undefined;
  const value = median(rounds);
  return value >= (atLeast ?? -Infinity) && value <= (atMost ?? Infinity);
}

function verdict(figure: Figure): string {
  const met = isMet(figure);
  if (met === undefined) return '';
  const { atLeast, atMost } = figure;
  return `${atLeast === undefined ? `<= ${atMost}` : `>= ${atLeast}`} ${met ? 'yes' : 'NO'}`;
}

/** Three digits that mean something. */
export const digits = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(value < 1 ? 2 : 3);

/** The options of a benchmark's command line: `--rounds 7 --seconds 3`, whole or fractional numbers. */
export function readOptions<const Defaults extends Record<string, number>>(
  defaults: Defaults,
): { [Name in keyof Defaults]: number } {
  const options = Object.fromEntries(Object.keys(defaults).map((name) => [name, { type: 'string' as const }]));
  const { values } = parseArgs({ options });
  const entries = Object.entries(defaults).map(([name, value]): [string, number] => [
    name,
    Number(values[name] ?? value),
  ]);
  const wrong = entries.find(([, value]) => !Number.isFinite(value) || value <= 0);
  if (wrong) throw new RangeError(`--${wrong[0]} must be a number above 0`);
  return Object.fromEntries(entries) as { [Name in keyof Defaults]: number };
}
