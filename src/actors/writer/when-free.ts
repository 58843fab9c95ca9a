/** Statements that need the file for themselves, while another program may hold it. */
import type { Connection } from '../database.ts';
import { isBusy } from '../faults.ts';

/**
 * Tries while a foreign lock is held, in short waits: between two of them the thread can be stopped. A COMMIT that is refused
 * leaves the transaction open, so it can be tried again.
 *
 * @throws the database's errors, the last one where the time is up
 */
export function whenFree(db: Connection, statement: 'BEGIN IMMEDIATE' | 'COMMIT', timeoutMs: number): void {
  const open = db.inTransaction;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return void db.exec(statement);
    } catch (error) {
      if (!isBusy(error) || db.inTransaction !== open || performance.now() > deadline) throw error;
    }
  }
}
