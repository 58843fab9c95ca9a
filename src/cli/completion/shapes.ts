/** What there is to complete: the table of commands, without what only the commands need. */
import type { Command } from '../command.ts';

export interface Shape {
  name: string;
  summary: string;
  options: Option[];
  /** What its words without an option may be. */
  words: Values;
  /** Takes a command line behind `--`. */
  rest: boolean;
}

export interface Option {
  name: string;
  description: string;
  /** Undefined where it takes no value. */
  values: Values | undefined;
}

export interface Values {
  choices: readonly string[];
  paths: boolean;
}

interface Argument {
  type?: string;
  description?: string;
  valueHint?: string;
  options?: string[];
}

const HELP: Option = { name: 'help', description: 'Show help', values: undefined };
const PATH_HINTS: readonly string[] = ['path', 'file', 'directory', 'folder'];

/** What there is beside the commands. */
export const BUILT_IN = ['help', 'version', '--help', '--version'];

export function shapeOf({ definition }: Command): Shape {
  const { name, summary, args, rest } = definition;
  const given = Object.entries(args) as [string, Argument][];
  const positionals = given.filter(([, { type }]) => type === 'positional').map(([, argument]) => valuesOf(argument));
  const options = given
    .filter(([, { type }]) => type !== 'positional')
    .map(([option, argument]) => ({
      name: option,
      description: argument.description ?? '',
      values: argument.type === 'boolean' ? undefined : valuesOf(argument),
    }));
  const choices = positionals.flatMap((values) => values.choices);
  const words = { choices, paths: positionals.some(({ paths }) => paths) };
  return { name, summary, options: [...options, HELP], words, rest: rest !== undefined };
}

/** A hint such as `bash|zsh|fish` names the choices of a word, for which there is no other place. */
function valuesOf({ options, valueHint = '' }: Argument): Values {
  const hinted = valueHint.includes('|') ? valueHint.split('|') : [];
  return { choices: options ?? hinted, paths: PATH_HINTS.includes(valueHint.toLowerCase()) };
}
