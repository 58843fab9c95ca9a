/**
 * Names of spool files. On disk a name is bytes: it is read as one character a byte, "raw". In the database, in logs and in
 * memory it is text; two names never become one text.
 */
import { isUtf8 } from 'node:buffer';
import { join } from 'node:path';
import type { SpoolState } from './files.ts';

/** Before a name that is no UTF-8: no file name has it. Behind it `%` and two digits stand for a byte that is no plain character. */
const MARK = '/';

const PLAIN = /^[\x20-\x7e]*$/;

/** A raw name, or the part of one that stands before `.jsonl`, as text. */
export function textOf(raw: string): string {
  if (PLAIN.test(raw)) return raw;
  const bytes = Buffer.from(raw, 'latin1');
  return isUtf8(bytes) ? bytes.toString() : MARK + raw.replace(/[^\x20-\x24\x26-\x7e]/g, escaped);
}

const escaped = (byte: string): string => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`;

/** The bytes that a text stands for. */
function bytesOf(text: string): Buffer {
  if (!text.startsWith(MARK)) return Buffer.from(text);
  const raw = text
    .slice(MARK.length)
    .replace(/%([0-9a-f]{2})/g, (_all, digits: string) => String.fromCharCode(parseInt(digits, 16)));
  return Buffer.from(raw, 'latin1');
}

/** Where a spool file is, or what stands beside it; as bytes where text cannot say it. */
export function pathOf(directory: string, name: string, suffix: SpoolState | 'rejected'): string | Buffer {
  const ending = `.jsonl.${suffix}`;
  if (!name.startsWith(MARK)) return join(directory, name + ending);
  return Buffer.concat([Buffer.from(join(directory, '/')), bytesOf(name), Buffer.from(ending)]);
}

/** Where the file of a raw name is. */
export function rawPath(directory: string, raw: string): string | Buffer {
  if (PLAIN.test(raw)) return join(directory, raw);
  return Buffer.concat([Buffer.from(join(directory, '/')), Buffer.from(raw, 'latin1')]);
}
