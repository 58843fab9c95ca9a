/** Text of users as it is shown. Pure. */

/**
 * The beginning of a text, which is whole text itself: no character is cut in half, and none comes as a half.
 *
 * @param length in UTF-16 units, as everywhere
 * @param ending stands behind what was cut
 */
export function cut(text: string, length: number, ending = ''): string {
  if (text.length <= length) return text.toWellFormed();
  const end = isHigh(text.charCodeAt(length - 1)) ? length - 1 : length;
  return text.slice(0, end).toWellFormed() + ending;
}

/** An event_id as a list of errors names it. */
export const labelOf = (eventId: string): string => cut(eventId, 200);

/** The first half of a character that takes two units. */
const isHigh = (unit: number): boolean => (unit & 0xfc00) === 0xd800;
