/** A client for a test: folders of its own, warnings kept, closed in the end; and what it wrote. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MockTimersOptions, TestContext } from 'node:test';
import { takeClock } from '../../src/client/clock.ts';
import { type ClientOptions, TelemetryClient } from '../../src/client/index.ts';
import { FakeTransport } from './fake-transport.ts';
import { runToEnd, type Ended, type Environment, temporaryDirectory } from './service.ts';

export type Line = Record<string, unknown>;

export interface ClientBench {
  client: TelemetryClient;
  directory: string;
  spool: string;
  transport: FakeTransport;
  warnings: string[];
}

/** A client over a fake transport, unless the options bring an address. */
export function aClient(t: TestContext, options: ClientOptions = {}, folder?: string): ClientBench {
  const directory = folder ?? temporaryDirectory(t);
  const transport = new FakeTransport();
  const warnings: string[] = [];
  const client = new TelemetryClient({
    baseDir: directory,
    git: false,
    ...(options.apiUrl === undefined && { transport }),
    onWarning: (message) => warnings.push(message),
    ...options,
  });
  t.after(() => {
    // What is left must not hold up the end of the test.
    transport.letGo();
    return client.close();
  });
  return { client, directory, spool: join(directory, 'buffer'), transport, warnings };
}

/** The names in the spool, sorted; none where there is no such folder. */
export function spoolNames(spool: string, ending = ''): string[] {
  return existsSync(spool)
    ? readdirSync(spool)
        .filter((name) => name.endsWith(ending))
        .sort()
    : [];
}

/** Every line of the files of a folder whose names match, parsed. @throws where one is torn */
export function linesIn(folder: string, names = /\.(live|sealed)$/): Line[] {
  return spoolNames(folder)
    .filter((name) => names.test(name))
    .flatMap((name) => textLines(readFileSync(join(folder, name), 'utf8')))
    .map((line) => JSON.parse(line) as Line);
}

/** What ends in a line break, without the empty ones; a torn end counts as a line. */
export const textLines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

export const backupLines = (directory: string): Line[] => linesIn(join(directory, 'raw'), /\.ndjson$/);

/** The last record of each run among lines, by run_id. */
export const lastStates = (lines: readonly Line[]): Map<unknown, Line> =>
  new Map(lines.map((line) => [line.run_id, line]));

const INDEX = new URL('../../src/client/index.ts', import.meta.url).href;

/** Runs code as an agent of its own process, with `TelemetryClient` in scope, until it ends. */
export function runAgent(code: string, environment: Environment, args: readonly string[] = []): Promise<Ended> {
  const source = `import { TelemetryClient } from ${JSON.stringify(INDEX)};\n${code}`;
  return runToEnd(environment, ['-e', source, ...args], '--input-type=module');
}

/** Fakes timers for the client, which has taken the real ones when it was imported. */
export function fakeClock(t: TestContext, options: MockTimersOptions): void {
  t.mock.timers.enable(options);
  takeClock();
  t.after(() => realClock(t));
}

export function realClock(t: TestContext): void {
  t.mock.timers.reset();
  takeClock();
}
