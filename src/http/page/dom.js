/** Makes elements. Text goes in as text only, so that nothing of a document or an answer can become markup. */

/** @param attributes true: without a value; false, undefined: left out @param children nodes and texts */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children);
  return made;
}

/** Text that is less important. */
export const quiet = (...children) => element('span', { class: 'quiet' }, ...children);

/** A table. The roles keep it one for screen readers where the style sheet stacks its cells. */
export function table(caption, heads, rows) {
  const row = (cells) => element('tr', { role: 'row' }, ...cells);
  const head = heads.map((text) => element('th', { scope: 'col', role: 'columnheader' }, text));
  const body = rows.map(([first, ...others]) =>
    row([
      element('th', { scope: 'row', role: 'rowheader' }, first),
      ...others.map((cell) => element('td', { role: 'cell' }, cell)),
    ]),
  );
  return element(
    'table',
    { role: 'table', 'aria-label': caption },
    element('thead', { role: 'rowgroup' }, row(head)),
    element('tbody', { role: 'rowgroup' }, ...body),
  );
}

/** A details element whose content is made when it opens, for a document has many that nobody opens. */
export function fold(attributes, title, content) {
  const folded = element('details', attributes, element('summary', {}, ...title));
  folded.addEventListener('toggle', () => folded.append(content()), { once: true });
  return folded;
}
