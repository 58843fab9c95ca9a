/** One question for /health, with a bound on its time and its answer. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { describe, systemCode } from '../../errors.ts';
import { cut } from '../../run/text.ts';

export interface Health {
  version?: string;
  /** Why it is not well, with the remedy where there is one; undefined where it is. */
  problem?: string;
}

/** What /health answers is far shorter. */
const MAX_BYTES = 64 * 1024;
const MAX_SHOWN = 200;

/** @param url http or https, without a trailing slash @throws where there is no answer within the time, saying why */
export async function ask(url: string, timeoutMs: number): Promise<Health> {
  const { get } = await (url.startsWith('https:') ? import('node:https') : import('node:http'));
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const { status, text } = await answerTo(get(`${url}/health`, { signal, agent: false }));
    return judged(status, text);
  } catch (error) {
    if (signal.aborted) throw new Error(`no answer within ${timeoutMs / 1_000} s`, { cause: error });
    if (systemCode(error) === 'ECONNREFUSED') {
      throw new Error('nothing listens there; start the service, or give its --url', { cause: error });
    }
    throw new Error(describe(error) || systemCode(error), { cause: error });
  }
}

function answerTo(request: ClientRequest): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    request.once('error', reject);
    request.once('response', (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const done = (): void => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.byteLength;
        if (size > MAX_BYTES) reject(new Error('its answer is too long for /health of a telemetry service'));
        if (size > MAX_BYTES) request.destroy();
      });
      response.once('error', reject);
      response.once('end', done);
    });
  });
}

function judged(status: number, text: string): Health {
  if (status !== 200) return { problem: `it answers ${status}: ${shown(text)}` };
  const { status: word, version } = objectIn(text);
  if (typeof version !== 'string' || typeof word !== 'string') {
    return { problem: `what answers there is no telemetry service: ${shown(text)}` };
  }
  return word === 'ok' ? { version } : { version, problem: `it says "${word}"` };
}

function objectIn(text: string): Record<string, unknown> {
  try {
    return (JSON.parse(text) ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** On one line, without what a terminal would obey. */
function shown(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line === '' ? '(nothing)' : cut(line, MAX_SHOWN, '…');
}
