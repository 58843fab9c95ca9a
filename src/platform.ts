/** The only wiring point: configuration in, a running platform out, which closes itself in order. */
import { readFileSync } from 'node:fs';
import { Gate } from './actors/gate.ts';
import { ReaderPool } from './actors/readers/handle.ts';
import { WriterHandle } from './actors/writer/handle.ts';
import type { Config } from './config.ts';
import type { TelemetryError } from './errors.ts';
import { HttpServer } from './http/server.ts';
import type { Logger } from './log.ts';

export const VERSION = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

export interface Platform extends AsyncDisposable {
  /** Where it listens, such as http://127.0.0.1:8765. */
  url: string;
  writer: WriterHandle;
  readers: ReaderPool;
  /** Resolves with the reason when the platform can no longer do its work. */
  failed: Promise<TelemetryError>;
}

/**
 * Starts the platform: database and lock, readers, then the port.
 *
 * @throws TelemetryError "refused" with the remedy; nothing is left running then
 */
export async function start(config: Config, log: Logger): Promise<Platform> {
  const { promise: failed, resolve: onFatal } = Promise.withResolvers<TelemetryError>();
  // Closed from the last to the first: what was taken is answered, for which it must be committed and read.
  await using parts = new AsyncDisposableStack();
  const gate = new Gate();
  const writer = new WriterHandle({ config, gate, log, onFatal });
  const info = await writer.open();
  parts.defer(() => writer.close());
  for (const warning of [...config.warnings, ...info.warnings]) log.warning(warning);
  const readers = new ReaderPool(config, gate, log);
  parts.defer(() => readers.close());
  await readers.ready();
  const server = new HttpServer({ writer, readers, http: config.http, log, version: VERSION });
  parts.defer(() => closeWithin(server, config.shutdownTimeoutMs));
  const url = await server.listen();
  const running = parts.move();
  return { url, writer, readers, failed, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** Answers what was taken; what is still open after `timeoutMs` is cut. */
async function closeWithin(server: HttpServer, timeoutMs: number): Promise<void> {
  const force = setTimeout(() => server.abort(), timeoutMs);
  await server.close();
  clearTimeout(force);
}
