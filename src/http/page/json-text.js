/** JSON for the eye. */

const TOKENS = /"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g;
/** Deeper than this nobody reads, and the blanks before a line grow with it. */
const MAX_INDENT = 40;

/** An example as text; one that is text already is not JSON. */
export const textOf = (value) => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));

/**
 * Indents JSON without reading its values: parsed and written again, a long integer would be another number.
 * What is no JSON stays as it is.
 */
export function indented(text) {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  let depth = 0;
  let last = '';
  const line = () => `\n${'  '.repeat(Math.min(depth, MAX_INDENT))}`;
  const spaced = (token) => {
    const empty = last === '{' || last === '[';
    last = token;
    if (token === '}' || token === ']') {
      depth--;
      return empty ? token : line() + token;
    }
    const lead = empty ? line() : '';
    if (token === '{' || token === '[') depth++;
    if (token === ',') return token + line();
    return token === ':' ? ': ' : lead + token;
  };
  return (text.match(TOKENS) ?? []).map(spaced).join('');
}
