/** Completion for zsh. */
import { BUILT_IN, type Option, type Shape, type Values } from './shapes.ts';

export function zsh(shapes: readonly Shape[]): string {
  const commands = [...shapes.map(({ name, summary }) => `${name}:${summary}`), ...BUILT_IN.map((name) => `${name}:`)];
  return `#compdef local-telemetry
# A command of its own, with its own completion.
_local-telemetry-behind() {
  [[ $words[1] == -- ]] || return 1
  shift words
  ((CURRENT--))
  _normal
}

_local-telemetry() {
  # Not "commands": zsh has one of its own, which completes what stands behind --.
  local -a subcommands
  subcommands=(
${commands.map((line) => `    ${quoted(line)}`).join('\n')}
  )
  if ((CURRENT == 2)); then
    _describe -t subcommands command subcommands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
    help) _describe -t subcommands command subcommands ;;
${shapes.map(caseOf).join('\n')}
  esac
}

if [[ $funcstack[1] == _local-telemetry ]]; then
  _local-telemetry "$@"
else
  compdef _local-telemetry local-telemetry
fi
`;
}

function caseOf({ name, options, words, rest }: Shape): string {
  const takesWords = words.choices.length > 0 || words.paths;
  const specs = [
    ...options.map(specOf),
    ...(takesWords ? [`*:word:${actionOf(words)}`] : []),
    ...(rest ? ['*::command:_local-telemetry-behind'] : []),
  ];
  // Behind -- there are no options of ours.
  return [
    `    ${name})`,
    '      _arguments -S \\',
    `${specs.map((spec) => `        ${quoted(spec)}`).join(' \\\n')}`,
    '      ;;',
  ].join('\n');
}

function specOf({ name, description, values }: Option): string {
  const label = `[${description.replace(/[\\[\]]/g, '\\$&')}]`;
  return values === undefined ? `--${name}${label}` : `--${name}=${label}:${name}:${actionOf(values)}`;
}

function actionOf({ choices, list, paths }: Values): string {
  if (choices.length === 0) return paths ? '_files' : ' ';
  const all = choices.join(' ');
  // The blank in front: called as it stands here.
  return list ? ` _values -s , value ${all}` : `(${all})`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
