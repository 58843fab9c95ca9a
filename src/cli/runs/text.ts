/** Text from records as a terminal may be shown it: nothing in it commands the terminal, and its width is known. Pure. */

const BREAKS = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;
// Escape sequences begin with one of the first two; the others turn the direction of what follows. Lone halves are no text.
const COMMANDS = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g;

/** One line; control characters are replaced. */
export const visible = (text: string): string => text.replace(BREAKS, ' ').replace(COMMANDS, '\uFFFD').toWellFormed();

const WITHOUT_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
const WIDE =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}])$/u;

function columnsOf(character: string): number {
  if (character < '\u0300') return 1;
  if (WITHOUT_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** How many columns a terminal gives the text; a guess for what is rare. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += columnsOf(character);
  return width;
}

/** At most so many columns of the text, the last of them `…` where there is more. */
export function cut(text: string, columns: number): string {
  // Shorter in code units is shorter in columns, or at most twice as long.
  if (text.length * 2 <= columns || widthOf(text) <= columns) return text;
  let width = 0;
  let kept = '';
  for (const character of text) {
    width += columnsOf(character);
    if (width > columns - 1) break;
    kept += character;
  }
  return columns < 1 ? '' : `${kept}…`;
}

export const padded = (text: string, columns: number): string =>
  text + ' '.repeat(Math.max(0, columns - widthOf(text)));
