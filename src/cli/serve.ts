/** `serve`: the service. Configuration, start, signals, end. */
import { createLogger } from '../log.ts';
import { start } from '../platform.ts';
import { command } from './command.ts';
import { EXIT } from './exit.ts';
import { configOf, DATABASE } from './options.ts';
import type { Terminal } from './terminal.ts';

export default command({
  name: 'serve',
  summary: 'Start the service',
  details:
    'Runs until SIGTERM or SIGINT, then answers what it took and stops in order; a second signal ends it at once.\n' +
    'Settings come from the environment and .env; options win over them.',
  args: {
    port: { type: 'string', valueHint: 'number', description: 'Port to listen on, instead of TELEMETRY_API_PORT' },
    host: { type: 'string', valueHint: 'address', description: 'Address to listen on, instead of TELEMETRY_API_HOST' },
    ...DATABASE,
    'log-level': { type: 'string', valueHint: 'level', description: 'DEBUG, INFO, WARNING or ERROR' },
  },
  examples: [
    ['serve', 'on port 8765, with the database in ~/.telemetry'],
    ['serve --port 9000 --host 127.0.0.1 --db /var/lib/telemetry/telemetry.sqlite', 'elsewhere'],
  ],
  run: serve,
});

async function serve(args: Readonly<Record<string, unknown>>, terminal: Terminal): Promise<number> {
  const config = configOf(args, terminal);
  const log = createLogger(config.logLevel);
  const stopped = stopSignal();
  const platform = await Promise.race([start(config, log), stopped]);
  // A signal while the database is being opened: nothing was acknowledged yet, and opening may be killed at any point.
  if (typeof platform === 'string') return EXIT.done;
  const { path: db_path, journalMode: journal_mode, synchronous } = platform.writer.info;
  log.info(`Listening on ${platform.url}`, { url: platform.url, pid: process.pid, db_path, journal_mode, synchronous });
  const reason = await Promise.race([stopped, platform.failed]);
  const code = typeof reason === 'string' ? EXIT.done : EXIT.failed;
  if (typeof reason === 'string') log.info(`Stopping on ${reason}`);
  else log.error(`Stopping: ${reason.message}`, { error_type: reason.name });
  const deadline = setTimeout(() => process.exit(code), config.shutdownTimeoutMs + 1_000);
  await platform[Symbol.asyncDispose]();
  log.info('Stopped');
  await log.flush();
  clearTimeout(deadline);
  return code;
}

/** Resolves with the first signal's name; the second ends the process at once. (SIGBREAK is Windows' Ctrl-Break.) */
function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    let first = true;
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGBREAK'] as const) {
      process.on(signal, () => {
        if (!first) process.exit(1);
        first = false;
        resolve(signal);
      });
    }
  });
}
