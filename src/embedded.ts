/**
 * `local-telemetry/embedded`: the platform in the agent's own process, without a port. The same writer,
 * the same lock, so one agent a database; what is recorded goes through the same spool.
 */
import { TelemetryClient } from './client/client.ts';
import type { ClientOptions } from './client/config.ts';
import { holding } from './client/exit.ts';
import { Guard } from './client/guard.ts';
import type { Answer, Transport } from './client/transport.ts';
import { describe, fromWire, TelemetryError, toWire } from './errors.ts';
import { replyOf } from './http/errors.ts';
import type { Reply } from './http/reply.ts';
import type { Logger } from './log.ts';
import { parsePlainJson } from './run.ts';

const LEAST_NODE = 24;

export interface EmbeddedOptions extends Omit<ClientOptions, 'apiUrl' | 'token' | 'testMode' | 'transport'> {
  /** The database file. TELEMETRY_DB_PATH, else `db/telemetry.sqlite` in the base directory. */
  dbPath?: string | undefined;
}

export interface Embedded extends AsyncDisposable {
  /** Records runs, straight into the database. */
  client: TelemetryClient;
  /** Why the database could not be opened, or could not be kept open; what is recorded then waits in the spool. */
  readonly problem: TelemetryError | undefined;
  /**
   * Asks what the service's API would be asked, such as `GET /api/v1/runs?status=failure`.
   *
   * @returns status and parsed body; 503 while there is a `problem`
   */
  request(method: 'GET' | 'POST' | 'PATCH', path: string, body?: object): Promise<Answer>;
  /** Stores what was recorded, then closes database and lock. */
  close(): Promise<void>;
}

/**
 * Opens the database in this process and gives a client for it. Never rejects: where it cannot be
 * opened (a service has it, say), the client writes to the spool, which that service reads.
 */
export async function openEmbedded(options: EmbeddedOptions = {}): Promise<Embedded> {
  const none = (): EmbeddedOptions => ({});
  const { dbPath, ...client } = new Guard().attempt('Reading the options', () => ({ ...options }), none);
  const guard = new Guard(typeof client.onWarning === 'function' ? client.onWarning : undefined);
  try {
    return await openWith(client, dbPath, guard);
  } catch (error) {
    const problem = fromWire(toWire(error));
    guard.warn('embedded', `${describe(error)} What is recorded waits in the spool.`);
    return spoolOnly(new TelemetryClient({ ...client, testMode: 'mock' }), problem);
  }
}

function spoolOnly(client: TelemetryClient, problem: TelemetryError): Embedded {
  const request = (): Promise<Answer> => Promise.resolve(answerOf(replyOf(problem)));
  const close = (): Promise<void> => client.close();
  return { client, problem, request, close, [Symbol.asyncDispose]: close };
}

/** HAZARD: only from here, and after a look at Node's version: an older one fails already to parse what is imported. */
async function loaded() {
  const node = process.versions.node;
  if (Number.parseInt(node, 10) < LEAST_NODE) {
    const remedy = 'Run the agent on a newer one, or start a service.';
    throw new TelemetryError(
      'refused',
      `openEmbedded needs Node.js ${LEAST_NODE} or later, and this is ${node}. ${remedy}`,
    );
  }
  const [{ loadConfig }, { InProcess }, { Traffic }, { startCore }, { VERSION }] = await Promise.all([
    import('./config.ts'),
    import('./http/in-process.ts'),
    import('./http/traffic.ts'),
    import('./platform.ts'),
    import('./version.ts'),
  ]);
  return { loadConfig, InProcess, Traffic, startCore, VERSION };
}

async function openWith(options: ClientOptions, dbPath: string | undefined, guard: Guard): Promise<Embedded> {
  const { loadConfig, InProcess, Traffic, startCore, VERSION } = await loaded();
  const config = loadConfig({ ...process.env, ...overrides(options, dbPath) }, null);
  const log = quietLogger(guard);
  const core = await startCore(config, log, { background: true });
  const front = new InProcess({ ...core, http: config.http, log, version: VERSION, traffic: new Traffic() });
  let problem: TelemetryError | undefined;
  void core.failed.then((error) => (problem = error));
  const transport: Transport = {
    request: async (method, path, body) => answerOf(await front.request(method, path, body)),
    close: () => undefined,
  };
  const client = new TelemetryClient({ ...options, bufferDir: config.spool.directory, testMode: 'live', transport });
  // The threads do not keep the process: what the agent awaits must.
  const close = (): Promise<void> =>
    holding(async () => {
      await client.close();
      await core[Symbol.asyncDispose]();
    });
  return {
    client,
    get problem() {
      return problem;
    },
    request: (method, path, body) => holding(() => transport.request(method, path, body && JSON.stringify(body))),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function overrides({ baseDir, bufferDir }: ClientOptions, dbPath: string | undefined): Record<string, string> {
  const given = { TELEMETRY_BASE_DIR: baseDir, TELEMETRY_BUFFER_DIR: bufferDir, TELEMETRY_DB_PATH: dbPath };
  const named = Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined);
  // There is no port to warn of.
  return { ...Object.fromEntries(named), TELEMETRY_API_HOST: '127.0.0.1' };
}

function answerOf({ status, body, headers }: Reply): Answer {
  const text = body instanceof Uint8Array ? Buffer.from(body).toString() : JSON.stringify(body);
  const wait = headers?.['Retry-After'];
  return { status, retryAfterMs: wait === undefined ? undefined : Number(wait) * 1000, body: parsePlainJson(text) };
}

/** A library says what is wrong and nothing else. */
function quietLogger(guard: Guard): Logger {
  const quiet = (): void => undefined;
  const loud = (message: string): void => guard.warn(message, message);
  return { debug: quiet, info: quiet, warning: loud, error: loud, flush: () => Promise.resolve() };
}
