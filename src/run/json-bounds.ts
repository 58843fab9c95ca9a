/** How much one JSON text may hold: what takes two bytes to send may take a hundred to keep, and a microsecond to read. Pure. */

const BOUNDS = {
  'objects and arrays': 1_000_000,
  names: 1_000_000,
  values: 2_000_000,
  'numbers beyond a double': 50_000,
} as const;
export type Bounded = keyof typeof BOUNDS;

/** Characters of a text that cannot come near the bounds in time or memory, and are not counted. */
const UNCOUNTED = 1_000_000;

/** The text holds more than is taken. To whoever asks only whether a text is JSON, it is none. */
export class TooMuchJson extends SyntaxError {
  /** What there is too much of, such as "1000000 names". */
  readonly what: string;

  constructor(what: string) {
    super(`more than ${what}`);
    this.what = what;
  }
}

export type Amounts = Record<Bounded, number>;

/** What holds less than this of everything is within every bound. */
export const LEAST_BOUND = Math.min(...Object.values(BOUNDS));

const overIn = (amounts: Partial<Amounts>): Bounded | undefined =>
  (Object.keys(amounts) as Bounded[]).find((what) => (amounts[what] as number) > BOUNDS[what]);

export const isWithin = (amounts: Amounts): boolean => overIn(amounts) === undefined;

/** @throws TooMuchJson */
export function requireWithin(amounts: Partial<Amounts>): void {
  const over = overIn(amounts);
  if (over !== undefined) throw new TooMuchJson(`${BOUNDS[over]} ${over}`);
}

/** Looks at a long text before it is parsed, but for its numbers. @throws TooMuchJson */
export function requireBounded(text: string): void {
  if (text.length > UNCOUNTED) requireWithin(structureIn(text, 0, text.length));
}

/** What is in a part of a text, whether it is JSON or not. */
export function amountsIn(text: string, from: number, to: number): Amounts {
  return { ...structureIn(text, from, to), 'numbers beyond a double': eachLossy(text, from, to) };
}

function structureIn(text: string, from: number, to: number): Omit<Amounts, 'numbers beyond a double'> {
  let [containers, names, commas] = [0, 0, 0];
  for (let at = from; at < to; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = stringEnd(text, at) - 1;
        break;
      case BRACKET:
      case BRACE:
        containers++;
        break;
      case COLON:
        names++;
        break;
      case COMMA:
        commas++;
    }
  }
  // The first of each needs no comma.
  return { 'objects and arrays': containers, names, values: commas + 1 };
}

/** Numbers outside strings that a double would change. @returns how many there are */
export function eachLossy(text: string, from: number, to: number, take?: (at: number, number: string) => void): number {
  let count = 0;
  for (let at = from; at < to;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = stringEnd(text, at);
    } else if (isDigit(code) || code === MINUS) {
      NUMBER.lastIndex = at;
      const number = NUMBER.exec(text)?.[0];
      if (number !== undefined && isLossy(number)) {
        count++;
        take?.(at, number);
      }
      at += number?.length ?? 1;
    } else at++;
  }
  return count;
}

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

function isLossy(digits: string): boolean {
  const value = Number(digits);
  return Number.isInteger(value) ? !Number.isSafeInteger(value) : !Number.isFinite(value);
}

const MINUS = 0x2d;
export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const BRACKET = 0x5b;
export const BRACE = 0x7b;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** The place behind the string that begins at `start`; the text's end where it has none. */
export function stringEnd(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    at = text.indexOf('"', at);
    if (at === -1) return text.length;
    // A backslash is walked over for one quote only: the one right behind it.
    let before = at - 1;
    while (text.charCodeAt(before) === BACKSLASH) before--;
    if ((at - before) % 2 === 1) return at + 1;
  }
}
