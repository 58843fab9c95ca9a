/** The command line: finds the subcommand, gives help, turns every failure into a message and an exit code. */
import { runCommand } from 'citty';
import { describe, systemCode } from '../errors.ts';
import { VERSION } from '../version.ts';
import type { Command, Given } from './command.ts';
import { COMMANDS } from './commands.ts';
import { EXIT, UsageError } from './exit.ts';
import type { Terminal } from './terminal.ts';
import { checkUsage, helpOf, meant } from './usage.ts';

/** @param words the command line behind the program's name @returns the exit code */
export async function run(words: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const code = await dispatch(words, terminal);
    const lost = await terminal.finish();
    if (lost) throw lost;
    return code;
  } catch (error) {
    // Whoever reads the result has read enough.
    if (systemCode(error) === 'EPIPE') return EXIT.done;
    const usage = error instanceof UsageError;
    const name = words[0] ?? '';
    // It may quote a file or a service, and a terminal obeys what it is sent.
    const message = describe(error).replace(/(?![\n\t])\p{Cc}/gu, '\uFFFD');
    terminal.note(`${terminal.style('red', 'local-telemetry:', 'stderr')} ${message}`);
    if (usage) terminal.note(`Try: local-telemetry ${Object.hasOwn(COMMANDS, name) ? `${name} ` : ''}--help`);
    return usage ? EXIT.usage : EXIT.failed;
  }
}

async function dispatch(words: readonly string[], terminal: Terminal): Promise<number> {
  const [name = '--help', ...given] = words;
  if (['--version', '-v', 'version'].includes(name)) return shown(VERSION, terminal);
  if (['--help', '-h'].includes(name)) return shown(await overview(), terminal, words.length === 0);
  if (name === 'help') return shown(given[0] ? await helpOf(await find(given[0])) : await overview(), terminal);
  const { definition, citty } = await find(name);
  const end = given.indexOf('--');
  const own = end === -1 ? given : given.slice(0, end);
  const rest = end === -1 ? [] : given.slice(end + 1);
  if (own.includes('--help') || own.includes('-h')) return shown(await helpOf({ definition, citty }), terminal);
  const more = checkUsage(definition, own);
  if (rest.length > 0 && !definition.rest && !definition.many) throw new UsageError(`${name} takes nothing behind --`);
  const data: Given = { terminal, rest: [...more, ...rest] };
  const { result } = await runCommand(citty, { rawArgs: own, data });
  return (result as number | undefined) ?? EXIT.done;
}

async function find(name: string): Promise<Command> {
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!load) throw new UsageError(`There is no command "${name}"${meant(name, Object.keys(COMMANDS), '')}`);
  return (await load()).default;
}

function shown(text: string, terminal: Terminal, wrong = false): number {
  terminal.print(text.trimEnd());
  return wrong ? EXIT.usage : EXIT.done;
}

async function overview(): Promise<string> {
  const commands = await Promise.all(Object.values(COMMANDS).map(async (load) => (await load()).default.definition));
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    `local-telemetry ${VERSION}: records what autonomous agents do`,
    '',
    'USAGE',
    '',
    '  local-telemetry <command> [options]',
    '',
    'COMMANDS',
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'local-telemetry <command> --help says more about each.',
  ].join('\n');
}
