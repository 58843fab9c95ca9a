/** A database that no service has open: the platform's core in this process answers for it. */
import { inspect } from '../actors/writer/inspect.ts';
import { readMigrations } from '../actors/writer/migrate.ts';
import type { Config } from '../config.ts';
import { InProcess } from '../http/in-process.ts';
import type { Reply } from '../http/reply.ts';
import { Traffic } from '../http/traffic.ts';
import type { Logger } from '../log.ts';
import { type Core, startCore, startReading } from '../platform.ts';
import { VERSION } from '../version.ts';
import { type Answer, type Method, nextOf, retryAfterOf } from './answer.ts';
import type { Target } from './answer.ts';
import type { Terminal } from './terminal.ts';

export class FileTarget implements Target {
  readonly where: string;
  readonly live = false;
  note?: (line: string) => void;
  readonly #core: Core;
  readonly #front: InProcess;

  private constructor(config: Config, core: Core, log: Logger) {
    this.where = `The database ${config.database.path}`;
    this.#core = core;
    this.#front = new InProcess({ ...core, http: config.http, log, version: VERSION, traffic: new Traffic() });
  }

  /**
   * @param writes with the lock and a writer; without, it is only read, and a service may start meanwhile
   * @throws TelemetryError "refused" with the remedy, where another process has the lock, say
   */
  static async open(config: Config, terminal: Terminal, writes: boolean): Promise<FileTarget> {
    const log = terminalLogger(terminal);
    // One command asks one thing at a time.
    const quiet = { ...config, warnings: [], readers: { ...config.readers, threads: 1 } };
    // A command that does something else does not migrate on the way.
    inspect(config.database.path, readMigrations());
    const core = await (writes ? startCore(quiet, log, { spool: false }) : startReading(quiet, log));
    return new FileTarget(config, core, log);
  }

  async request(method: Method, path: string, body?: string): Promise<Answer> {
    const reply = await this.#front.request(method, path, body);
    const { Link: link, 'Retry-After': retryAfter } = reply.headers ?? {};
    return { status: reply.status, next: nextOf(link), retryAfterMs: retryAfterOf(retryAfter), body: bytesOf(reply) };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#core[Symbol.asyncDispose]());
  }
}

const bytesOf = ({ body }: Reply): Uint8Array =>
  body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));

/** What a service would log for its operator, this operator is told. */
function terminalLogger(terminal: Terminal): Logger {
  const quiet = (): void => undefined;
  // What becomes of a request is in its answer.
  const loud = (message: string): void => void (message.startsWith('Error in ') || terminal.note(message));
  return { debug: quiet, info: quiet, warning: loud, error: loud, flush: () => Promise.resolve() };
}
