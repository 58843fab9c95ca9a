/** A real service with a spool. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LogLine, Service } from './service.ts';

/** The spool of a service whose base directory this is, made. */
export function spoolOf(directory: string): string {
  const spool = join(directory, 'buffer');
  mkdirSync(spool, { recursive: true });
  return spool;
}

/** Resolves once so many lines of the spool have been stored, as the log tells. @returns what it told */
export async function drained({ logged }: Pick<Service, 'logged'>, lines: number): Promise<LogLine[]> {
  const told: LogLine[] = [];
  for (let sum = 0; sum < lines;) {
    const line = await logged(/^Spool drained$/, told.length + 1);
    told.push(line);
    sum += line.lines as number;
  }
  return told;
}

/** The spool as /metrics shows it. */
export async function spoolMetrics({ request }: Pick<Service, 'request'>): Promise<Record<string, number>> {
  const { body } = await request('GET', '/metrics');
  return (body as { spool: Record<string, number> }).spool;
}
