#!/usr/bin/env node
/** The program: the command line over this process. */
import { run } from './cli/index.ts';
import { Terminal } from './cli/terminal.ts';

const { env: environment, stdout, stderr } = process;
// A reader that has gone (`| head`) is found out by the write that fails.
for (const output of [stdout, stderr]) output.on('error', () => undefined);
const code = await run(process.argv.slice(2), new Terminal({ environment, stdout, stderr }));
// What was written is out before the process ends, on every system.
stdout.write('', () => stderr.write('', () => process.exit(code)));
