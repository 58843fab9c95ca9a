/** How far each spool file has been read, and the digest of what was read, on the writer's connection. */
import type { Statement } from 'better-sqlite3';
import type { Connection } from '../database.ts';
import type { SpoolFile } from '../protocol.ts';

export class Positions {
  readonly #find: Statement;
  readonly #set: Statement;
  readonly #remove: Statement;

  constructor(db: Connection) {
    this.#find = db.prepare('SELECT position FROM spool_files WHERE name = ? AND inode = ?').pluck();
    this.#set = db.prepare(
      `INSERT INTO spool_files (name, inode, position, digest, updated_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (name, inode) DO UPDATE
       SET position = excluded.position, digest = excluded.digest, updated_at = excluded.updated_at`,
    );
    this.#remove = db.prepare('DELETE FROM spool_files WHERE name = ? AND inode = ?');
  }

  /** In bytes; 0 where nothing is stored. */
  of({ name, inode }: SpoolFile): number {
    return (this.#find.get(name, inode) as number | undefined) ?? 0;
  }

  set({ name, inode }: SpoolFile, { position, digest }: { position: number; digest: string }, now: string): void {
    this.#set.run(name, inode, position, digest, now);
  }

  /** @returns whether there was one */
  remove({ name, inode }: SpoolFile): boolean {
    return this.#remove.run(name, inode).changes > 0;
  }
}
