/** The export to a Google Sheet when a run has ended: fire and forget, after 1, 2 and 4 s once more. */
import { setTimeout } from './clock.ts';
import type { Values } from './fields.ts';
import { type Guard, reasonOf } from './guard.ts';
import { HttpTransport } from './transport.ts';

/** What a row of the sheet has. */
const FIELDS = [
  ...['run_id', 'agent_name', 'agent_owner', 'job_type', 'trigger_type', 'start_time', 'end_time', 'status'],
  ...['items_discovered', 'items_succeeded', 'items_failed', 'duration_ms', 'error_summary', 'product', 'platform'],
  ...['product_family', 'subdomain', 'git_repo', 'git_branch', 'host'],
];
const PAUSES_MS = [1_000, 2_000, 4_000];
/** Runs under way to the sheet; beyond, they are dropped: the sheet is a copy. */
const MAX_UNDER_WAY = 100;

export interface SheetsOptions {
  url: string;
  token: string | undefined;
  timeoutMs: number;
  pause?: (milliseconds: number) => Promise<void>;
}

export class Sheets {
  readonly #transport: HttpTransport;
  readonly #guard: Guard;
  readonly #pause: (milliseconds: number) => Promise<void>;
  readonly #underWay = new Set<Promise<void>>();

  constructor({ url, token, timeoutMs, pause = sleep }: SheetsOptions, guard: Guard) {
    this.#transport = new HttpTransport({ url, token, timeoutMs });
    this.#guard = guard;
    this.#pause = pause;
  }

  /** Sends a run that has ended. Returns at once. */
  export(record: Values): void {
    if (this.#underWay.size >= MAX_UNDER_WAY) return this.#guard.warn('sheets', 'too many runs wait for the sheet');
    const row = Object.fromEntries(FIELDS.map((name) => [name, record[name]]));
    const sending = this.#send(JSON.stringify(row)).finally(() => this.#underWay.delete(sending));
    this.#underWay.add(sending);
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  close(): void {
    this.#transport.close();
  }

  async #send(row: string): Promise<void> {
    for (const pause of [...PAUSES_MS, undefined]) {
      const failure = await this.#attempt(row);
      if (failure === undefined) return;
      if (pause === undefined || /^40[13]/.test(failure)) {
        return this.#guard.warn('sheets', `a run could not be exported to the sheet (${failure})`);
      }
      await this.#pause(pause);
    }
  }

  /** @returns why it failed; undefined where it did not */
  async #attempt(row: string): Promise<string | undefined> {
    try {
      const { status } = await this.#transport.request('POST', '', row);
      // An Apps Script answers a POST it has carried out with a redirect to its output.
      return status < 400 ? undefined : String(status);
    } catch (error) {
      return reasonOf(error);
    }
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}
