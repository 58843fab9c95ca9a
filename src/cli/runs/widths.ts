/** How wide each column of a table may be, so that a line fits into the terminal. Pure. */
import type { Column } from './columns.ts';

export interface Place {
  column: Column;
  width: number;
  /** Its cells do not fit, and are cut. */
  cut: boolean;
}

/** Of a column that gives way more than it should have to. */
const TINY = 5;

/**
 * Where all columns do not fit, those that may go do, the first of them first; then those that may be cut are, the widest
 * first. What is still too much is left to be cut at the end of the line.
 *
 * @param natural what each column would take
 * @param gap columns of the terminal between two of them
 */
export function fitted(
  columns: readonly Column[],
  natural: readonly number[],
  available: number,
  gap: number,
): Place[] {
  const all = columns.map((column, index): Place => ({ column, width: natural[index] ?? 0, cut: false }));
  const room = (places: readonly Place[]): number => available - gap * (places.length - 1);
  const least = (place: Place): number => Math.min(place.width, place.column.least ?? place.width);
  const going = all
    .filter(({ column }) => column.goes !== undefined)
    .sort((a, b) => (a.column.goes ?? 0) - (b.column.goes ?? 0));
  let places = all;
  for (const next of going) {
    if (sum(places.map(least)) <= room(places)) break;
    places = places.filter((place) => place !== next);
  }
  shrink(places, room(places), least);
  shrink(places, room(places), (place) =>
    place.column.least === undefined ? place.width : Math.min(place.width, TINY),
  );
  return places;
}

/** Takes from the widest, a column of the terminal at a time, until all fit or none has more than its least. */
function shrink(places: readonly Place[], room: number, least: (place: Place) => number): void {
  const bounds = new Map(places.map((place) => [place, least(place)]));
  for (let excess = sum(places.map(({ width }) => width)) - room; excess > 0; excess--) {
    const [widest] = places.filter((place) => place.width > (bounds.get(place) ?? 0)).sort((a, b) => b.width - a.width);
    if (!widest) return;
    widest.width--;
    widest.cut = true;
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
