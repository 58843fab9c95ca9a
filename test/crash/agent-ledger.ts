/** What agents said they recorded, kept outside of them: the oracle's side of the story. */

/** One line of an agent: what it is about to record, or that the call has returned. */
export type Said = { call: number; run: string; fields: Fields } | { call: number; event: string } | { done: number };

/** Values by column; `ended` stands for an end_time. */
export type Fields = Record<string, unknown>;

interface Known {
  /** What the calls that returned have said of it; undefined while not even the start has. */
  settled: Fields | undefined;
  /** What the call says that was under way when its process was killed. */
  pending: Fields | undefined;
}

export class AgentLedger {
  /** Runs by event_id. */
  readonly runs = new Map<string, Known>();
  /** Events by their marker, and whether the call returned. */
  readonly events = new Map<string, boolean>();
  /** Calls that returned. */
  returned = 0;
  /** Agents there were, each of which was killed once. */
  agents = 0;
  readonly #open = new Map<string, Exclude<Said, { done: number }>>();

  /** Takes the lines of another agent, in their order. */
  agent(): (line: string) => void {
    const agent = ++this.agents;
    return (line) => this.#note(agent, JSON.parse(line) as Said);
  }

  #note(agent: number, said: Said): void {
    if (!('done' in said)) {
      this.#open.set(`${agent}/${said.call}`, said);
      if ('event' in said) this.events.set(said.event, false);
      else this.#known(said.run).pending = said.fields;
      return;
    }
    const key = `${agent}/${said.done}`;
    const open = this.#open.get(key);
    this.#open.delete(key);
    this.returned++;
    if (!open) throw new Error('An agent says that a call returned which it never began');
    if ('event' in open) {
      this.events.set(open.event, true);
      return;
    }
    const known = this.#known(open.run);
    known.settled = { ...known.settled, ...open.fields };
    known.pending = undefined;
  }

  #known(run: string): Known {
    const known = this.runs.get(run) ?? { settled: undefined, pending: undefined };
    this.runs.set(run, known);
    return known;
  }
}
