/** What a service does with runs, without a service: for tests of the client that script its answers. */
import { PATCH_FIELDS } from '../../src/run.ts';

export type Stored = Record<string, unknown>;

export interface Outcome {
  status: number;
  body?: unknown;
}

const PATCHABLE: readonly string[] = PATCH_FIELDS.map(({ name }) => name);
const NOT_FOUND: Outcome = { status: 404, body: { detail: 'Run not found' } };

export class RunStore {
  readonly runs = new Map<string, Stored>();
  /** As the older service: its batch ignores what it knows, and one bad run costs all beside it. */
  older = false;
  /** Longest body that is taken, in characters. */
  maxBody = Infinity;
  /** Why a run can never be stored; undefined where it can. */
  refuses: (run: Stored) => string | undefined = () => undefined;

  handle(method: string, path: string, body = ''): Outcome {
    if (body.length > this.maxBody) return { status: 413, body: { detail: 'The body is too large' } };
    const [route = '', query] = path.split('?');
    const given: unknown = body === '' ? undefined : JSON.parse(body);
    if (method === 'POST' && route === '/api/v1/runs') return this.#create(given as Stored);
    if (method === 'POST' && route === '/api/v1/runs/batch') {
      return this.#batch(given as Stored[], query === 'on_duplicate=merge' && !this.older);
    }
    if (method === 'PATCH')
      return this.#patch(decodeURIComponent(route.slice('/api/v1/runs/'.length)), given as Stored);
    return NOT_FOUND;
  }

  #create(run: Stored): Outcome {
    const detail = this.refuses(run);
    if (detail !== undefined) return { status: 422, body: { detail } };
    const { event_id, run_id } = run as { event_id: string; run_id: string };
    if (this.runs.has(event_id)) return { status: 200, body: { status: 'duplicate', event_id } };
    this.runs.set(event_id, run);
    return { status: 201, body: { status: 'created', event_id, run_id } };
  }

  #batch(runs: readonly Stored[], merges: boolean): Outcome {
    const errors = runs.flatMap((run) => {
      const why = this.refuses(run);
      return why === undefined ? [] : [`${String(run.event_id)}: ${why}`];
    });
    if (this.older && errors.length > 0) return { status: 422, body: { detail: errors } };
    const counts = { inserted: 0, duplicates: 0, merged: 0 };
    for (const run of runs) {
      if (this.refuses(run) === undefined) counts[this.#take(run, merges)]++;
    }
    const { merged, ...plain } = counts;
    return { status: 200, body: { ...(this.older ? plain : { ...plain, merged }), errors, total: runs.length } };
  }

  #take(run: Stored, merges: boolean): 'inserted' | 'duplicates' | 'merged' {
    const id = run.event_id as string;
    const known = this.runs.get(id);
    if (known && !merges) return 'duplicates';
    const newer = known && String(run.updated_at) > String(known.updated_at);
    this.runs.set(id, newer === false ? { ...run, ...known } : { ...known, ...run });
    return known ? 'merged' : 'inserted';
  }

  #patch(eventId: string, fields: Stored): Outcome {
    const run = this.runs.get(eventId);
    if (!run) return NOT_FOUND;
    const taken = Object.entries(fields).filter(([name]) => PATCHABLE.includes(name));
    if (taken.length === 0) return { status: 400, body: { detail: 'No valid fields to update' } };
    Object.assign(run, Object.fromEntries(taken));
    return { status: 200, body: { event_id: eventId, updated: true, fields_updated: taken.map(([name]) => name) } };
  }
}
