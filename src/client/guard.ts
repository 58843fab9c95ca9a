/** The one place that swallows: no failure of the client ever reaches the agent; it is counted, and warned of once. */

/** Kinds of warnings told apart; beyond, nothing is said or counted. */
const MAX_KINDS = 200;

export class Guard {
  readonly #report: (message: string) => void;
  readonly #counts = new Map<string, number>();

  /** @param report takes each warning; what it throws is swallowed as well */
  constructor(report: (message: string) => void = emitWarning) {
    this.#report = report;
  }

  /** Runs `work`; where it throws, warns and returns what `otherwise` gives. */
  attempt<T>(what: string, work: () => T, otherwise: () => T): T {
    try {
      return work();
    } catch (error) {
      this.warn(what, `${what} failed: ${reasonOf(error)}`);
      return otherwise();
    }
  }

  /** The same for what is awaited: never rejects. */
  async attemptAsync<T>(what: string, work: () => Promise<T>, otherwise: () => T): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.warn(what, `${what} failed: ${reasonOf(error)}`);
      return otherwise();
    }
  }

  /** Reports the first warning of a kind; the following ones are only counted. */
  warn(kind: string, message: string): void {
    const count = this.#counts.get(kind);
    if (count === undefined && this.#counts.size >= MAX_KINDS) return;
    this.#counts.set(kind, (count ?? 0) + 1);
    if (count !== undefined) return;
    try {
      const told = this.#report(`local-telemetry: ${message}`) as unknown;
      // It may be asynchronous, and reject.
      if (told instanceof Promise) told.catch(() => undefined);
    } catch {
      // The reporter is the agent's; its failure must not come back to the agent from here.
    }
  }

  /** How often each kind of warning came up. */
  counts(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}

/** What an error says, whatever was thrown: even looking at it may throw. */
export function reasonOf(error: unknown): string {
  try {
    // String: a message may be anything, too.
    return String(error instanceof Error ? error.message : error);
  } catch {
    return 'an error that cannot be shown';
  }
}

/** Shown on stderr by Node; `--disable-warning=TelemetryWarning` silences it. */
function emitWarning(message: string): void {
  process.emitWarning(message, { type: 'TelemetryWarning' });
}
