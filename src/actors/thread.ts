/**
 * What threads and their owners share: where an actor lies, and comlink between the two. The adapter's types describe
 * its ES module; Node loads its CommonJS one.
 */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MessagePort, Worker } from 'node:worker_threads';
import { type Endpoint, expose, type Remote, wrap } from 'comlink';
import nodeAdapter from 'comlink/dist/umd/node-adapter.js';

export { transfer } from 'comlink';

const endpointOf = nodeAdapter as unknown as (port: MessagePort | Worker) => Endpoint;

/** Flags of the process a thread starts with: none, for an agent's own (--input-type, --eval) may not suit a thread. */
export const THREAD_FLAGS: string[] = [];

/** .ts in a checkout, .js in the package; no compiler sees a URL, so it must be right by itself. */
const ENDING = extname(fileURLToPath(import.meta.url));

/** The actor beside a module. @param module the module's import.meta.url */
export function actorBeside(module: string): URL {
  return new URL(`./actor${ENDING}`, module);
}

/** Inside a thread: offers its face to the owner. */
export function offer(face: object, port: MessagePort): void {
  expose(face, endpointOf(port));
}

/**
 * Outside: the thread's face, each call a promise. A call to a thread that dies is never answered,
 * so the owner must watch the thread's exit.
 */
export function face<T>(thread: Worker): Remote<T> {
  return wrap<T>(endpointOf(thread));
}
