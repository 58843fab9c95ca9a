/** Copies on what a command's background programs say on stderr, when we are gone. */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

const STDERR = 2;
/** Waits for the end of descriptor 3, for until then we write ourselves. */
const SCRIPT = 'read -r go <&3; exec 3<&-; exec cat';

/**
 * Starts a process that copies a pipe to our stderr until the pipe's end. It has a copy of the pipe: whoever calls
 * lets go of theirs in the same turn.
 *
 * @returns what lets it begin; our end does so too. Undefined where it cannot be started
 */
export function copyOn(pipe: Readable): (() => void) | undefined {
  try {
    // In a session of its own, for it ends with who writes, not with a key of the terminal; and in no folder of anyone's.
    const stdio = [pipe, STDERR, 'ignore', 'pipe'] as const;
    const copier = spawn('sh', ['-c', SCRIPT], { cwd: '/', detached: true, stdio: [...stdio] });
    copier.on('error', () => undefined);
    copier.unref();
    const gate = copier.stdio[3];
    return () => gate?.destroy();
  } catch {
    // The system has no memory for it, say; and a missing shell is an event.
    return undefined;
  }
}
