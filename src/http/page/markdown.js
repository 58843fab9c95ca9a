/** Descriptions are Markdown; of it paragraphs, lists, tables, code, bold and links are understood. */
import { element, table } from './dom.js';

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)\s]+)\)/g;
/** What a link may lead to: no other scheme, and no other host by `//host`, which browsers read in `/\host` too. */
export const ADDRESS = /^(https:\/\/|\/\w|#)/;

/** A description as elements. */
export function rendered(text = '') {
  const made = document.createDocumentFragment();
  for (const block of text.split(/\n\s*\n/)) if (block.trim() !== '') made.append(blockOf(block.trim()));
  return made;
}

function blockOf(text) {
  if (/^[-*] /.test(text)) {
    const items = text.slice(2).split(/\n\s*[-*] /);
    return element('ul', {}, ...items.map((item) => element('li', {}, inline(item))));
  }
  if (!/^\|.*\n\|/.test(text)) return element('p', {}, inline(text));
  const [heads, , ...rows] = text.split('\n').map((line) => line.replaceAll(/^\s*\||\|\s*$/g, '').split('|'));
  const cells = rows.map((row) => row.map((cell) => inline(cell.trim())));
  return table('', heads, cells);
}

/** A line of a description as elements. */
export function inline(text = '') {
  const made = document.createDocumentFragment();
  let from = 0;
  for (const found of text.matchAll(INLINE)) {
    const [all, code, bold, label, address] = found;
    made.append(text.slice(from, found.index));
    if (code !== undefined) made.append(element('code', {}, code));
    else if (bold !== undefined) made.append(element('strong', {}, bold));
    else made.append(ADDRESS.test(address) ? element('a', { href: address }, label) : label);
    from = found.index + all.length;
  }
  made.append(text.slice(from));
  return made;
}
