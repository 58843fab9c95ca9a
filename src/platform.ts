/** The only wiring point: configuration in, a running platform out, which closes itself in order. */
import { readFileSync } from 'node:fs';
import { Gate } from './actors/gate.ts';
import { ReaderPool } from './actors/readers/handle.ts';
import { SpoolHandle } from './actors/spool/handle.ts';
import { WriterHandle } from './actors/writer/handle.ts';
import type { Config } from './config.ts';
import type { TelemetryError } from './errors.ts';
import { HttpServer } from './http/server.ts';
import type { Logger } from './log.ts';

export const VERSION = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

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
}

/**
 * Starts the core: database and lock, readers, spool.
 *
 * @throws TelemetryError "refused" with the remedy; nothing is left running then
 */
export async function startCore(config: Config, log: Logger, { background = false }: CoreOptions = {}): Promise<Core> {
  const { promise: failed, resolve: onFatal } = Promise.withResolvers<TelemetryError>();
  // Closed from the last to the first: what was taken is answered, for which it must be committed and read.
  await using parts = new AsyncDisposableStack();
  const gate = new Gate();
  const writer = new WriterHandle({ config, gate, log, onFatal, background });
  const info = await writer.open();
  parts.defer(() => writer.close());
  for (const warning of [...config.warnings, ...info.warnings]) log.warning(warning);
  const readers = new ReaderPool(config, gate, log);
  parts.defer(() => readers.close());
  await readers.ready();
  const spool = new SpoolHandle({ config, writer, readers, log, background });
  parts.defer(() => spool.close());
  await spool.open();
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
  const server = new HttpServer({ writer, readers, spool, http: config.http, log, version: VERSION });
  parts.defer(() => closeWithin(server, config.shutdownTimeoutMs));
  const url = await server.listen();
  const running = parts.move();
  return { url, writer, readers, spool, failed, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** Answers what was taken; what is still open after `timeoutMs` is cut. */
async function closeWithin(server: HttpServer, timeoutMs: number): Promise<void> {
  const force = setTimeout(() => server.abort(), timeoutMs);
  await server.close();
  clearTimeout(force);
}
