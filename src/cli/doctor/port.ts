/** Who answers at the service's port, and whether it is the service of this database. */
import { isIPv6 } from 'node:net';
import { describe } from '../../errors.ts';
import { bad, type Check, ok, warning } from '../../offline/check.ts';
import { type Look, realOf } from './look.ts';

const TIMEOUT_MS = 3_000;

export async function checkPort({ config, path, status }: Look, lockHeld: boolean): Promise<Check> {
  const { host, port } = config.http;
  if (port === 0) return ok('port', 'TELEMETRY_API_PORT is 0: any free port');
  const reached = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
  const url = `http://${isIPv6(reached) ? `[${reached}]` : reached}:${port}`;
  const answer = await ask(url);
  const runs = status !== undefined || lockHeld;
  if ('problem' in answer) {
    if (!runs) return ok('port', `nothing answers at ${url}, and no service runs`);
    const remedy = 'Give this command the settings of the service, or look at its log';
    return warning('port', `a service has the database, but ${url} does not answer: ${answer.problem}`, remedy);
  }
  const { health } = answer;
  if (health?.db_path === undefined) {
    return bad(
      'port',
      `another program answers at ${url}`,
      'Set TELEMETRY_API_PORT to a free port, or end that program',
    );
  }
  if (realOf(health.db_path) !== path) {
    const seen = `the service at ${url} has another database: ${health.db_path}`;
    return bad(
      'port',
      seen,
      'Set TELEMETRY_DB_PATH or TELEMETRY_API_PORT, so that agents and commands mean one service',
    );
  }
  const seen = `the service of this database answers at ${url}, version ${health.version}`;
  if (health.status === 'ok') return ok('port', seen);
  return bad('port', `${seen}: ${health.status}`, 'Its log says why its writer is away');
}

type Health = Readonly<Partial<Record<'status' | 'version' | 'db_path', string>>>;

async function ask(url: string): Promise<{ health: Health | undefined } | { problem: string }> {
  let text: string;
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    text = await response.text();
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return { problem: describe(cause) };
  }
  try {
    const health: unknown = JSON.parse(text);
    return { health: typeof health === 'object' && health !== null ? (health as Health) : undefined };
  } catch {
    return { health: undefined };
  }
}
