/** One operation: what it takes, what it answers, and a form to try it with. */
import { element, fold, quiet, table } from './dom.js';
import { textOf } from './json-text.js';
import { inline, rendered } from './markdown.js';
import { resolve } from './outline.js';
import { examplesOf, formsOf, typeOf } from './schema.js';
import { tryOut } from './try.js';

const FIELD_HEADS = ['Name', 'Type', 'Required', 'Default', 'Meaning'];

/** An operation as something that opens. @param root the document */
export function shownOperation(root, operation) {
  const { id, method, path, said } = operation;
  const badge = element('code', { class: method.toLowerCase() }, method);
  const heading = element('h3', {}, badge, ' ', element('code', {}, path));
  const title = [heading, quiet(said.summary ?? '')];
  return fold({ class: 'operation', id }, title, () => bodyOf(root, operation));
}

function bodyOf(root, operation) {
  const { id, said, parameters, bearer } = operation;
  const token = bearer ? ' · takes the bearer token, where the service wants one' : ' · needs no token';
  const notes = element('p', {}, quiet(element('a', { href: `#${id}` }, `#${id}`), token));
  const trial = fold({ class: 'trial' }, ['Try it'], () => tryOut(root, operation));
  const body = element('div', { class: 'body' }, notes, rendered(said.description), trial);
  if (parameters.length > 0) body.append(element('h4', {}, 'Parameters'), parametersOf(root, parameters));
  const request = resolve(root, said.requestBody);
  for (const [type, { schema }] of Object.entries(request.content ?? {})) {
    body.append(element('h4', {}, 'Body ', quiet(type)), rendered(request.description));
    body.append(...fieldsOf(root, schema, 'Fields of the body'));
  }
  body.append(element('h4', {}, 'Answers'));
  for (const [status, each] of Object.entries(said.responses ?? {})) body.append(answerOf(root, status, each));
  return body;
}

function parametersOf(root, parameters) {
  const rows = parameters.map(({ name, in: place, schema, required, description }) => {
    const shown = element('span', {}, element('code', {}, name), ' ', quiet(place === 'query' ? '' : place));
    return fieldRow(root, shown, schema, required, description);
  });
  return table('Parameters', FIELD_HEADS, rows);
}

/** A table for each form that a body may have. */
function fieldsOf(root, body, caption) {
  const forms = formsOf(root, body);
  return forms.flatMap(({ title, rows }) => {
    const cells = rows.map(({ name, schema, required }) => fieldRow(root, element('code', {}, name), schema, required));
    const shown = rows.length > 0 ? [table(caption, FIELD_HEADS, cells)] : [];
    return forms.length > 1 || rows.length === 0 ? [element('p', {}, element('code', {}, title)), ...shown] : shown;
  });
}

function fieldRow(root, name, schema, required, description) {
  const plain = resolve(root, schema);
  const word = element('span', { class: 'narrow' }, 'default ');
  const fallback = element('span', {}, word, element('code', {}, JSON.stringify(plain.default)));
  const meaning = inline(description ?? schema?.description ?? plain.description);
  return [
    name,
    element('code', {}, typeOf(root, schema)),
    required ? 'required' : '',
    plain.default === undefined ? '' : fallback,
    meaning,
  ];
}

function answerOf(root, status, each) {
  const { description, headers = {}, content = {} } = resolve(root, each);
  const code = element('strong', { class: `status-${status[0]}` }, status);
  const shown = element('div', { class: 'answer' }, element('p', {}, code, ' ', inline(description)));
  if (Object.keys(headers).length > 0) shown.append(fold({}, ['Headers'], () => headersOf(root, headers)));
  for (const [type, media] of Object.entries(content)) {
    const fields = () => element('div', {}, ...fieldsOf(root, media.schema, 'Fields of the answer'));
    shown.append(fold({}, ['Fields ', quiet(type)], fields));
    for (const [name, value] of examplesOf(root, media)) {
      shown.append(fold({}, [name], () => element('pre', { tabindex: '0' }, textOf(value))));
    }
  }
  return shown;
}

function headersOf(root, headers) {
  const rows = Object.entries(headers).map(([name, each]) => {
    const { schema, description } = resolve(root, each);
    return [element('code', {}, name), element('code', {}, typeOf(root, schema)), inline(description)];
  });
  return table('Headers', ['Name', 'Type', 'Meaning'], rows);
}
