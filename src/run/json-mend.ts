/** JSON as some writers write it, brought to what JSON is: words for numbers that are none, and halves of characters. Pure. */
import { stringEnd } from './json-bounds.ts';

export interface MendedText {
  text: string;
  /** How many values were mended. */
  values: number;
}

/** As Python and others write what JSON has no number for. */
const WORDS = /NaN|-?Infinity/g;

/** NaN, Infinity and -Infinity as null, outside strings; undefined where there are none. */
export function withoutWords(text: string): MendedText | undefined {
  const parts: string[] = [];
  let values = 0;
  let copied = 0;
  let string = text.indexOf('"');
  WORDS.lastIndex = 0;
  for (let word = WORDS.exec(text); word; word = WORDS.exec(text)) {
    let end = 0;
    while (string !== -1 && string < word.index && end <= word.index) {
      end = stringEnd(text, string);
      string = text.indexOf('"', end);
    }
    WORDS.lastIndex = end;
    // What stands in a string is its business.
    if (end > word.index) continue;
    // All up to the next string at once: there may be hundreds of thousands.
    const to = string === -1 ? text.length : string;
    const without = nulls(text.slice(word.index, to));
    parts.push(text.slice(copied, word.index), without.text);
    values += without.values;
    copied = WORDS.lastIndex = to;
  }
  if (values === 0) return undefined;
  return { text: parts.join('') + text.slice(copied), values };
}

/** Each word that is found makes the text longer or shorter by as much. */
function nulls(text: string): MendedText {
  let [values, rest] = [0, text];
  for (const word of ['NaN', '-Infinity', 'Infinity']) {
    const without = rest.replaceAll(word, 'null');
    values += (without.length - rest.length) / ('null'.length - word.length);
    rest = without;
  }
  return { text: rest, values };
}

/**
 * Makes text within a value whole: half a character becomes U+FFFD, in names too. Of two names that become one by that, the last
 * one's value stays.
 *
 * @param value nests no deeper than the stack allows
 * @returns a copy, and how many texts were mended in it
 */
export function withoutHalves(value: unknown): { value: unknown; texts: number } {
  let texts = 0;
  const whole = (text: string): string => {
    if (text.isWellFormed()) return text;
    texts++;
    return text.toWellFormed();
  };
  const mend = (given: unknown): unknown => {
    if (typeof given === 'string') return whole(given);
    if (typeof given !== 'object' || given === null || Object.isFrozen(given)) return given;
    if (Array.isArray(given)) return given.map(mend);
    // Not by assignment: that would take __proto__ for the prototype.
    return Object.fromEntries(Object.entries(given).map(([name, child]) => [whole(name), mend(child)]));
  };
  return { value: mend(value), texts };
}
