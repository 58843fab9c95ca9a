/** The command line in the test's own process: what `cli` runs, without the start of a process for each call. */
import { PassThrough } from 'node:stream';
import { run } from '../../src/cli/index.ts';
import { Terminal } from '../../src/cli/terminal.ts';
import type { Settings } from './cli.ts';
import type { Ended } from './service.ts';

/** Runs `local-telemetry <words>` to its end, with these settings only. */
export async function cliHere(words: readonly string[], settings: Settings = {}): Promise<Ended> {
  const output = { stdout: '', stderr: '' };
  const streamOf = (name: keyof typeof output): PassThrough => {
    const stream = new PassThrough();
    stream.setEncoding('utf8').on('data', (text: string) => (output[name] += text));
    return stream;
  };
  const streams = { stdout: streamOf('stdout'), stderr: streamOf('stderr') };
  const code = await run(words, new Terminal({ environment: settings, ...streams }));
  const ended = Object.values(streams).map((stream) => new Promise((resolve) => stream.once('end', resolve)));
  for (const stream of Object.values(streams)) stream.end();
  await Promise.all(ended);
  return { code, signal: null, ...output };
}
