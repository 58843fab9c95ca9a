/**
 * Whom a command speaks to: the running service of a database, over its control socket; where none runs, the
 * database itself, in this process and under its lock; or a service elsewhere, over HTTP. All three answer the
 * same API, so that a live database is only ever changed by its writer.
 */
import type { Config } from '../config.ts';
import { TelemetryError } from '../errors.ts';
import type { Target } from './answer.ts';
import { lookedAt } from '../offline/files.ts';
import { HttpTarget } from './http-target.ts';
import { configOf } from './options.ts';
import type { Terminal } from './terminal.ts';

export interface TargetOptions {
  /** Whether the command changes the database; where none runs it is opened as by a service then. */
  writes: boolean;
  /** May be made where it is missing. */
  creates?: boolean;
}

/** Options of commands that may speak to a service elsewhere. */
export const ELSEWHERE = {
  url: { type: 'string', valueHint: 'address', description: 'A service elsewhere, such as http://host:8765' },
} as const;

/** @throws TelemetryError with the remedy where there is nobody to speak to */
export async function openTarget(
  args: Readonly<Record<string, unknown>>,
  terminal: Terminal,
  options: TargetOptions,
): Promise<Target> {
  const target = await chosen(args, terminal, options);
  target.note = (line) => terminal.note(line);
  return target;
}

async function chosen(
  args: Readonly<Record<string, unknown>>,
  terminal: Terminal,
  options: TargetOptions,
): Promise<Target> {
  const config = configOf(args, terminal);
  if (typeof args.url === 'string') return HttpTarget.at(args.url, config.apiToken);
  return (await openSocket(config)) ?? openFile(config, terminal, options);
}

/** The running service of a database; undefined where none answers on its socket. */
export async function openSocket(config: Config): Promise<Target | undefined> {
  const { realPath } = await import('../actors/writer/real-path.ts');
  const { socketPathOf } = await import('../http/control-socket.ts');
  let path: string;
  try {
    path = socketPathOf(realPath(config.database.path));
  } catch {
    // Not even its directory is there.
    return undefined;
  }
  return HttpTarget.onSocket(path, config.database.path);
}

async function openFile(config: Config, terminal: Terminal, { writes, creates }: TargetOptions): Promise<Target> {
  const { path } = config.database;
  if (!creates && !lookedAt(path)) {
    const remedy = 'Set TELEMETRY_DB_PATH or give --db; for a service elsewhere give --url.';
    throw new TelemetryError('refused', `There is no database ${path}, and no service that has it open. ${remedy}`);
  }
  // Only here, for SQLite takes its time to load.
  const { FileTarget } = await import('./file-target.ts');
  return FileTarget.open(config, terminal, writes);
}
