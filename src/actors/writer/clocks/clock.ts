/** When a field was said, and how that is written down. Pure. */
import type { SqlValue } from '../../../run.ts';

/** When a record spoke: how final its status is, its own time, then its content's digest; compared in that order. */
export type Clock = readonly [rank: number, time: string, digest: string];

/** The clocks of a changed run: `base` is its creation's, for the fields not named in `fields`. */
export interface Clocks {
  base: Clock;
  fields: Map<string, Clock>;
  /** What came with a `cancelled`, by field. Undefined in what a release before this wrote: there it is among the others. */
  cancelled?: Map<string, Cancelled>;
}

/** What came with a `cancelled` of one field, and whether the row shows it. */
export interface Cancelled {
  clock: Clock;
  shown: boolean;
  /** The value that the row does not show: this one or, where this is shown, the field's own; null where that has none. */
  hidden: SqlValue;
}

export function compareClocks(a: Clock, b: Clock): number {
  if (a[0] !== b[0]) return a[0] - b[0];
  if (a[1] !== b[1]) return a[1] < b[1] ? -1 : 1;
  if (a[2] === b[2]) return 0;
  return a[2] < b[2] ? -1 : 1;
}

// A command's place among clocks of the same rank and time: behind every digest (hex sorts below '~').
export const command = (count: number): string => `~${String(count).padStart(12, '0')}`;
export const isCommand = (clock: Clock): boolean => clock[2].startsWith('~');

/** The command's clock, lifted just behind `held` where it is not. Each field has its own: they compare with nothing else. */
export function behind(held: Clock | undefined, own: Clock): Clock {
  if (!held || compareClocks(own, held) > 0) return own;
  const count = isCommand(held) ? Number(held[2].slice(1)) + 1 : 0;
  return [held[0], own[1] > held[1] ? own[1] : held[1], command(count)];
}

export function laterOf(a: Clock | undefined, b: Clock | undefined): Clock | undefined {
  return a && b ? (compareClocks(a, b) < 0 ? b : a) : (a ?? b);
}

/** A clock's place among those in use, and the value that the row does not show. */
type Placed = [place: number, value?: SqlValue];

interface Written {
  c: Clock[];
  /** As a release before this wrote it. */
  f?: Record<string, number>;
  m?: Record<string, number>;
  /** What came with a `cancelled` and is shown, with the field's own value; what is not shown. */
  o?: Record<string, Placed>;
  h?: Record<string, Placed>;
}

/** `{"c":[clock, …],"m":{"status":1}}`: the clocks in use, the base first, and each field's by its place. */
export function serialiseClocks({ base, fields, cancelled }: Clocks): string {
  const list: Clock[] = [base];
  const places = new Map([[base.join(), 0]]);
  const placeOf = (clock: Clock): number => {
    const key = clock.join();
    const place = places.get(key) ?? list.push(clock) - 1;
    places.set(key, place);
    return place;
  };
  const main: Record<string, number> = {};
  for (const [field, clock] of fields) main[field] = placeOf(clock);
  const written: Written = cancelled ? { c: list, m: main } : { c: list, f: main };
  for (const [field, { clock, shown, hidden }] of cancelled ?? []) {
    const into = shown ? (written.o ??= {}) : (written.h ??= {});
    into[field] = hidden === null ? [placeOf(clock)] : [placeOf(clock), hidden];
  }
  return JSON.stringify(written);
}

export function parseClocks(text: string): Clocks {
  const { c, f, m, o = {}, h = {} } = JSON.parse(text) as Written;
  const clockAt = (place: number): Clock => c[place] as Clock;
  const fields = new Map(Object.entries(m ?? f ?? {}).map(([field, place]) => [field, clockAt(place)]));
  if (!m) return { base: clockAt(0), fields };
  const cancelled = new Map<string, Cancelled>();
  for (const [shown, placed] of [
    [true, o],
    [false, h],
  ] as const) {
    for (const [field, [place, hidden = null]] of Object.entries(placed)) {
      cancelled.set(field, { clock: clockAt(place), shown, hidden });
    }
  }
  return { base: clockAt(0), fields, cancelled };
}
