/** Numbers that come as text. Pure. */
const DIGITS = /^[+-]?\d{1,30}$/;
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,5})?$/i;
const COUNT = /^\s*\+?(\d{1,16})(?:\.0*)?\s*$/;
/** Longer text than this is no number that anyone has written. */
const MAX_NUMERAL = 400;

/** The number that a text spells; undefined where it spells none. */
export function numberIn(text: string): bigint | number | undefined {
  const numeral = text.slice(0, MAX_NUMERAL + 1).trim();
  if (DIGITS.test(numeral)) return BigInt(numeral.replace(/^\+/, ''));
  return numeral.length <= MAX_NUMERAL && DECIMAL.test(numeral) ? Number(numeral) : undefined;
}

/** The count that a text spells by its digits, with a point behind them or not: `5`, ` 5 `, `+5`, `5.0`; undefined for any other. */
export function countIn(text: string): number | undefined {
  const count = text.length > MAX_NUMERAL ? NaN : Number(COUNT.exec(text)?.[1] ?? NaN);
  return count <= Number.MAX_SAFE_INTEGER ? count : undefined;
}
