/** Help and the strict reading of a command line, which citty leaves to its callers. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { type ArgsDef, renderUsage } from 'citty';
import { stripVTControlCharacters } from 'node:util';
import type { Command } from './command.ts';
import { EXIT_MEANINGS, UsageError } from './exit.ts';

const PROGRAM = 'local-telemetry';

/** The help of a command: citty's, then examples and exit codes. Without colour, for it may go anywhere. */
export async function helpOf({ definition, citty }: Command): Promise<string> {
  const { summary, details, name, args, rest, examples, exits } = definition;
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
    `  ${line}${rest ? ` -- ${rest}` : ''}`,
    '',
  ];
  if (hasOptions) lines.push(...usage.slice(2).map((text) => text.trimEnd()));
  lines.push('EXAMPLES', '');
  for (const [example, what] of examples) lines.push(`  ${PROGRAM} ${example}`, `      ${what}`);
  lines.push('', 'EXIT CODES', '');
  for (const [code, meaning] of Object.entries({ ...EXIT_MEANINGS, ...exits })) lines.push(`  ${code}  ${meaning}`);
  return `${PROGRAM} ${name}: ${lines.join('\n')}\n`;
}

/**
 * Checks a command line against the command's options.
 *
 * @throws UsageError naming what is not known, lacks its value, or is too much
 */
export function checkUsage(args: ArgsDef, given: readonly string[]): void {
  const options: NonNullable<ParseArgsConfig['options']> = {};
  const names: string[] = [];
  let positionals = 0;
  for (const [name, { type, alias }] of Object.entries(args) as [string, { type?: string; alias?: string }][]) {
    if (type === 'positional') positionals++;
    else options[name] = { type: type === 'boolean' ? 'boolean' : 'string', ...(alias && { short: alias }) };
    if (type !== 'positional') names.push(name);
  }
  const { tokens } = parseArgs({
    args: [...given],
    options,
    strict: false,
    allowPositionals: true,
    allowNegative: true,
    tokens: true,
  });
  let places = 0;
  for (const token of tokens) {
    if (token.kind === 'positional' && ++places > positionals) {
      throw new UsageError(`"${token.value}" is one word too many`);
    }
    if (token.kind !== 'option') continue;
    const option = options[token.name];
    if (!option) throw new UsageError(`There is no option ${token.rawName}${meant(token.name, names)}`);
    const negated = token.rawName.startsWith('--no-');
    if (option.type === 'string' && (token.value === undefined || token.value === '')) {
      throw new UsageError(`--${token.name} needs a value`);
    }
    if (option.type === 'boolean' && token.value !== undefined) throw new UsageError(`--${token.name} takes no value`);
    if (negated && option.type === 'string') throw new UsageError(`There is no option ${token.rawName}`);
  }
}

/** "; did you mean --x?", where a name is near. */
export function meant(given: string, names: readonly string[], prefix = '--'): string {
  const near = names.map((name) => [distance(given, name), name] as const).sort((a, b) => a[0] - b[0])[0];
  if (!near || near[0] > Math.max(2, given.length / 3)) return '';
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
