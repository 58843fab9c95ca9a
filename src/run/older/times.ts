/** The times of a run from an older database: read each for itself, and where one is missing from the others. Pure. */
import { readTime } from '../times.ts';
import { type Given, type Note, utf8Of } from './values.ts';

export const EPOCH = '1970-01-01T00:00:00.000000+00:00';

/** A time in canonical form; undefined where the value is none. An empty text was never given, and is not noted. */
export function timeOf(value: Given, note: Note): string | undefined {
  if (value === '') return undefined;
  const given = value instanceof Uint8Array ? utf8Of(value) : value;
  const read = given === undefined ? undefined : readTime(given, note);
  if (read === undefined) note('not a time');
  return read;
}

/** As far as they are known, in canonical form. */
export interface Times {
  created: string | undefined;
  updated: string | undefined;
  start: string | undefined;
  end: string | undefined;
}

/** Every time a row must have: what is missing is taken from what is nearest to it. */
export function completeTimes({ created, updated, start, end }: Times): Record<keyof Omit<Times, 'end'>, string> {
  const createdAt = created ?? start ?? updated ?? end ?? EPOCH;
  return {
    created: createdAt,
    start: start ?? created ?? updated ?? end ?? EPOCH,
    updated: updated ?? end ?? createdAt,
  };
}
