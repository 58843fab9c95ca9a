/** Turns whatever an agent hands over into plain JSON data: bounded, without throwing, sharing nothing with the original. */
const MAX_DEPTH = 50;
const MAX_NODES = 20_000;
const MAX_NAME = 200;
/** Characters of all texts together. */
const MAX_TEXT = 400_000;

/** What could not be kept as it was. */
export interface Lost {
  /** NaN and Infinity, which JSON does not have. */
  numbers: number;
}

interface Budget {
  lost: Lost;
  nodes: number;
  text: number;
  /** The objects around the one at hand: one that comes again is a circle. */
  around: unknown[];
}

/**
 * A copy that JSON.stringify takes; what it cannot hold is said in words where it stood, and no number is null, as the
 * service has it. All texts are well-formed.
 *
 * @param lost is told what was lost
 */
export function plain(value: unknown, lost: Lost = { numbers: 0 }): unknown {
  return copy(value, { lost, nodes: MAX_NODES, text: MAX_TEXT, around: [] });
}

function copy(value: unknown, budget: Budget): unknown {
  if (--budget.nodes < 0) return '[left out: too much]';
  switch (typeof value) {
    case 'string':
      return shortened(value, budget);
    case 'number':
      if (Number.isFinite(value)) return value;
      budget.lost.numbers++;
      return null;
    case 'boolean':
      return value;
    case 'bigint':
      return String(value);
    case 'object':
      return value === null ? null : copyObject(value, budget);
    default:
      return typeof value === 'undefined' ? undefined : `[${typeof value}]`;
  }
}

function shortened(text: string, budget: Budget): string {
  const kept = text.length <= budget.text ? text : `${text.slice(0, budget.text)}… (${text.length} characters)`;
  budget.text = Math.max(0, budget.text - kept.length);
  // The cut may fall within a character, and the agent's own may have.
  return kept.toWellFormed();
}

function copyObject(value: object, budget: Budget): unknown {
  if (budget.around.includes(value)) return '[circular]';
  if (budget.around.length >= MAX_DEPTH) return '[left out: too deep]';
  budget.around.push(value);
  try {
    return copyMembers(value, budget);
  } catch {
    // A getter, a toJSON or a proxy of the agent's.
    return '[unreadable]';
  } finally {
    budget.around.pop();
  }
}

function copyMembers(value: object, budget: Budget): unknown {
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Error) return copyEntries(['name', 'message', 'stack'], (key) => memberOf(value, key), budget);
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') {
    return copy((value as { toJSON(): unknown }).toJSON(), budget);
  }
  if (Array.isArray(value) || value instanceof Set) return copyItems(value as Iterable<unknown>, budget);
  const keys = value instanceof Map ? value.keys() : Object.keys(value);
  const read = (key: unknown): unknown => (value instanceof Map ? value.get(key) : memberOf(value, key));
  return copyEntries(keys, read, budget);
}

function copyItems(items: Iterable<unknown>, budget: Budget): unknown[] {
  const copies: unknown[] = [];
  for (const item of items) {
    copies.push(copy(item, budget) ?? null);
    if (budget.nodes < 0) break;
  }
  return copies;
}

function copyEntries(keys: Iterable<unknown>, read: (key: unknown) => unknown, budget: Budget): object {
  const object = {};
  for (const key of keys) {
    const value = copy(attempt(read, key), budget);
    // Assigning to __proto__ would set the prototype.
    if (value !== undefined) Object.defineProperty(object, nameOf(key, budget), { ...OWN, value });
    if (budget.nodes < 0) break;
  }
  return object;
}

const memberOf = (value: object, key: unknown): unknown => (value as Record<string, unknown>)[key as string];

function nameOf(key: unknown, budget: Budget): string {
  const name = typeof key === 'string' ? key.slice(0, MAX_NAME).toWellFormed() : `[${typeof key}]`;
  budget.text = Math.max(0, budget.text - name.length);
  return name;
}

const OWN = { enumerable: true, writable: true, configurable: true };

function attempt(read: (key: unknown) => unknown, key: unknown): unknown {
  try {
    return read(key);
  } catch {
    return '[unreadable]';
  }
}
