/** What the service's log must never say, and never hold. */
import type { Findings } from './findings.ts';
import { SECRET } from './inputs/values.ts';

const DEATHS = /^(The writer thread (died|failed)|A reader thread failed|The spool thread failed|Stopping: )/;
/** What a terminal acts on, or shows in another order. */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/;

/** @param lines of stdout since the last look; taken out */
export function checkLogs(lines: string[], findings: Findings): void {
  for (const line of lines.splice(0)) {
    const fault = faultOfLine(line);
    if (fault !== undefined) findings.add(undefined, line, fault);
  }
}

function faultOfLine(line: string): string | undefined {
  if (CONTROLS.test(line)) return 'a line of the log holds what a terminal acts on';
  if (line.includes(SECRET)) return 'a line of the log holds credentials of an address';
  try {
    const { message, error_code } = JSON.parse(line) as { message: string; error_code?: string };
    return DEATHS.test(message) || error_code === 'internal' ? `the log says ${message}` : undefined;
  } catch {
    return 'a line of the log is no JSON';
  }
}
