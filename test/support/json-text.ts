/** Runs as JSON text, for what JSON.stringify would never write. */
import { aRun } from './service.ts';

/** An object so many levels deep. */
export const nested = (levels: number): string => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels);

// No digits in its ids: a body with many in a row is parsed in another way.
export const lettered = (fields: Record<string, unknown> = {}): Record<string, unknown> & { event_id: string } => {
  const run = aRun();
  const event_id = run.event_id.replaceAll(/\d/g, (digit) => 'ghijklmnop'[Number(digit)] as string);
  return { ...run, event_id, run_id: 'run', ...fields };
};

/** The object as JSON with one more member, whose value is JSON already. */
export const withMember = (value: object, name: string, json: string): string =>
  JSON.stringify({ ...value, [name]: undefined })
    .replace(/}$/, `,"${name}":${json}}`)
    .replace('{,', '{');
