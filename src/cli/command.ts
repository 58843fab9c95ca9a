/** What a subcommand is: citty's definition, and beside it what the help and the manual need. */
import { type ArgsDef, type CommandDef, defineCommand, type ParsedArgs } from 'citty';
import type { Terminal } from './terminal.ts';

export interface Definition<T extends ArgsDef> {
  name: string;
  /** One sentence, as the list of all commands shows it. */
  summary: string;
  /** More for its own help: what it does, what it never does. */
  details?: string;
  args: T;
  /** Whole command lines without the program's name, each with what it does. */
  examples: readonly (readonly [line: string, what: string])[];
  /** Exit codes beside 0, 1 and 2, which mean the same everywhere. */
  exits?: Readonly<Record<number, string>>;
  /** Takes any number of words behind `--`, which are not looked at; what they are. */
  rest?: string;
  /** Its last positional may be said any number of times; those behind the first are `rest` too. */
  many?: true;
  /** @returns the exit code; 0 where it returns nothing */
  run(
    this: void,
    args: ParsedArgs<T>,
    terminal: Terminal,
    rest: string[],
  ): Promise<number | undefined> | number | undefined;
}

export interface Command {
  definition: Omit<Definition<ArgsDef>, 'run'>;
  citty: CommandDef;
}

/** What runs a command gives it. */
export interface Given {
  terminal: Terminal;
  rest: string[];
}

export function command<const T extends ArgsDef>(definition: Definition<T>): Command {
  const { name, summary, args, run } = definition;
  const citty = defineCommand({
    meta: { name: `local-telemetry ${name}`, description: summary },
    args,
    run: ({ args: parsed, data }) => {
      const { terminal, rest } = data as Given;
      return run(parsed, terminal, rest);
    },
  });
  return { definition: definition as unknown as Command['definition'], citty: citty as unknown as CommandDef };
}
