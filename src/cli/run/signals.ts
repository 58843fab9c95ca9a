/** Signals that end a command, or mean something to it, handed on to it; we end after it. */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isatty } from 'node:tty';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
/** What a terminal sends, and then to every process in its foreground: the command has it already. */
const OF_KEYS: readonly string[] = ['SIGINT', 'SIGQUIT'];

/**
 * From now on none of them ends this process, so that the command's exit code always comes back. Nor does SIGUSR1 open
 * Node's debugger, which our listener takes the place of.
 *
 * @returns what is to be called with the command, in the same turn
 */
export function catchSignals(): (child: ChildProcess) => void {
  let child: ChildProcess | undefined;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (!OF_KEYS.includes(signal) || !inForeground()) child?.kill(signal);
    });
  }
  return (started) => {
    child = started;
  };
}

/** Whether the keys of a terminal reach this process, and with it the command. */
function inForeground(): boolean {
  try {
    // Behind the name, which may hold anything: state, parent, group, session, terminal, its foreground group.
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[2] === fields[5];
  } catch {
    // Not Linux.
    return [0, 1, 2].some((descriptor) => isatty(descriptor));
  }
}
