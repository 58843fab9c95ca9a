/** The files of a spool directory: `<name>.jsonl.<state>`, and what stands beside them. */
import { closeSync, fsyncSync, openSync, readdirSync, statSync } from 'node:fs';
import { describe, systemCode } from '../../errors.ts';
import type { SpoolFile } from '../protocol.ts';
import { rawPath, textOf } from './names.ts';

/**
 * `live`: our clients write it; `active`: older ones do. `sealed` and `ready` are complete, ours and theirs
 * (an older client's own sync would take a `.ready` and drop its changes). `synced`: stored to its end.
 */
export type SpoolState = 'live' | 'active' | 'sealed' | 'ready' | 'synced';

export interface SpoolEntry extends SpoolFile {
  state: SpoolState;
  size: number;
  mtimeMs: number;
  ctimeMs: number;
  /** Its whole name as the directory has it. */
  raw: string;
  /** Moves with every change of the file, and nobody can set it. */
  ctimeNs: bigint;
}

/** Told of what bears the name of a spool file and is no file to read. */
export type OnUnusable = (fileName: string, why: string) => void;

const FILE_NAME = /^(.+)\.jsonl\.(live|active|sealed|ready|synced)$/s;

export const isSynced = (raw: string): boolean => raw.endsWith('.synced');

export const isSpoolName = (raw: string): boolean => FILE_NAME.test(raw);

export const keyOf = ({ name, inode }: SpoolFile): string => `${inode}/${name}`;

/** All names of a directory, raw. @throws the system's error where it cannot be read */
export const namesIn = (directory: string): string[] => readdirSync(directory, { encoding: 'latin1' });

/** @param raw the name of a spool file @returns undefined where there is no file to read */
export function entryOf(directory: string, raw: string, onUnusable: OnUnusable): SpoolEntry | undefined {
  try {
    const stat = statSync(rawPath(directory, raw), { bigint: true });
    if (stat.isFile()) {
      const [, name, state] = FILE_NAME.exec(raw) as unknown as [string, string, SpoolState];
      const { ino, size, mtimeMs, ctimeMs, ctimeNs } = stat;
      const numbers = { size: Number(size), mtimeMs: Number(mtimeMs), ctimeMs: Number(ctimeMs), ctimeNs };
      return { raw, name: textOf(name), state, inode: String(ino), ...numbers };
    }
    onUnusable(textOf(raw), 'it is not a file');
  } catch (error) {
    // Its client had it acknowledged and removed it, or renamed it.
    if (systemCode(error) !== 'ENOENT') onUnusable(textOf(raw), describe(error));
  }
  return undefined;
}

/** Makes names in a directory last; where a system cannot, they may be undone by a power cut, which is harmless here. */
export function syncDirectory(directory: string): void {
  try {
    const descriptor = openSync(directory, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // A rename that is undone is done again.
  }
}
