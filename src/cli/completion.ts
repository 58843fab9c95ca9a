/** `completion`: a script for the shell, made from the table of commands. */
import { command } from './command.ts';
import { bash } from './completion/bash.ts';
import { fish } from './completion/fish.ts';
import { type Shape, shapeOf } from './completion/shapes.ts';
import { zsh } from './completion/zsh.ts';
import { EXIT, UsageError } from './exit.ts';
import type { Terminal } from './terminal.ts';

const SHELLS: Readonly<Record<string, (shapes: readonly Shape[]) => string>> = { bash, zsh, fish };
const NAMES = Object.keys(SHELLS);

export default command({
  name: 'completion',
  summary: 'Print a script that completes command lines in your shell',
  details:
    'The script completes commands, options, their choices, also in lists such as a,b, and file names. It is printed, and nothing is installed.',
  args: {
    shell: { type: 'positional', valueHint: NAMES.join('|'), description: 'The shell' },
  },
  examples: [
    [
      'completion bash > ~/.local/share/bash-completion/completions/local-telemetry',
      'for bash, from the next shell on; before it: mkdir -p ~/.local/share/bash-completion/completions',
    ],
    ['completion zsh > "${fpath[1]}/_local-telemetry"', 'for zsh'],
    [
      'completion fish > ~/.config/fish/completions/local-telemetry.fish',
      'for fish; before it: mkdir -p ~/.config/fish/completions',
    ],
  ],
  run: complete,
});

async function complete(args: Readonly<Record<string, unknown>>, terminal: Terminal): Promise<number> {
  const shell = String(args.shell);
  const script = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
  if (!script) throw new UsageError(`The shell must be one of ${NAMES.join(', ')}, not "${shell}"`);
  // Only here, for the table names this command as well.
  const { COMMANDS } = await import('./commands.ts');
  const loaded = await Promise.all(Object.values(COMMANDS).map(async (load) => (await load()).default));
  await terminal.write(script(loaded.map(shapeOf)));
  return EXIT.done;
}
