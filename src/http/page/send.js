/** Sends a request and waits for all of its answer, within bounds. */
import { isRewritten } from './request.js';

/** Bytes of an answer that are read, and seconds that are waited. */
const MAX_BYTES = 1024 * 1024;
const PATIENCE = 60;
const REWRITTEN = 'Browsers do not send . or .. as a part of a path. Use the command below.';
const UNKNOWN = 'What was sent may have been done: look before you send it again.';

/** Headers of the transport, which say nothing about the answer. */
const DULL = new Set(['connection', 'keep-alive', 'date', 'x-content-type-options', 'transfer-encoding']);

/**
 * The answer as { status, headers, text, cut, milliseconds, redirected }; cut: there is more.
 *
 * @throws Error whose message says in words what happened, and what to do
 */
export async function send({ method, url, headers: shown, body, token }) {
  if (isRewritten(url)) throw new Error(REWRITTEN);
  const headers = token ? [...shown, ['Authorization', `Bearer ${token}`]] : shown;
  for (const header of headers) check(header);
  const started = performance.now();
  try {
    const signal = AbortSignal.timeout(PATIENCE * 1000);
    const response = await fetch(url, { method, headers, body, signal, cache: 'no-store' });
    const answer = await beginningOf(response);
    return {
      ...answer,
      status: `${response.status} ${response.statusText}`,
      headers: [...response.headers].filter(([name]) => !DULL.has(name)),
      milliseconds: Math.round(performance.now() - started),
      redirected: response.redirected ? response.url : undefined,
    };
  } catch (error) {
    const late = error.name === 'TimeoutError';
    const why = late ? `No answer came within ${PATIENCE} s.` : 'No answer came. See that the service runs.';
    throw new Error(`${why} ${UNKNOWN}`, { cause: error });
  }
}

function check([name, value]) {
  try {
    new Headers([[name, value]]);
  } catch (cause) {
    throw new Error(`${name} holds a character that no header can carry. Remove it.`, { cause });
  }
}

/** The rest is not asked for. */
async function beginningOf(response) {
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  let text = '';
  let size = 0;
  for (let part = await reader?.read(); part && !part.done; part = await reader.read()) {
    text += decoder.decode(part.value, { stream: true });
    size += part.value.byteLength;
    if (size <= MAX_BYTES) continue;
    await reader.cancel();
    return { text, cut: true };
  }
  return { text: text + decoder.decode(), cut: false };
}
