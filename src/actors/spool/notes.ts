/** Log lines of the spool's thread, which travel to the main thread in its answers. */
import type { LogFields } from '../../log.ts';
import type { Note } from '../protocol.ts';

/** Complaints remembered; beyond, the oldest may be said again. */
const MAX_SAID = 10_000;

export class Notes {
  #notes: Note[] = [];
  readonly #said = new Map<string, Set<string>>();

  info(message: string, fields: LogFields = {}): void {
    this.#notes.push({ level: 'info', message, fields });
  }

  warning(message: string, fields: LogFields = {}): void {
    this.#notes.push({ level: 'warning', message, fields });
  }

  error(message: string, fields: LogFields = {}): void {
    this.#notes.push({ level: 'error', message, fields });
  }

  /** Whether this cause is new for a file (or the directory): it is complained of once, not at every look. */
  isNew(subject: string, cause: string): boolean {
    const causes = this.#said.get(subject) ?? new Set();
    if (causes.has(cause)) return false;
    const oldest = this.#said.keys().next().value;
    if (this.#said.size >= MAX_SAID && oldest !== undefined) this.#said.delete(oldest);
    this.#said.set(subject, causes.add(cause));
    return true;
  }

  /** All is well again with a file: what comes later is new. */
  isWell(subject: string): void {
    this.#said.delete(subject);
  }

  take(): Note[] {
    return this.#notes.splice(0);
  }
}
