/** The fields of a form: parameters, body, type of the answer. Each gives { labels, value }. */
import { element, quiet } from './dom.js';
import { textOf } from './json-text.js';
import { resolve } from './outline.js';
import { examplesOf } from './schema.js';

const MAX_ROWS = 24;
const PLAIN = { autocomplete: 'off', spellcheck: 'false', autocapitalize: 'off' };

const label = (title, control) => element('label', {}, element('span', {}, ...title), control);
const option = (value, text = String(value)) => element('option', { value: String(value) }, text);

/** A parameter's input; its value is a list of texts. */
export function parameterInput(root, parameter) {
  const { name, required, schema } = parameter;
  const plain = resolve(root, schema);
  const forms = [plain, ...(plain.oneOf ?? plain.anyOf ?? [])].map((form) => resolve(root, form));
  const several = forms.some(({ type }) => type === 'array');
  const [[, example = ''] = []] = examplesOf(root, parameter);
  const attributes = { ...PLAIN, name, required, placeholder: String(plain.default ?? example) };
  const choices = plain.enum ?? (plain.type === 'boolean' ? [true, false] : undefined);
  const control = choices
    ? element('select', attributes, option('', '—'), ...choices.map((choice) => option(choice)))
    : element(several ? 'textarea' : 'input', several ? { ...attributes, rows: '2' } : attributes);
  // An optional parameter stays empty: filled in, it would narrow what is asked for.
  if (required) control.value = String(example);
  const note = [required && 'required', several && 'one a line'].filter(Boolean).join(', ');
  const labels = [label([element('code', {}, name), ' ', quiet(note)], control)];
  return { labels, value: () => (several ? control.value.split('\n') : [control.value]) };
}

/** The editor of the body, with a choice where there are several examples; its value is { type, body }. */
export function bodyInput(root, { said }) {
  const [[type, media] = []] = Object.entries(resolve(root, said.requestBody).content ?? {});
  if (media === undefined) return { labels: [], value: () => ({}) };
  const examples = examplesOf(root, media);
  const editor = element('textarea', { ...PLAIN, name: 'body', class: 'editor' });
  const fill = ([, value]) => {
    editor.value = textOf(value);
    editor.rows = Math.min(editor.value.split('\n').length + 1, MAX_ROWS);
  };
  fill(examples[0] ?? ['', {}]);
  const labels = [label(['Body ', quiet(type)], editor)];
  if (examples.length > 1) {
    const choice = element('select', { name: 'example' }, ...examples.map(([name], at) => option(at, name)));
    choice.addEventListener('input', () => fill(examples[choice.value]));
    labels.unshift(label(['Example'], choice));
  }
  return { labels, value: () => ({ type, body: editor.value }) };
}

/** A choice where a good answer comes in several types. */
export function acceptInput(root, { said }) {
  const good = Object.entries(said.responses ?? {}).filter(([status]) => status.startsWith('2'));
  const types = new Set(good.flatMap(([, each]) => Object.keys(resolve(root, each).content ?? {})));
  if (types.size < 2) return { labels: [], value: () => '' };
  const choice = element('select', { name: 'accept' }, option('', 'any'), ...[...types].map((type) => option(type)));
  return { labels: [label(['Answer as'], choice)], value: () => choice.value };
}
