/** A transport without a network: scripted answers, and what was asked. */
import type { Answer, Transport } from '../../src/client/transport.ts';
import { type Outcome, RunStore } from './run-store.ts';

export interface Asked {
  method: string;
  path: string;
  /** The parsed body. */
  body: unknown;
}

/** Answers instead of the store, throws as a broken connection does, or never answers. */
export type Script = (asked: Asked, count: number) => Partial<Answer> | Promise<Partial<Answer>> | undefined;

export class FakeTransport implements Transport {
  readonly store = new RunStore();
  readonly asked: Asked[] = [];
  /** What it gives is the answer; undefined leaves that to the store. */
  script: Script = () => undefined;
  readonly #waiting = new Set<() => void>();
  readonly #held = new Set<(answer: Partial<Answer>) => void>();

  async request(method: 'GET' | 'POST' | 'PATCH', path: string, body?: string): Promise<Answer> {
    const asked = { method, path, body: body === undefined ? undefined : (JSON.parse(body) as unknown) };
    this.asked.push(asked);
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
    const scripted = await this.script(asked, this.asked.length);
    const outcome: Outcome = scripted ? { status: 200, ...scripted } : this.store.handle(method, path, body);
    return { retryAfterMs: undefined, body: undefined, ...outcome };
  }

  close(): void {
    // There is nothing to close.
  }

  /** A script that does not answer, before `letGo`. */
  readonly hanging: Script = () => new Promise((resolve) => this.#held.add(resolve));

  /** Whatever hangs is answered by 503, and so is what comes. */
  letGo(): void {
    this.script = () => ({ status: 503 });
    for (const resolve of this.#held) resolve({ status: 503 });
  }

  /** Resolves once so many requests have come, with the last of them. */
  async asks(count: number): Promise<Asked> {
    while (this.asked.length < count) await new Promise<void>((resolve) => this.#waiting.add(resolve));
    return this.asked[count - 1] as Asked;
  }

  /** `POST /api/v1/runs` and so on, in their order. */
  get lines(): string[] {
    return this.asked.map(({ method, path }) => `${method} ${path.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, ':id')}`);
  }
}

export const BROKEN: Script = () => {
  throw new Error('connect ECONNREFUSED');
};
