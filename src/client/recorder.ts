/** The one way of everything recorded: spool, backup, outbox, service. Write first, send second. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { Syncer } from './append.ts';
import { timestamp } from './clock.ts';
import type { ClientConfig } from './config.ts';
import { type Leaving, offExit, onExit, within } from './exit.ts';
import type { Values } from './fields.ts';
import { fitted } from './fit.ts';
import { gitContext } from './git.ts';
import { type Guard, reasonOf } from './guard.ts';
import { Leftovers } from './leftovers.ts';
import { Ndjson } from './ndjson.ts';
import { Outbox } from './outbox.ts';
import { applyMetrics, type TrackedRun } from './record.ts';
import { type DeliveryCounts, Sender } from './sender.ts';
import { Sheets } from './sheets.ts';
import { Spool, type SpoolFile } from './spool.ts';
import type { Transport } from './transport.ts';

/** What became of everything recorded, since the client was made. */
export interface Delivery extends DeliveryCounts {
  /** Runs with a state that waits in memory, and perhaps on disk too. */
  waiting: number;
  /** States that did not fit into memory and wait, or waited, on disk only. */
  overflowed: number;
  /** States that neither memory nor disk could hold. */
  lost: number;
  /** States that could not be written to the spool. */
  not_spooled: number;
  /** Events and states that could not be written to the backup. */
  not_backed_up: number;
  /** Spool files with something undelivered. */
  spool_files: number;
}

/** How long the first delivery waits for git. */
const GIT_MS = 500;
const MAX_BEFORE_GIT = 1_000;

export class Recorder implements Leaving {
  readonly #config: ClientConfig;
  readonly #guard: Guard;
  readonly #transport: Transport;
  readonly #syncer: Syncer;
  readonly #spool: Spool;
  readonly #ndjson: Ndjson;
  readonly #outbox: Outbox;
  readonly #sender: Sender;
  readonly #sheets: Sheets | undefined;
  #git: Promise<void> | undefined;
  #gitKnown: Values | undefined;
  /** Runs that were started before git had answered. */
  readonly #beforeGit: TrackedRun[] = [];
  #notSpooled = 0;
  #notBackedUp = 0;
  /** Something was recorded since the last attempt to deliver at the end of the process. */
  #fresh = false;

