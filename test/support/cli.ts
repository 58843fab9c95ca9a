/** The real command line, as its own process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { OURS, type Ended, MAIN, runToEnd } from './service.ts';

export type Settings = Record<string, string>;

/** Runs `local-telemetry <words>` to its end; of the test's own environment it has PATH only. */
export const cli = (words: readonly string[], settings: Settings = {}): Promise<Ended> =>
  runToEnd(settings, words, MAIN);

/** Starts `local-telemetry <words>`; the caller waits for its end, or ends it. */
export function startCli(words: readonly string[], settings: Settings = {}): ChildProcess {
  const env = { ...OURS, ...settings };
  return spawn(process.execPath, [MAIN, ...words], { env, stdio: ['pipe', 'pipe', 'pipe'] });
}
