/** What there is to complete: the table of commands, without what only the commands need. */
import { STATUSES } from '../../run.ts';
import type { Command } from '../command.ts';
import { RUN_FIELDS } from '../runs/columns.ts';

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
  /** Any number of the choices, with commas between. */
  list: boolean;
  paths: boolean;
}

interface Argument {
  type?: string;
  description?: string;
  valueHint?: string;
  negativeDescription?: string;
  options?: string[];
}

/** What stands in lists, by option. */
const LISTS: Readonly<Record<string, readonly string[]>> = { status: STATUSES, columns: RUN_FIELDS };

const HELP: Option = { name: 'help', description: 'Show help', values: undefined };
const PATH_HINTS: readonly string[] = ['path', 'file', 'directory', 'folder'];

/** What there is beside the commands. */
export const BUILT_IN = ['help', 'version', '--help', '--version'];

export function shapeOf({ definition }: Command): Shape {
  const { name, summary, args, rest } = definition;
  const given = Object.entries(args) as [string, Argument][];
  const positionals = given.filter(([, { type }]) => type === 'positional').map(([, argument]) => valuesOf(argument));
  const options = given.filter(([, { type }]) => type !== 'positional').flatMap(optionsOf);
  const choices = positionals.flatMap((values) => values.choices);
  const words = { choices, list: false, paths: positionals.some(({ paths }) => paths) };
  return { name, summary, options: [...options, HELP], words, rest: rest !== undefined };
}

function optionsOf([name, argument]: [string, Argument]): Option[] {
  const { type, description = '', negativeDescription } = argument;
  const values = type === 'boolean' ? undefined : valuesOf(argument, LISTS[name]);
  const negative = { name: `no-${name}`, description: negativeDescription ?? '', values: undefined };
  return [{ name, description, values }, ...(negativeDescription === undefined ? [] : [negative])];
}

/** A hint such as `bash|zsh|fish` names the choices of a word, for which there is no other place. */
function valuesOf({ options, valueHint = '' }: Argument, listed: readonly string[] = []): Values {
  const list = valueHint === 'list';
  const hinted = valueHint.includes('|') ? valueHint.split('|') : [];
  return {
    choices: options ?? (list ? listed : hinted),
    list,
    paths: PATH_HINTS.includes(valueHint.toLowerCase()),
  };
}