  constructor(config: ClientConfig, guard: Guard, transport: Transport) {
    this.#config = config;
    this.#guard = guard;
    this.#transport = transport;
    this.#syncer = new Syncer(config.fsync, (error) => guard.warn('fsync', `flushing failed: ${reasonOf(error)}`));
    const files = { policy: config.fsync, syncer: this.#syncer };
    this.#spool = new Spool({ directory: config.bufferDir, maxFileBytes: config.maxFileBytes, ...files });
    this.#ndjson = new Ndjson(config.ndjsonDir, config.fsync, this.#syncer);
    this.#outbox = new Outbox(this.#spool, config.maxQueuedRuns);
    this.#sheets = config.sheets && new Sheets({ ...config.sheets, timeoutMs: config.timeoutMs }, guard);
    this.#sender = new Sender({
      outbox: this.#outbox,
      leftovers: new Leftovers({
        spool: this.#spool,
        guard,
        reject: (path, line, why) => this.#reject(path, line, why),
      }),
      transport,
      guard,
      backoffFactor: config.retryBackoffFactor,
      ready: () => this.#gitReady(),
      reject: ({ text, lines }, why) => this.#reject(lines[0]?.file.path, text, why),
    });
  }

  /** What is known of the repository by now; asking for it starts the search. */
  gitNow(): Values {
    const find = (): Promise<void> => this.#findGit();
    if (this.#config.git) this.#git ??= this.#guard.attemptAsync('Looking for the repository', find, () => undefined);
    return this.#gitKnown ?? {};
  }

  async #findGit(): Promise<void> {
    // Throws where the working directory was removed: then there is no repository.
    this.#gitKnown = { ...(await gitContext(process.cwd())) };
    const early = this.#beforeGit.splice(0);
    for (const run of early) if (!saysGit(run.record)) this.record(run, applyMetrics(run, this.#gitKnown).changes);
  }

  /** Records a run's new state. @param changes fields that are new in it @throws nothing but faults of ours */
  record(run: TrackedRun, changes: readonly string[]): void {
    const early = this.#git !== undefined && this.#gitKnown === undefined && run.version === 1;
    if (early && this.#beforeGit.length < MAX_BEFORE_GIT) this.#beforeGit.push(run);
    const { json, cut } = fitted(run.record);
    if (cut.length > 0) this.#guard.warn('too large', `a run is too large; ${cut.join(', ')} was cut`);
    run.size = json.length;
    const file = this.#onDisk(json);
    this.#backUp('run', json);
    this.#arm();
    // Files only: the service finds them.
    if (this.#config.mock) return;
    if (!this.#outbox.put(run, json, changes, file)) {
      this.#guard.warn('lost', 'neither disk nor memory could take a run; what is recorded now is lost');
    }
    this.#sender.wake();
  }

  event(event: Values): void {
    this.#backUp('event', JSON.stringify(event));
    this.#arm();
  }

  exportRun(run: TrackedRun): void {
    this.#sheets?.export(run.record);
  }

  /** Waits until all is delivered. @returns whether it is */
  async flush(timeoutMs: number, patient: boolean): Promise<boolean> {
    return this.#config.mock ? false : this.#sender.drained(timeoutMs, patient);
  }

  get delivery(): Delivery {
    return {
      ...this.#sender.counts,
      ...this.#outbox.counts,
      waiting: this.#outbox.size,
      not_spooled: this.#notSpooled,
      not_backed_up: this.#notBackedUp,
      spool_files: this.#spool.files.size,
    };
  }

  /** Delivers what the service takes now, then lets go of files and connections. Recording on takes them up again. */
  async close(timeoutMs: number): Promise<void> {
    await Promise.all([this.flush(timeoutMs, false), this.#sheetsSettled(timeoutMs)]);
    this.#sender.stop();
    this.leave();
    this.#transport.close();
    this.#sheets?.close();
    offExit(this);
  }

  async finish(): Promise<void> {
    if (!this.#fresh) return;
    this.#fresh = false;
    // Also where nothing is sent: what git says is recorded.
    await this.#gitReady();
    const { exitTimeoutMs } = this.#config;
    await Promise.all([this.flush(exitTimeoutMs, false), this.#sheetsSettled(exitTimeoutMs)]);
  }

  leave(): void {
    this.#syncer.now();
    this.#guard.attempt(
      'Closing the spool',
      () => this.#spool.seal(),
      () => undefined,
    );
    this.#guard.attempt(
      'Closing the backup',
      () => this.#ndjson.close(),
      () => undefined,
    );
  }

  #arm(): void {
    this.#fresh = true;
    onExit(this);
  }

  async #sheetsSettled(timeoutMs: number): Promise<void> {
    if (this.#sheets) await within(timeoutMs, this.#sheets.settled(), undefined);
  }

  #onDisk(json: string): SpoolFile | undefined {
    try {
      return this.#spool.append(json);
    } catch (error) {
      this.#notSpooled++;
      const { bufferDir } = this.#config;
      this.#guard.warn(
        'spool',
        `the spool ${bufferDir} cannot be written (${reasonOf(error)}); runs are held in memory`,
      );
      return undefined;
    }
  }

  #backUp(type: 'run' | 'event', json: string): void {
    try {
      this.#ndjson.append(type, json);
    } catch (error) {
      this.#notBackedUp++;
      const { ndjsonDir } = this.#config;
      this.#guard.warn('backup', `the backup ${ndjsonDir} cannot be written (${reasonOf(error)}); it has gaps`);
    }
  }

  /** Git has answered, or has had its time: then runs go without, and are told when it does. */
  async #gitReady(): Promise<void> {
    if (this.#git) await within(GIT_MS, this.#git, undefined);
  }

  /** Keeps what can never be delivered beside the spool file it came from. @returns whether it could */
  #reject(path: string | undefined, line: string, reason: string): boolean {
    const stem = path?.replace(/\.(live|sealed)$/, '') ?? join(this.#spool.directory, 'telemetry_unspooled.jsonl');
    this.#guard.warn('rejected', `the service refuses a run (${reason}); it is kept in ${stem}.rejected`);
    const entry = JSON.stringify({ rejected_at: timestamp(), reason, line });
    const write = (): boolean => {
      appendFileSync(`${stem}.rejected`, `${entry}\n`);
      return true;
    };
    return this.#guard.attempt('Keeping a rejected run', write, () => false);
  }
}

const saysGit = ({ git_repo, git_branch, git_run_tag }: Values): boolean =>
  (git_repo ?? git_branch ?? git_run_tag) !== undefined;

/** Where the agent has said nothing of its repository. */
export function addGit(record: Values, context: Values): void {
  if (!saysGit(record)) Object.assign(record, context);
}
