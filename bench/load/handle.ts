/** The load's process, as a benchmark sees it. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Job, type Order, type Outcome, type Report, STARTED, STOP } from './jobs.ts';

type Outcomes<Jobs extends Job[]> = { [Each in keyof Jobs]: Outcome };

/** Whatever is waited for, no longer. */
const LONGEST_MS = 30 * 60 * 1_000;

export class Load {
  readonly #child: ChildProcess = fork(fileURLToPath(new URL('./actor.ts', import.meta.url)), {
    serialization: 'advanced',
  });

  /** Called each time when what is to be sent is made, and the clock starts. */
  onStart: () => void = () => undefined;

  /** Does the jobs at the same time. @returns an outcome each, in order @throws Error where a request failed */
  async run<const Jobs extends Job[]>(url: string, milliseconds: number, ...jobs: Jobs): Promise<Outcomes<Jobs>> {
    const { hostname: host, port } = new URL(url);
    const order: Order = { host, port: Number(port), milliseconds, jobs };
    const report = await new Promise<Report>((resolve) => {
      const onExit = (): void => resolve({ error: "The load's process ended" });
      this.#child.once('exit', onExit);
      const onMessage = (message: unknown): void => {
        if (message === STARTED) return this.onStart();
        this.#child.off('exit', onExit);
        this.#child.off('message', onMessage);
        resolve(message as Report);
      };
      this.#child.on('message', onMessage);
      this.#child.send(order);
    });
    if ('error' in report) throw new Error(report.error);
    return report.outcomes as Outcomes<Jobs>;
  }

  /** The same, until `end` settles. */
  runUntil<const Jobs extends Job[]>(url: string, end: Promise<unknown>, ...jobs: Jobs): Promise<Outcomes<Jobs>> {
    const outcomes = this.run(url, LONGEST_MS, ...jobs);
    const stop = (): boolean => this.#child.connected && this.#child.send(STOP);
    end.then(stop, stop);
    return outcomes;
  }

  close(): void {
    this.#child.disconnect();
  }
}
