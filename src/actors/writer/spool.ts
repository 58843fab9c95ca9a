/** The spool's commands: lines of a file together with how far it has been read. */
import { TelemetryError } from '../../errors.ts';
import { parseBody } from '../body.ts';
import type { MergeArgs, Merged, SpoolFile } from '../protocol.ts';
import type { Workplace } from './workplace.ts';
import { storeItems } from './items.ts';

const NEWLINE = 0x0a;

/**
 * Merges the lines where they follow on what is stored of the file; if not, nothing is done: a batch
 * that comes again after an unknown outcome has moved the position already.
 *
 * @throws TelemetryError where a line cannot be stored: then none is, and the sender finds out which
 */
export function merge(
  body: Uint8Array,
  { expected, to, digest, maxRunBytes, ...file }: MergeArgs,
  at: Workplace,
): Merged {
  const position = at.positions.of(file);
  if (position !== expected) return { applied: false, position, inserted: 0, duplicates: 0, merged: 0 };
  const { errors, ...tally } = storeItems(itemsOf(body, at), { merge: true, onInvalid: 'repair', maxRunBytes }, at);
  if (errors[0] !== undefined) throw new TelemetryError('invalid', errors[0]);
  at.positions.set(file, { position: to, digest }, at.now);
  return { applied: true, position: to, ...tally };
}

function* itemsOf(body: Uint8Array, { mended }: Workplace): Generator<unknown> {
  for (let at = 0; at < body.length;) {
    const newline = body.indexOf(NEWLINE, at);
    const end = newline === -1 ? body.length : newline;
    yield parseBody(body.subarray(at, end), 'line', mended);
    at = end + 1;
  }
}

export function forget(files: readonly SpoolFile[], at: Workplace): { forgotten: number } {
  let forgotten = 0;
  for (const file of files) if (at.positions.remove(file)) forgotten++;
  return { forgotten };
}
