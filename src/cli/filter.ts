/** The filters of the API's list as options of the command line. */
import { TelemetryError } from '../errors.ts';
import { LIST_PARAMETERS, readListTask } from '../http/filters.ts';
import { timestampOf } from '../run.ts';
import { UsageError } from './exit.ts';

/** How a list is gone through, not what is in it. */
const PAGING: readonly string[] = ['limit', 'offset', 'cursor'];

const FILTER_PARAMETERS: readonly string[] = LIST_PARAMETERS.filter((name) => !PAGING.includes(name));

const isTime = (name: string): boolean => /^(created|start_time)_/.test(name);

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  status: 'One of these, separated by commas: running, success, failure, partial, timeout, cancelled',
  exclude_job_type: 'All but this one',
  run_id_contains: 'Anywhere in the run_id; case matters',
  created_before: 'ISO 8601, or that long ago: 30m, 24h, 7d',
  created_after: 'ISO 8601, or that long ago: 30m, 24h, 7d',
  start_time_from: 'ISO 8601, or that long ago; inclusive',
  start_time_to: 'ISO 8601, or that long ago; inclusive',
};

export const optionOf = (parameter: string): string => parameter.replaceAll('_', '-');

export interface FilterOption {
  type: 'string';
  valueHint: string;
  description: string;
}

/** One option for each filter of the API, so that a new one is here too. */
export const FILTERS: Readonly<Record<string, FilterOption>> = Object.fromEntries(
  FILTER_PARAMETERS.map((name) => {
    const valueHint = isTime(name) ? 'time' : name === 'status' ? 'list' : 'text';
    return [optionOf(name), { type: 'string', valueHint, description: DESCRIPTIONS[name] ?? `Exactly this ${name}` }];
  }),
);

export type Arguments = Readonly<Record<string, unknown>>;

/**
 * The query string of a list that these options ask for. It is read as the API reads it, so that a wrong value is told before
 * anybody is asked; relative times are ours.
 *
 * @param now milliseconds since the epoch
 * @throws UsageError in the words of the API, or for a relative time that is none
 */
export function queryOf(args: Arguments, now: number = Date.now()): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of FILTER_PARAMETERS) {
    const option = optionOf(name);
    const value = args[option];
    if (typeof value !== 'string') continue;
    for (const part of name === 'status' ? listOf(option, value) : [value]) {
      query.append(name, isTime(name) ? timeOf(option, part, now) : part);
    }
  }
  try {
    readListTask(query);
  } catch (error) {
    throw error instanceof TelemetryError ? new UsageError(error.message) : error;
  }
  return query;
}

/** The parts of a list separated by commas. @throws UsageError where there is none */
export function listOf(option: string, value: string): string[] {
  const parts = value.split(',').map((part) => part.trim());
  if (parts.includes('')) throw new UsageError(`--${option} takes a list such as a,b,c, not "${value}"`);
  return parts;
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** The milliseconds of a time such as 30m, 24h, 7d. @throws UsageError */
export function durationOf(option: string, value: string): number {
  const [, digits, unit = ''] = /^(\d{1,9})([smhdw])$/.exec(value) ?? [];
  const milliseconds = Number(digits) * (UNITS[unit] ?? NaN);
  // Longer ago than the epoch is nothing that has a timestamp.
  if (milliseconds <= Date.now()) return milliseconds;
  throw new UsageError(`--${option} takes a whole number and one of s, m, h, d, w, such as 24h, not "${value}"`);
}

function timeOf(option: string, value: string, now: number): string {
  const isRelative = /^[-+]?[\d.]+ *[a-z]+$/i.test(value);
  return isRelative ? timestampOf(now - durationOf(option, value)) : value;
}
