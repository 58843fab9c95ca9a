/** What came back. */
import { element, quiet } from './dom.js';
import { indented } from './json-text.js';

/** Characters that are shown: more makes a browser slow. */
const MAX_SHOWN = 200_000;

/** Shows an answer of send(), its status in `state`. */
export function showAnswer({ status, headers, text, cut, milliseconds, redirected }, { state, answer }) {
  const from = redirected ? `, redirected to ${redirected}` : '';
  state.replaceChildren(element('strong', { class: `status-${status[0]}` }, status), ` in ${milliseconds} ms${from}`);
  const lines = headers.map(([name, value]) => element('div', {}, quiet(`${name}: `), value));
  const whole = cut ? text : indented(text);
  const parts = [element('div', { class: 'headers' }, ...lines)];
  const body = { tabindex: '0', 'aria-label': 'Body of the answer', role: 'region' };
  if (whole !== '') parts.push(element('pre', body, whole.slice(0, MAX_SHOWN)));
  if (cut || whole.length > MAX_SHOWN)
    parts.push(quiet('This is only the beginning. The command below gives all of it.'));
  answer.replaceChildren(...parts);
}

/** Says why there is no answer. */
export function showFailure({ message }, { state, answer }) {
  state.replaceChildren(element('strong', { class: 'status-5' }, message));
  answer.replaceChildren();
}
