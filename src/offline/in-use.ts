/** A file that a service has open must not be copied byte by byte, nor read for minutes; and none starts meanwhile. */
import { existsSync } from 'node:fs';
import { ProcessLock } from '../actors/writer/lock.ts';
import { realPath } from '../actors/writer/real-path.ts';
import { systemCode, TelemetryError } from '../errors.ts';

/**
 * Holds the lock of a database file while it is read, where it has a lock file; none is made.
 *
 * @throws TelemetryError "refused" where a service has it
 */
export function holdIfLocked(file: string): Disposable {
  const real = realPath(file);
  const nothing = { [Symbol.dispose]: () => undefined };
  if (!existsSync(`${real}.lock`)) return nothing;
  try {
    const lock = new ProcessLock(real, undefined);
    return { [Symbol.dispose]: () => lock.release() };
  } catch (error) {
    // A lock file that cannot even be written is nobody's.
    if (!(error instanceof TelemetryError) || error.cause !== undefined) return nothing;
    const why = `${file} is in use by a service. Copy it first: local-telemetry backup --db ${file}`;
    throw new TelemetryError('refused', why, { cause: error });
  }
}

/**
 * Holds the lock of a database while it is read for long: a service that starts meanwhile says at once who has it, and does
 * not wait for the end. Where the lock cannot be written, no service can start either.
 *
 * @throws TelemetryError "refused", naming the holder
 */
export function holdToRead(database: { path: string; lockFile: string | undefined }): Disposable {
  try {
    const lock = new ProcessLock(database.path, database.lockFile);
    return { [Symbol.dispose]: () => lock.release() };
  } catch (error) {
    if (error instanceof TelemetryError && error.cause === undefined) throw error;
    return { [Symbol.dispose]: () => undefined };
  }
}

/** Whether a process of this machine runs; another user's does too. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}
