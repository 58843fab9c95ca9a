/** JSON as some writers write it, brought to what JSON is: words for numbers that are none, and halves of characters. Pure. */
import { isEscaped, stringEnd } from './json-bounds.ts';

export interface MendedText {
  text: string;
  /** How many values were mended. */
  values: number;
}

/** As Python and others write what JSON has no number for. */
const WORDS = /NaN|-?Infinity/g;
/** As JSON.stringify writes a surrogate that is alone; a pair it writes as it is. */
const HALVES = /\\ud[89a-f][\da-f]{2}/g;

/** NaN, Infinity and -Infinity as null, outside strings; undefined where there are none. */
export function withoutWords(text: string): MendedText | undefined {
  const parts: string[] = [];
  let copied = 0;
  let string = text.indexOf('"');
  WORDS.lastIndex = 0;
  for (let word = WORDS.exec(text); word;) {
    if (string === -1 || string > word.index) {
      parts.push(text.slice(copied, word.index), 'null');
      copied = WORDS.lastIndex;
      word = WORDS.exec(text);
      continue;
    }
    const end = stringEnd(text, string);
    string = text.indexOf('"', end);
    if (end < word.index) continue;
    // What stands in a string is its business.
    WORDS.lastIndex = end;
    word = WORDS.exec(text);
  }
  if (parts.length === 0) return undefined;
  parts.push(text.slice(copied));
  return { text: parts.join(''), values: parts.length >> 1 };
}

/**
 * Halves of characters as U+FFFD, in names and values; undefined where there are none.
 *
 * @param json as JSON.stringify wrote it
 */
export function withoutHalves(json: string): MendedText | undefined {
  if (!json.includes(String.raw`\ud`)) return undefined;
  let values = 0;
  const text = json.replaceAll(HALVES, (found, at: number) => {
    if (isEscaped(json, at)) return found;
    values++;
    return '\uFFFD';
  });
  return values === 0 ? undefined : { text, values };
}
