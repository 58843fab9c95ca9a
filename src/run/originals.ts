/** Values that cannot be stored as they came: what is stored in their place, and what is kept beside the run. Pure. */
import type { Field } from '../run.ts';
import { digitsOf } from './json.ts';
import { type Kind, KINDS, NO_SOURCE, type SqlValue } from './kinds.ts';
import type { Mend, Mended } from './mended.ts';

/** By field: why its value could not be stored as it came, and what came. */
export type Originals = Map<string, Original>;

export interface Original {
  /** Such as `over 2048 bytes, cut`. */
  why: string;
  was: string | number | boolean;
}

/** Why text was brought within its bound. */
export const overBound = (kind: Field['kind'], max: number): string =>
  `over ${max} bytes, ${isId(kind) ? 'shortened' : 'cut'}`;

const isId = (kind: Field['kind']): boolean => kind === 'id' || kind === 'reference';

/**
 * What is stored of a value that is null in the form in which it would be stored, or may be over its bound.
 *
 * @param value the stored form so far, whole
 */
export function mend(
  { name, kind, max }: Field,
  given: unknown,
  value: SqlValue,
  originals?: Originals,
  mended?: Mended,
): SqlValue {
  const note = (reason: Mend, why: string, was: Original['was']): void => {
    originals?.set(name, { why, was });
    mended?.note(reason);
  };
  if (typeof value !== 'string') {
    note('commit_source', NO_SOURCE, plain(given));
    return null;
  }
  const { shorten }: Kind = KINDS[kind];
  if (max === undefined || !shorten) return value;
  const within = shorten(value, max);
  if (within !== value) note(isId(kind) ? 'long_id' : 'long_text', overBound(kind, max), value);
  return within;
}

/** As JSON can say it, and a text can hold it. */
function plain(given: unknown): Original['was'] {
  if (typeof given === 'string') return KINDS.text.store(given);
  if (typeof given === 'number' || typeof given === 'boolean') return given;
  return digitsOf(given) ?? (Array.isArray(given) ? 'an array' : 'an object');
}
