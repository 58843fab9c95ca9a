/** Whether a line of the spool can be stored, told before it is sent. */
import { TelemetryError } from '../../errors.ts';
import { acceptsRun, reasonAgainst } from '../../run/check.ts';
import { parseBody } from '../body.ts';
import type { Line } from './lines.ts';

/** @returns why a line can never be stored; undefined where it can */
export function reasonToReject(line: Line, maxRunBytes: number): string | undefined {
  if (line.length > maxRunBytes) {
    return `The line has ${line.length} bytes; at most ${maxRunBytes} are taken for one run (TELEMETRY_MAX_BODY_BYTES).`;
  }
  try {
    const record = parseBody(line.bytes, 'line');
    return acceptsRun(record, 'repair') ? undefined : reasonAgainst(record, 'repair');
  } catch (error) {
    if (error instanceof TelemetryError) return error.issues?.[0]?.msg ?? error.message;
    throw error;
  }
}

/** Whether nothing stands on a line. */
export function isBlank({ bytes, length }: Line): boolean {
  return length === bytes.length && bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
