/** A JSON Schema in words and as rows of a table. */
import { resolve } from './outline.js';

/** Objects in objects that are shown; and how deep the words of a type go. */
const MAX_DEPTH = 6;
/** Characters of a pattern that is shown: longer ones only programs read. */
const MAX_PATTERN = 32;

const nameOf = (schema) => (typeof schema?.$ref === 'string' ? schema.$ref.split('/').at(-1) : schema?.title);
const choicesOf = (plain) => plain.oneOf ?? plain.anyOf;
const list = (value) => (value === undefined ? [] : [value].flat());

/** Such as: integer (0 to 1000) | null */
export function typeOf(root, schema, depth = 0) {
  const plain = resolve(root, schema);
  if ('const' in plain) return JSON.stringify(plain.const);
  if (plain.enum) return plain.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (depth > MAX_DEPTH) return nameOf(schema) ?? 'any';
  const choices = choicesOf(plain)?.map((choice) => typeOf(root, choice, depth + 1));
  if (choices) return [...new Set(choices)].join(' | ');
  if (plain.allOf) return nameOf(schema) ?? plain.allOf.map((part) => typeOf(root, part, depth + 1)).join(' & ');
  const types = list(plain.type ?? (plain.properties ? 'object' : undefined));
  const words = types.map((type) => {
    if (type === 'array') return `array of ${typeOf(root, plain.items, depth + 1)}`;
    if (type === 'object') return nameOf(schema) ?? 'object';
    const bounds = /string|integer|number/.test(type) ? boundsOf(plain, type) : [];
    return bounds.length > 0 ? `${type} (${bounds.join(', ')})` : type;
  });
  return words.join(' | ') || 'any';
}

function boundsOf(plain, type) {
  const [from, to] = type === 'string' ? [plain.minLength, plain.maxLength] : [plain.minimum, plain.maximum];
  const unit = type === 'string' ? ' characters' : '';
  const least = from === undefined ? '' : unit && from === 1 ? 'not empty' : `at least ${from}${unit}`;
  const most = to === undefined ? '' : `at most ${to}${unit}`;
  const { length } = (type === 'string' && plain.pattern) || '';
  const like = length > MAX_PATTERN ? 'of a pattern' : length > 0 && `like ${plain.pattern}`;
  return [plain.format, least && most ? `${from} to ${to}${unit}` : least || most, like].filter(Boolean);
}

/** The forms that a body may have, { title, rows } each; one where there is no choice. */
export function formsOf(root, schema) {
  const plain = resolve(root, schema);
  const members = choicesOf(plain) ?? [schema];
  const forms = members.map((member) => ({ title: typeOf(root, member), rows: rowsOf(root, member) }));
  return forms.some(({ rows }) => rows.length > 0) ? forms : [{ title: typeOf(root, schema), rows: [] }];
}

/** Its fields, those of objects within as `outer.inner`, of arrays as `outer[].inner`: { name, schema, required }. */
export function rowsOf(root, schema, prefix = '', trail = []) {
  const plain = resolve(root, schema);
  if (trail.includes(plain) || trail.length > MAX_DEPTH) return [];
  const inside = [...trail, plain];
  const required = plain.required ?? [];
  const own = Object.entries(plain.properties ?? {}).flatMap(([name, property]) => [
    { name: prefix + name, schema: property, required: required.includes(name) },
    ...rowsOf(root, property, `${prefix}${name}.`, inside),
  ]);
  const more = plain.additionalProperties;
  const others =
    typeof more === 'object' && Object.keys(more).length > 0
      ? [{ name: `${prefix}<name>`, schema: more, required: false }, ...rowsOf(root, more, `${prefix}<name>.`, inside)]
      : [];
  const elements = plain.items ? rowsOf(root, plain.items, `${prefix.replace(/\.$/, '')}[].`, inside) : [];
  const parts = [...(plain.allOf ?? []), ...(choicesOf(plain) ?? [])];
  const below = parts.flatMap((part) => rowsOf(root, part, prefix, inside));
  const known = new Set();
  return [...own, ...others, ...elements, ...below].filter(({ name }) => !known.has(name) && known.add(name));
}

/** The examples of a parameter, a body or an answer: [name, value]. */
export function examplesOf(root, { example, examples, schema }) {
  const named = Object.entries(examples ?? {}).map(([name, each]) => [name, resolve(root, each)]);
  if (named.length > 0) return named.map(([name, { summary, value }]) => [summary ?? name, value]);
  const plain = resolve(root, schema);
  const own = example ?? plain.example ?? plain.examples?.[0];
  return own === undefined ? [] : [['Example', own]];
}
