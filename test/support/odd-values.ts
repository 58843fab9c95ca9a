/** What an agent may hand over by mistake: values that throw, never end, or are not what they say. */
import fc from 'fast-check';

function throwing(): never {
  throw new Error('do not touch');
}

/** What is thrown may be as odd as what is given. */
function throwingOddly(): never {
  throw Object.assign(new Error('text'), { message: Symbol('odd') });
}

const trap = new Proxy({}, { get: throwing });
const EVERY_TRAP = new Proxy({}, { get: () => throwing }) as ProxyHandler<object>;

function circle(): object {
  const object: Record<string, unknown> = { name: 'circle' };
  object.self = object;
  object.list = [object, [object]];
  return object;
}

const endless = {
  toJSON(): object {
    return { ...endless };
  },
};

/** Made anew each time, for some may be consumed. */
const ODD: readonly (() => unknown)[] = [
  () => undefined,
  () => null,
  () => '',
  () => 'text',
  () => 'lone \ud800 surrogate and NUL \0',
  () => 'x'.repeat(300_000),
  () => Symbol('odd'),
  () => 5n,
  () => NaN,
  () => -1,
  () => 1e300,
  () => true,
  () => throwing,
  () => class Odd {},
  () => [],
  () => [1, [2, [circle()]], undefined, throwing],
  () => ({}),
  () => Object.create(null) as unknown,
  () => new Date(NaN),
  () => new Date(8.64e15),
  () => circle(),
  () => trap,
  () => new Proxy({}, EVERY_TRAP),
  () => new Proxy(throwing, EVERY_TRAP),
  () => Proxy.revocable({}, {}).proxy,
  () => new Proxy({}, { ownKeys: throwingOddly, get: throwingOddly }),
  () => ({ toString: throwingOddly, toJSON: throwingOddly }),
  () => ({ toString: throwing, toJSON: throwing, valueOf: throwing }),
  () => ({ toJSON: () => undefined }),
  () => endless,
  () => new Map<unknown, unknown>([[{ toString: throwing }, 1]]),
  () => new Set([circle()]),
  () => new Uint8Array(10),
  () => Object.assign(new Error('text'), { message: 5n }),
  () => Object.assign(new Error('text'), { message: Symbol('odd'), name: circle(), stack: trap }),
  () => Promise.resolve(1),
  () => ({ ['__proto__']: { a: 1 }, constructor: 5 }),
  () => JSON.parse('{"__proto__":{"a":1}}') as unknown,
  () => nested(600),
];

function nested(levels: number): unknown {
  let value: unknown = {};
  for (let level = 0; level < levels; level++) value = level % 2 ? [value] : { value };
  return value;
}

/**
 * How an odd value is made. Only recipes go through fast-check, which itself looks at what it
 * generates, and would stumble first.
 */
export type Recipe =
  { odd: number } | { anything: unknown } | { members: [name: string, value: number, throws: boolean][] };

const index = fc.nat(ODD.length - 1);

export const oddValue = (): fc.Arbitrary<Recipe> =>
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ odd: index }) },
    { weight: 1, arbitrary: fc.record({ anything: fc.anything({ withBigInt: true, withDate: true, withMap: true }) }) },
  );

/** Options or fields of these names: some missing, some odd, now and then a getter that throws. */
export function oddObject(names: readonly string[]): fc.Arbitrary<Recipe> {
  const member = fc.tuple(
    fc.constantFrom(...names),
    index,
    fc.nat(9).map((chance) => chance === 0),
  );
  const object = fc.record({ members: fc.array(member, { maxLength: 5 }) });
  return fc.oneof({ weight: 3, arbitrary: object }, { weight: 1, arbitrary: oddValue() });
}

/** What the recipe says, made anew. */
export function made(recipe: Recipe): unknown {
  if ('anything' in recipe) return recipe.anything;
  if ('odd' in recipe) return ODD[recipe.odd]?.();
  const object = {};
  for (const [name, value, throws] of recipe.members) {
    const property = throws ? { get: value % 2 ? throwing : throwingOddly } : { value: ODD[value]?.() };
    Object.defineProperty(object, name, { enumerable: true, configurable: true, ...property });
  }
  return object;
}
