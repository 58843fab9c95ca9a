/** The form that tries an operation out on this very service. */
import { showAnswer, showFailure } from './answer.js';
import { element, quiet } from './dom.js';
import { acceptInput, bodyInput, parameterInput } from './inputs.js';
import { curlOf, requestOf } from './request.js';
import { send } from './send.js';
import { onToken, tokenOf } from './token.js';

const HINT = 'Set TELEMETRY_API_AUTH_TOKEN in your shell to the token first: it is not shown here.';
const WARNING = 'This is no rehearsal: what you send changes the records of this service.';

/** The form of an operation. @param root the document */
export function tryOut(root, operation) {
  const { id, method, parameters, bearer } = operation;
  const inputs = parameters.map((parameter) => [parameter, parameterInput(root, parameter)]);
  const body = bodyInput(root, operation);
  const accept = acceptInput(root, operation);
  const request = () =>
    requestOf(operation, {
      base: baseOf(root),
      values: Object.fromEntries(inputs.map(([{ in: place, name }, input]) => [`${place} ${name}`, input.value()])),
      accept: accept.value(),
      token: bearer ? tokenOf() : '',
      ...body.value(),
    });
  const { show, parts } = commandShown();
  const sender = element('button', { class: 'send' }, 'Send');
  const state = element('p', { role: 'status', class: 'state' });
  const answer = element('div');
  const shown = element(
    'form',
    { class: 'try', 'aria-label': `Try ${id}` },
    ...[...inputs.map(([, input]) => input), body, accept].flatMap(({ labels }) => labels),
    element('div', { class: 'row' }, sender, quiet(method === 'GET' ? '' : WARNING)),
    state,
    answer,
    ...parts,
  );
  const refresh = () => show(request());
  shown.addEventListener('input', refresh);
  onToken(refresh);
  refresh();
  shown.addEventListener('submit', (event) => {
    event.preventDefault();
    void exchange(request(), { sender, state, answer });
  });
  return shown;
}

/** Sends, and shows what comes. The last answer stays until the next is there, so that nothing jumps. */
async function exchange(request, { sender, state, answer }) {
  // Not `disabled`: that would take the focus away.
  if (sender.getAttribute('aria-disabled') === 'true') return;
  sender.setAttribute('aria-disabled', 'true');
  state.textContent = 'Sending …';
  try {
    showAnswer(await send(request), { state, answer });
  } catch (error) {
    showFailure(error, { state, answer });
  } finally {
    sender.removeAttribute('aria-disabled');
  }
}

/** This service and the document's path on it: no other host can be reached from this page. */
function baseOf(root) {
  const { pathname } = new URL(root.servers?.[0]?.url ?? '/', location.origin);
  return location.origin + pathname.replace(/\/$/, '');
}

function commandShown() {
  const command = element('pre', { tabindex: '0', role: 'region', 'aria-label': 'The same as a command' });
  const copy = element('button', { type: 'button' }, 'Copy');
  const state = element('span', { class: 'quiet', role: 'status' });
  copy.addEventListener('click', () => void copyText(command, state));
  const row = element('div', { class: 'row' }, element('h4', {}, 'The same as a command'), copy, state);
  const hint = element('p', {}, quiet(HINT));
  const show = (request) => {
    command.textContent = curlOf(request);
    hint.hidden = !request.token;
  };
  return { show, parts: [row, hint, command] };
}

async function copyText(command, state) {
  try {
    await navigator.clipboard.writeText(command.textContent);
    state.textContent = 'Copied.';
  } catch {
    // Browsers lend the clipboard to https and localhost only.
    getSelection().selectAllChildren(command);
    state.textContent = 'Selected; copy it with Ctrl+C or ⌘C.';
  }
}
