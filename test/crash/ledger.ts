/** What was sent and what was acknowledged, kept outside of the service: the oracle's side of the story. */

/** Column -> value, as it must be stored. */
export type Fields = Record<string, string | number | null>;
export type Run = Fields & { event_id: string };

/** A request, and what it changes where it is stored. */
export interface Sent {
  method: 'POST' | 'PATCH' | 'GET';
  path: string;
  body?: unknown;
  /** Valid runs in it, those included that are known already. */
  creates: Run[];
  /** Items in it that can never be stored. */
  invalid: number;
  change?: { eventId: string; fields: Fields };
}

export class Ledger {
  /** Acknowledged runs by event_id, with the content that was acknowledged last. */
  readonly runs = new Map<string, Run>();
  /** Requests without an answer: each may or may not be stored. One at most a poster. */
  readonly open = new Map<string, Sent>();
  /** Answers that were not what the contract says. */
  readonly wrongAnswers: string[] = [];
  acknowledged = 0;

  send(poster: string, sent: Sent): void {
    this.open.set(poster, sent);
  }

  /** A 2xx arrived: from now on its content must be there whatever happens. */
  acknowledge(poster: string, sent: Sent): void {
    this.open.delete(poster);
    this.acknowledged++;
    for (const run of sent.creates) if (!this.runs.has(run.event_id)) this.runs.set(run.event_id, run);
    if (!sent.change) return;
    const { eventId, fields } = sent.change;
    this.runs.set(eventId, { ...(this.runs.get(eventId) as Run), ...fields });
  }

  /** Takes what the database holds for the truth, once it has been judged: open requests are settled. */
  settle(stored: ReadonlyMap<string, Run>): void {
    this.runs.clear();
    for (const [eventId, run] of stored) this.runs.set(eventId, run);
    this.open.clear();
  }
}

/** How many of the runs are new: known neither to the ledger nor from earlier in the list. */
export function newRuns(ledger: Ledger, runs: readonly Run[]): number {
  return new Set(runs.map(({ event_id }) => event_id).filter((eventId) => !ledger.runs.has(eventId))).size;
}
