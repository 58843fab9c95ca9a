/** Completion for fish. */
import { BUILT_IN, type Shape, type Values } from './shapes.ts';

export function fish(shapes: readonly Shape[]): string {
  return `# fish completion for local-telemetry
function __local_telemetry_at
    # 0: the command itself; else the name of one: among its own options and words, in front of any --.
    set -l words (commandline -opc)
    test "$argv[1]" = 0; and return (test (count $words) -eq 1)
    test "$words[2]" = "$argv[1]"; and not contains -- -- $words
end

function __local_telemetry_behind
    set -l words (commandline -opc)
    test "$words[2]" = "$argv[1]"; and contains -- -- $words
end

function __local_telemetry_listed
    # What stands before the last comma stays; what stands there already is not offered again.
    set -l value (string replace -r '^--[^=]*=' '' -- (commandline -ct))
    set -l before (string match -r '^.*,' -- $value)
    for each in $argv
        contains -- $each (string split , -- "$before"); or echo "$before$each"
    end
end

complete -c local-telemetry -f
${[...shapes.flatMap(linesOf), `complete -c local-telemetry -n '__local_telemetry_at 0' -a ${quoted(BUILT_IN.join(' '))}`].join('\n')}
complete -c local-telemetry -n '__local_telemetry_at help' -a ${quoted(shapes.map(({ name }) => name).join(' '))}
`;
}

function linesOf({ name, summary, options, words, rest }: Shape): string[] {
  const line = (place: string, more: string): string =>
    `complete -c local-telemetry -n '__local_telemetry_${place}' ${more}`;
  const lines = [line('at 0', `-a ${name} -d ${quoted(summary)}`)];
  for (const option of options) {
    const value = option.values ? ` ${valueOf(option.values)}` : '';
    lines.push(line(`at ${name}`, `-l ${option.name}${value} -d ${quoted(option.description)}`));
  }
  if (words.choices.length > 0) lines.push(line(`at ${name}`, `-a ${quoted(words.choices.join(' '))}`));
  if (words.paths) lines.push(line(`at ${name}`, '-F'));
  if (rest) lines.push(line(`behind ${name}`, "-F -a '(__fish_complete_command)'"));
  return lines;
}

/** -x: needs a value, which is no file name. */
function valueOf({ choices, list, paths }: Values): string {
  if (paths) return '-r -F';
  if (choices.length === 0) return '-x';
  const all = choices.join(' ');
  return `-x -a ${quoted(list ? `(__local_telemetry_listed ${all})` : all)}`;
}

const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;
