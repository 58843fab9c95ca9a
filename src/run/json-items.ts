/**
 * The items of a batch that is no JSON as a whole, told apart by strings and brackets alone: one bad item must not cost the others.
 * Pure; goes through the text once, whatever it holds.
 */
import { BRACE, BRACKET, COMMA, QUOTE, stringEnd } from './json-bounds.ts';

/** A part of a text, from one place to before another. */
type Span = readonly [from: number, to: number];

export interface Items {
  /** One an item, the first `max` of them. */
  spans: Span[];
  count: number;
  /** The text without its items, which must be JSON itself. */
  around: string;
}

/** Deeper brackets are only counted. */
const COMPARED_DEPTH = 10_000;
/** Members of an item among which its event_id is looked for. */
const MAX_MEMBERS = 1_000;

/** @returns undefined where brackets or strings do not close as they were opened, or there are no items */
export function itemsIn(text: string, max: number): Items | undefined {
  const array = arrayIn(text);
  const parts = array === undefined ? undefined : partsIn(text, array, max);
  if (array === undefined || !parts) return undefined;
  return { ...parts, around: `${text.slice(0, array)}[]${text.slice(parts.end)}` };
}

/** The text of a member's value where it is a JSON string; undefined where there is none such. */
export function stringMember(object: string, name: string): string | undefined {
  const open = object.search(/\S/);
  if (object.charCodeAt(open) !== BRACE) return undefined;
  for (const span of partsIn(object, open, MAX_MEMBERS)?.spans ?? []) {
    const value = valueOf(object, span, name);
    if (object.charCodeAt(value ?? -1) === QUOTE) return object.slice(value, stringEnd(object, value as number));
  }
  return undefined;
}

/** Where the array of items begins: the text itself, or `runs` of `{"runs": […]}`, the last where there are several. */
function arrayIn(text: string): number | undefined {
  const open = text.search(/[[{]/);
  if (text.charCodeAt(open) !== BRACE) return open === -1 ? undefined : open;
  return partsIn(text, open, MAX_MEMBERS)
    ?.spans.map((span) => valueOf(text, span, 'runs'))
    .findLast((value) => text.charCodeAt(value ?? -1) === BRACKET);
}

/** Where the value of a member begins; undefined where it is another member, or none. */
function valueOf(text: string, [from, to]: Span, name: string): number | undefined {
  const start = from + text.slice(from, to).search(/\S/);
  const end = text.charCodeAt(start) === QUOTE ? stringEnd(text, start) : start;
  if (text.slice(start, Math.min(end, start + name.length + 2)) !== `"${name}"`) return undefined;
  const colon = /\s*:\s*/y;
  colon.lastIndex = start + name.length + 2;
  return colon.test(text) && colon.lastIndex < to ? colon.lastIndex : undefined;
}

/** What stands between the commas of the bracket at `open`, and the place behind its end. */
function partsIn(text: string, open: number, max: number): { spans: Span[]; count: number; end: number } | undefined {
  const spans: Span[] = [];
  const closers = new Uint8Array(COMPARED_DEPTH);
  let [depth, from, count] = [0, open + 1, 0];
  const add = (to: number): void => {
    if (count++ < max) spans.push([from, to]);
    from = to + 1;
  };
  for (let at = open; at < text.length; at++) {
    const code = text.charCodeAt(at);
    switch (code) {
      case QUOTE:
        at = stringEnd(text, at) - 1;
        break;
      case BRACKET:
      case BRACE:
        if (depth < COMPARED_DEPTH) closers[depth] = code + 2;
        depth++;
        break;
      case BRACKET + 2:
      case BRACE + 2:
        depth--;
        if (depth < COMPARED_DEPTH && closers[depth] !== code) return undefined;
        if (depth > 0) break;
        if (count > 0 || text.slice(from, at).trim() !== '') add(at);
        return { spans, count, end: at + 1 };
      case COMMA:
        if (depth === 1) add(at);
    }
  }
  return undefined;
}
