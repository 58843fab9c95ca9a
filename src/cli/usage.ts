/** Help and the strict reading of a command line, which citty leaves to its callers. */
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { renderUsage } from 'citty';
import type { Command } from './command.ts';
import { EXIT_MEANINGS, UsageError } from './exit.ts';

const PROGRAM = 'local-telemetry';

/** The help of a command: citty's, then examples and exit codes. Without colour, for it may go anywhere. */
export async function helpOf({ definition, citty }: Command): Promise<string> {
  const { summary, details, name, args, rest, many, examples, exits } = definition;
  const usage = stripVTControlCharacters(await renderUsage(citty))
    .split('\n')
    .slice(2);
  const hasOptions = Object.keys(args).length > 0;
  const line = (usage[0] ?? '').replace(/^USAGE /, '').trimEnd();
  const lines = [
    summary,
    ...(details ? ['', details] : []),
    '',
    'USAGE',
    '',
    `  ${many ? line.replace(/\]$/, '…]') : line}${rest ? ` -- ${rest}` : ''}`,
    '',
  ];
  if (hasOptions) lines.push(...usage.slice(2).map((text) => text.trimEnd()));
  lines.push('EXAMPLES', '');
  for (const [example, what] of examples) lines.push(`  ${PROGRAM} ${example}`, `      ${what}`);
  lines.push('', 'EXIT CODES', '');
  for (const [code, meaning] of Object.entries({ ...EXIT_MEANINGS, ...exits })) lines.push(`  ${code}  ${meaning}`);
  return `${PROGRAM} ${name}: ${lines.join('\n')}\n`;
}

type Usage = Pick<Command['definition'], 'args' | 'rest' | 'many'>;

interface Argument {
  type?: string;
  alias?: string;
  required?: boolean;
  default?: unknown;
  options?: readonly string[];
}

/**
 * Checks a command line against the command's options: all that citty would take without a word, or refuse in its own.
 *
 * @param given without what stands behind `--`
 * @returns the words behind the last positional, where that may be repeated
 * @throws UsageError naming what is not known, lacks its value, is missing or too much, or is none of the choices
 */
export function checkUsage({ args, rest, many }: Usage, given: readonly string[]): string[] {
  const table = new Map(Object.entries(args) as [string, Argument][]);
  const named = [...table].filter(([, { type }]) => type !== 'positional');
  const { tokens } = parseArgs({
    args: [...given],
    options: Object.fromEntries(
      named.map(([name, { type, alias }]) => [
        name,
        { type: type === 'boolean' ? 'boolean' : 'string', ...(alias && { short: alias }) } as const,
      ]),
    ),
    strict: false,
    allowPositionals: true,
    allowNegative: true,
    tokens: true,
  });
  const options = new Map(named);
  const places = [...table].filter(([, { type }]) => type === 'positional');
  const present = new Set<string>();
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (words.length > places.length && !many) {
      throw new UsageError(`"${words.at(-1)}" is one word too many${rest ? '; write -- before it' : ''}`);
    }
    if (token.kind !== 'option') continue;
    checkOption(token, options);
    present.add(token.name);
  }
  const isNeeded = ([, { required, default: fallback }]: [string, Argument], unlessSaid: boolean): boolean =>
    (required ?? unlessSaid) && fallback === undefined;
  const place = places.slice(words.length).find((each) => isNeeded(each, true));
  if (place) throw new UsageError(`<${place[0].toUpperCase()}> is missing`);
  const option = named.find((each) => isNeeded(each, false) && !present.has(each[0]));
  if (option) throw new UsageError(`--${option[0]} is missing`);
  return words.slice(places.length);
}

interface GivenOption {
  name: string;
  rawName: string;
  value: string | undefined;
}

function checkOption({ name, rawName, value }: GivenOption, options: ReadonlyMap<string, Argument>): void {
  const option = options.get(name);
  if (!option) throw new UsageError(`There is no option ${rawName}${meant(name, [...options.keys()])}`);
  if (option.type === 'boolean') {
    if (value !== undefined) throw new UsageError(`--${name} takes no value`);
    return;
  }
  if (rawName.startsWith('--no-')) throw new UsageError(`There is no option ${rawName}`);
  if (value === undefined || value === '') throw new UsageError(`--${name} needs a value`);
  if (option.options && !option.options.includes(value)) {
    throw new UsageError(`--${name} must be one of ${option.options.join(', ')}, not "${value}"`);
  }
}

/** "; did you mean --x?", where a name is near. */
export function meant(given: string, names: readonly string[], prefix = '--'): string {
  const near = names.map((name) => [distance(given, name), name] as const).sort((a, b) => a[0] - b[0])[0];
  if (!near || near[0] > Math.ceil(given.length / 3)) return '';
  return `; did you mean ${prefix}${near[1]}?`;
}

/** Edits that lead from one word to the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[to.length] as number;
}
