/** A run as the client knows it: its record, which only grows, and how far it has been delivered. */
import { type Status, statusRank, timestampOf, withinBound } from '../run.ts';
import { elapsed, now } from './clock.ts';
import { cleaned, type Cleaned, idOf, type Values } from './fields.ts';
import { eventId } from './run-ids.ts';

export interface TrackedRun {
  readonly runId: string;
  readonly eventId: string;
  /** The whole record; what is spooled is always all of it. */
  readonly record: Values;
  /** Monotonic milliseconds of the start. */
  readonly startedAt: number;
  ended: boolean;
  /** Counts the states of the record. */
  version: number;
  /** The service is known to hold the run. */
  known: boolean;
  /** Characters of the record as JSON. */
  size: number;
  /** Last updated_at, in microseconds since the epoch. */
  stamp: number;
}

const NOT_AT_START = new Set(['agent_name', 'job_type', 'end_time', 'duration_ms']);
const NOT_LATER = new Set(['event_id', 'run_id', 'agent_name', 'job_type', 'start_time', 'created_at', 'status']);
/** What a run may still be told once it has begun. */
const NOT_A_METRIC = new Set([...NOT_LATER, 'end_time']);

export interface Start {
  runId: string;
  agentName: unknown;
  jobType: unknown;
  fields: unknown;
  /** Values for what the agent does not say. */
  defaults: Values;
}

/** A new run, not yet recorded anywhere. */
export function startRun({ runId, agentName, jobType, fields, defaults }: Start): {
  run: TrackedRun;
  problems: string[];
} {
  const { values, problems } = cleaned(fields, NOT_AT_START);
  const at = now();
  const time = timestampOf(at);
  const names = { agent_name: idOf('agent_name', agentName), job_type: idOf('job_type', jobType) };
  for (const [name, value] of Object.entries(names)) {
    if (value === undefined) problems.push(`${name} is empty; the run is recorded under "unknown"`);
  }
  const record: Values = {
    event_id: eventId(at),
    created_at: time,
    start_time: time,
    agent_name: names.agent_name ?? 'unknown',
    job_type: names.job_type ?? 'unknown',
    status: 'running',
    ...withoutUndefined(defaults),
    ...values,
    // The agent goes on using the one it has: a run_id of 255 characters may have more bytes than the service takes.
    run_id: withinBound('run_id', runId),
  };
  const run: TrackedRun = {
    runId,
    eventId: String(record.event_id),
    record,
    startedAt: elapsed(),
    ended: false,
    version: 0,
    known: false,
    size: 0,
    stamp: 0,
  };
  advance(run, at);
  return { run, problems };
}

/** Sets metrics. @returns the names of the fields set, and what was wrong with others */
export function applyMetrics(run: TrackedRun, given: unknown): { changes: string[]; problems: string[] } {
  return apply(run, cleaned(given, NOT_A_METRIC));
}

/** Ends the run; end_time and duration_ms are now where the agent says nothing else. */
export function endRun(run: TrackedRun, status: Status, given: unknown): { changes: string[]; problems: string[] } {
  const { values, problems } = cleaned(given, NOT_LATER);
  const duration = Math.max(0, Math.round(elapsed() - run.startedAt));
  const end = { end_time: timestampOf(now()), duration_ms: run.record.duration_ms ?? duration };
  // Ended once more: a correction, which leaves the times as they were.
  const times = run.ended ? {} : end;
  // Wherever records are merged, a completed run stays completed: a cancellation comes too late.
  const late = run.ended && statusRank(status) < statusRank(run.record.status as Status);
  if (late) problems.push(`${status} comes too late, for the run has ended as ${String(run.record.status)}`);
  run.ended = true;
  return apply(run, { values: { ...times, ...values, ...(!late && { status }) }, problems });
}

function apply(run: TrackedRun, { values, problems }: Cleaned): { changes: string[]; problems: string[] } {
  const changes = Object.keys(values);
  if (changes.length > 0) {
    Object.assign(run.record, values);
    advance(run, now());
  }
  return { changes, problems };
}

/** A new version of the record, with an updated_at greater than every earlier one. */
function advance(run: TrackedRun, at: number): void {
  run.version++;
  run.stamp = Math.max(at * 1000, run.stamp + 1);
  const milliseconds = timestampOf(Math.floor(run.stamp / 1000));
  run.record.updated_at = `${milliseconds.slice(0, 23)}${String(run.stamp % 1000).padStart(3, '0')}+00:00`;
}

function withoutUndefined(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
