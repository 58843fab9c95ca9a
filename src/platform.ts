/** The only wiring point: configuration in, a running platform out, which closes itself in order. */
import { Gate } from './actors/gate.ts';
import { ReaderPool } from './actors/readers/handle.ts';
import { SpoolHandle } from './actors/spool/handle.ts';
import { WriterHandle } from './actors/writer/handle.ts';
import { inspect, requireCurrent } from './actors/writer/inspect.ts';
import { readMigrations } from './actors/writer/migrate.ts';
import type { Config } from './config.ts';
import { describe, type TelemetryError } from './errors.ts';
import { HttpServer } from './http/server.ts';
import { objectionTo, socketPathOf } from './http/control-socket.ts';
import type { Services } from './http/call.ts';
import { LoopDelay } from './http/prometheus/loop-delay.ts';
import { Traffic } from './http/traffic.ts';
import type { Logger } from './log.ts';
import { VERSION } from './version.ts';

/** SQLite's statistics are looked after this often. */
const OPTIMIZE_EVERY_MS = 6 * 60 * 60 * 1_000;
const NOTHING = new Uint8Array();
// A full mailbox or disk: whoever writes is told, and the statistics wait for the next time.
const ignored = (): void => undefined;

/** The platform without its front end: what an agent's own process may embed. */
export interface Core extends AsyncDisposable {
  writer: WriterHandle;
  readers: ReaderPool;
  spool: SpoolHandle;
  /** Resolves with the reason when the platform can no longer do its work. */
  failed: Promise<TelemetryError>;
}

export interface Platform extends Core {
  /** Where it listens, such as http://127.0.0.1:8765. */
  url: string;
}

export interface CoreOptions {
  /** The threads do not keep the process alive; for an agent's own process, which ends when its work does. */
  background?: boolean;
  /** Whether clients' spool files are read too; true. A command that does one thing leaves them to the service. */
  spool?: boolean;
}

/**
 * Starts the core: database and lock, readers, spool.
 *
 * @throws TelemetryError "refused" with the remedy; nothing is left running then
 */
export async function startCore(config: Config, log: Logger, options: CoreOptions = {}): Promise<Core> {
  const { background = false, spool: spooling = true } = options;
  const { promise: failed, resolve: onFatal } = Promise.withResolvers<TelemetryError>();
  // Closed from the last to the first: what was taken is answered, for which it must be committed and read.
  await using parts = new AsyncDisposableStack();
  const gate = new Gate();
  const writer = new WriterHandle({ config, gate, log, onFatal, background });
  const info = await writer.open();
  parts.defer(() => writer.close());
  for (const warning of [...config.warnings, ...info.warnings]) log.warning(warning);
  const optimizing = setInterval(
    () => void writer.send('optimize', { analyze: false }, NOTHING).catch(ignored),
    OPTIMIZE_EVERY_MS,
  );
  optimizing.unref();
  parts.defer(() => clearInterval(optimizing));
  const readers = new ReaderPool(config, gate, log);
  parts.defer(() => readers.close());
  await readers.ready();
  const spool = new SpoolHandle({ config, writer, readers, log, background });
  parts.defer(() => spool.close());
  if (spooling) await spool.open();
  const running = parts.move();
  return { writer, readers, spool, failed, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/**
 * Starts the readers only: no lock is taken, nothing is written, and every command is answered "unavailable".
 *
 * @throws TelemetryError "refused" with the remedy
 */
export async function startReading(config: Config, log: Logger): Promise<Core> {
  const gate = new Gate();
  const { promise: failed, resolve: onFatal } = Promise.withResolvers<TelemetryError>();
  await using parts = new AsyncDisposableStack();
  const migrations = readMigrations();
  requireCurrent(config.database.path, inspect(config.database.path, migrations), migrations);
  const readers = new ReaderPool(config, gate, log);
  parts.defer(() => readers.close());
  await readers.ready();
  // Neither is ever opened.
  const writer = new WriterHandle({ config, gate, log, onFatal });
  const spool = new SpoolHandle({ config, writer, readers, log });
  const running = parts.move();
  return { writer, readers, spool, failed, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/**
 * Starts the platform: the core, then the port.
 *
 * @throws TelemetryError "refused" with the remedy; nothing is left running then
 */
export async function start(config: Config, log: Logger): Promise<Platform> {
  await using parts = new AsyncDisposableStack();
  const core = parts.use(await startCore(config, log));
  const { writer, readers, spool, failed } = core;
  const services: Services = {
    writer,
    readers,
    spool,
    http: config.http,
    log,
    version: VERSION,
    traffic: new Traffic(),
    loopDelay: parts.use(new LoopDelay()),
  };
  const front = new HttpServer(services);
  const servers = [front];
  // All at once: from the first moment on nothing new is taken.
  parts.defer(async () => {
    await Promise.all(servers.map((server) => closeWithin(server, config.shutdownTimeoutMs)));
  });
  const url = await front.listen();
  servers.push(...(await openControl(services, writer.info.realPath)));
  const running = parts.move();
  return { url, writer, readers, spool, failed, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** The socket for operators; a service without one is a service all the same. */
async function openControl(services: Services, databasePath: string): Promise<HttpServer[]> {
  const path = socketPathOf(databasePath);
  const server = new HttpServer(services, path);
  try {
    const objection = objectionTo(path);
    if (objection !== undefined) throw new Error(objection);
    await server.listen();
    return [server];
  } catch (error) {
    services.log.warning(
      `The control socket ${path} cannot be opened (${describe(error)}): commands that change the database need this service to be stopped`,
    );
    return [];
  }
}

/** Answers what was taken; what is still open after `timeoutMs` is cut. */
async function closeWithin(server: HttpServer, timeoutMs: number): Promise<void> {
  const force = setTimeout(() => server.abort(), timeoutMs);
  await server.close();
  clearTimeout(force);
}
