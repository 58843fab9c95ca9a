/** The page: loads the description of the API and shows its operations. */
import { element } from './dom.js';
import { rendered } from './markdown.js';
import { shownOperation } from './operation.js';
import { groupsOf, wordsOf } from './outline.js';
import { offerToken } from './token.js';

const DOCUMENT = '/openapi.json';
const REMEDY = 'See that the service runs (local-telemetry doctor). docs/api.md says the same as this page.';
const at = (id) => document.getElementById(id);

async function start() {
  try {
    show(await loaded());
    openAddressed();
    addEventListener('hashchange', openAddressed);
  } catch (error) {
    const again = element('button', { type: 'button' }, 'Try again');
    again.addEventListener('click', () => location.reload());
    at('page-status').replaceChildren(`${error.message} `, again);
    at('page-status').className = 'failure';
  }
}

async function loaded() {
  const response = await fetch(DOCUMENT).catch((cause) => {
    throw new Error(`${DOCUMENT} cannot be reached: no answer came. ${REMEDY}`, { cause });
  });
  if (!response.ok) throw new Error(`${DOCUMENT} was answered with status ${response.status}. ${REMEDY}`);
  return response.json().catch((cause) => {
    throw new Error(`${DOCUMENT} did not come as JSON. ${REMEDY}`, { cause });
  });
}

function show(root) {
  const { title = 'API', version = '', description } = root.info ?? {};
  document.title = title;
  at('page-title').replaceChildren(title, ' ', element('small', {}, version));
  at('page-about').replaceChildren(rendered(description));
  const groups = groupsOf(root);
  const entries = [];
  const sections = groups.map(({ tag, about, operations }) => {
    const nodes = operations.map((operation) => {
      const node = shownOperation(root, operation);
      // What was opened last is in the address, so that it can be kept and handed on.
      node.addEventListener('toggle', () => node.open && history.replaceState(null, '', `#${operation.id}`));
      entries.push({ node, words: wordsOf(root, operation) });
      return node;
    });
    return element('section', {}, element('h2', {}, tag), rendered(about), ...nodes);
  });
  at('page-operations').replaceChildren(...sections);
  at('page-tools').hidden = false;
  if (groups.some(({ operations }) => operations.some(({ bearer }) => bearer))) offerToken();
  const filter = () => narrow(entries, sections);
  at('page-filter').addEventListener('input', filter);
  at('page-tools').addEventListener('submit', (event) => event.preventDefault());
  filter();
}

/** Shows the operations that have all the words. */
function narrow(entries, sections) {
  const wanted = at('page-filter').value.toLowerCase().split(/\s+/);
  for (const { node, words } of entries) node.hidden = !wanted.every((word) => words.includes(word));
  for (const section of sections) section.hidden = !section.querySelector('.operation:not([hidden])');
  const shown = entries.filter(({ node }) => !node.hidden).length;
  at('page-status').textContent = `${shown === entries.length ? '' : `${shown} of `}${entries.length} operations`;
}

/** Opens the operation that the address names. */
function openAddressed() {
  const found = at(location.hash.slice(1));
  if (!found?.matches('.operation')) return;
  at('page-filter').value = '';
  at('page-filter').dispatchEvent(new Event('input'));
  const look = () => {
    found.scrollIntoView();
    found.querySelector('summary').focus({ preventScroll: true });
  };
  if (found.open) return look();
  // Only when its content is there can the page be scrolled so far.
  found.addEventListener('toggle', look, { once: true });
  found.open = true;
}

void start();
