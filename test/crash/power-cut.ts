/** Power cuts on one database: load, cut, remount, start again, judge. Shared by power.ts and power.test.ts. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Environment, localEnvironment, type ServiceProcess, spawnService } from '../support/service.ts';
import { kill, killWhileStarting, loadUntil, makePosters, type Moment } from './cycle.ts';
import type { CutFileSystem } from './file-system.ts';
import { Ledger } from './ledger.ts';
import type { Poster } from './load.ts';
import { judge, type Verdict } from './oracle.ts';

/** The service without the directory's sync. */
export const UNSAFE = fileURLToPath(new URL('./unsafe-service.ts', import.meta.url));

export const MAX_POSTERS = 8;

export interface SiteOptions {
  fileSystem: CutFileSystem;
  /** Of its directory on the file system, which must be new. */
  name: string;
  seed: number;
  settings?: Environment;
  /** Instead of src/main.ts. */
  script?: string | undefined;
}

/** A database on the file system, and who posts to it; what they note lies elsewhere. */
export class Site implements AsyncDisposable {
  readonly ledger = new Ledger();
  readonly #options: SiteOptions;
  readonly #environment: Environment;
  readonly #posters: Poster[];
  #service: ServiceProcess | undefined;
  readonly #onExit = (): void => void this.#service?.child.kill('SIGKILL');

  constructor(options: SiteOptions) {
    this.#options = options;
    this.#environment = { ...localEnvironment(this.#directory), ...options.settings };
    this.#posters = makePosters(MAX_POSTERS, options.seed, this.ledger);
    // Before the file system's own: nobody may have files open there when it is unmounted.
    process.prependListener('exit', this.#onExit);
  }

  /**
   * The service starts, the first `posters` of the posters begin, the power goes.
   *
   * @param frozen the service is stopped just before, so that all of its answers count, the last one
   *   too; if not, the cut may meet it in the middle of a flush, and answers read after it prove nothing
   */
  async cut(posters: number, moment: Moment, frozen: boolean): Promise<void> {
    const service = await this.#start();
    await loadUntil(service, this.#posters.slice(0, posters), { ...moment, outlived: !frozen }, () => {
      if (frozen) service.child.kill('SIGSTOP');
      this.#options.fileSystem.cut();
      service.child.kill('SIGKILL');
    });
    await service.exited;
    this.#options.fileSystem.restore();
  }

  /** The power goes while the service starts, perhaps while it rolls back a journal. */
  async cutWhileStarting(afterMs: number): Promise<void> {
    const { fileSystem, script } = this.#options;
    await killWhileStarting(this.#environment, afterMs, () => fileSystem.cut(), script);
    fileSystem.restore();
  }

  /** The service starts again; what does its database hold? */
  async judge(): Promise<Verdict> {
    const service = await this.#start();
    const verdict = judge(join(this.#directory, 'db', 'telemetry.sqlite'), this.ledger);
    await kill(service);
    return verdict;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#onExit);
    if (this.#service) await kill(this.#service);
  }

  get #directory(): string {
    return join(this.#options.fileSystem.mountPoint, this.#options.name);
  }

  async #start(): Promise<ServiceProcess> {
    return (this.#service = await spawnService(this.#environment, [], this.#options.script));
  }
}
