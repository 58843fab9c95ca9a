/** Completion for bash, from 3.2 on. */
import { BUILT_IN, type Shape, type Values } from './shapes.ts';

export function bash(shapes: readonly Shape[]): string {
  const names = [...shapes.map(({ name }) => name), ...BUILT_IN].join(' ');
  return `# bash completion for local-telemetry
_local_telemetry_found() {
  local found
  while IFS= read -r found; do COMPREPLY+=("$found"); done < <(compgen "$@" -- "$current")
}

# What stands before the last comma stays; what stands there already is not offered again.
_local_telemetry_listed() {
  local before="" word
  compopt -o nospace 2>/dev/null
  if [[ "$current" == *,* ]]; then before="\${current%,*},"; fi
  for word in "$@"; do
    if [[ "$before$word" == "$current"* && ",$before" != *",$word,"* ]]; then COMPREPLY+=("$before$word"); fi
  done
}

_local_telemetry_paths() {
  compopt -o filenames 2>/dev/null
  _local_telemetry_found -f
}

_local_telemetry() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}" command="\${COMP_WORDS[1]}"
  local index
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _local_telemetry_found -W "${names}"
    return
  fi
  for ((index = 2; index < COMP_CWORD; index++)); do
    [[ "\${COMP_WORDS[index]}" == -- ]] || continue
    case "$command" in
      ${shapes
        .filter(({ rest }) => rest)
        .map(({ name }) => name)
        .join('|')}) if ((COMP_CWORD == index + 1)); then _local_telemetry_found -c; else _local_telemetry_paths; fi ;;
    esac
    return
  done
  # bash takes --option=value for three words.
  if [[ "$current" == = ]]; then
    current=""
  elif [[ "$previous" == = ]]; then
    previous="\${COMP_WORDS[COMP_CWORD - 2]}"
  fi
  case "$command" in
    help) _local_telemetry_found -W "${shapes.map(({ name }) => name).join(' ')}" ;;
${shapes.map(caseOf).join('\n')}
  esac
}

complete -F _local_telemetry local-telemetry
`;
}

function caseOf({ name, options, words }: Shape): string {
  const valued = options.filter(({ values }) => values !== undefined);
  const previous = valued.map((option) => `        --${option.name}) ${offer(option.values)}return ;;`);
  const all = options.map((option) => `--${option.name}`).join(' ');
  const bare = words.choices.length > 0 || words.paths ? offer(words) : `_local_telemetry_found -W "${all}"; `;
  return [
    `    ${name})`,
    ...(previous.length > 0 ? ['      case "$previous" in', ...previous, '      esac'] : []),
    `      if [[ "$current" == -* ]]; then _local_telemetry_found -W "${all}"; else ${bare}fi ;;`,
  ].join('\n');
}

function offer(values: Values | undefined): string {
  const all = values?.choices.join(' ');
  const choices = all && (values?.list ? `_local_telemetry_listed ${all}; ` : `_local_telemetry_found -W "${all}"; `);
  return `${choices ?? ''}${values?.paths ? '_local_telemetry_paths; ' : ''}`;
}
