/** What an OpenAPI document has: its operations, and what its references point to. */

const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']);
/** References that point to references: more is a circle. */
const MAX_HOPS = 16;

/** What is meant by a value that may be a reference; an empty object where it points nowhere. */
export function resolve(root, value) {
  let found = value;
  for (let hops = 0; typeof found?.$ref === 'string'; hops++) found = hops < MAX_HOPS ? pointed(root, found.$ref) : {};
  return Object(found ?? {});
}

function pointed(root, pointer) {
  // Another document would be another request, maybe to another host.
  if (!pointer.startsWith('#/')) return {};
  const [, ...names] = pointer.split('/').map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  return names.reduce((place, name) => place?.[name], root);
}

/** All operations by tag, in the document's order: { tag, about, operations }. */
export function groupsOf(root) {
  const groups = new Map();
  const groupOf = (tag, about) => {
    if (!groups.has(tag)) groups.set(tag, { tag, about, operations: [] });
    return groups.get(tag);
  };
  for (const { name, description } of root.tags ?? []) groupOf(name, description);
  for (const [path, each] of Object.entries(root.paths ?? {})) {
    const item = resolve(root, each);
    for (const [method, said] of Object.entries(item)) {
      if (!METHODS.has(method)) continue;
      groupOf(said.tags?.[0] ?? 'Other').operations.push(operationOf(root, path, method, said, item));
    }
  }
  return [...groups.values()].filter(({ operations }) => operations.length > 0);
}

function operationOf(root, path, method, said, item) {
  const given = [...(item.parameters ?? []), ...(said.parameters ?? [])].map((each) => resolve(root, each));
  // An operation's own parameter replaces the path's of the same name.
  const parameters = new Map(given.map((parameter) => [`${parameter.in} ${parameter.name}`, parameter]));
  return {
    id: said.operationId ?? method + path.replaceAll(/\W+/g, '-'),
    method: method.toUpperCase(),
    path,
    said,
    parameters: [...parameters.values()],
    bearer: (said.security ?? root.security ?? []).some((choice) =>
      Object.keys(choice).some((name) => isBearer(root, name)),
    ),
  };
}

function isBearer(root, name) {
  const scheme = resolve(root, root.components?.securitySchemes?.[name]);
  return String(scheme.scheme).toLowerCase() === 'bearer';
}

/** The words a filter looks into, in lower case. */
export function wordsOf(root, { id, method, path, said, parameters }) {
  const bodies = Object.values(resolve(root, said.requestBody).content ?? {});
  const fields = bodies.flatMap(({ schema }) => Object.keys(resolve(root, schema).properties ?? {}));
  const names = parameters.map(({ name }) => name);
  return [id, method, path, said.summary, said.description, said.tags, fields, names].join(' ').toLowerCase();
}
