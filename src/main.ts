/** The service: configuration, start, signals, end. */
import { parseArgs } from 'node:util';
import { loadConfig } from './config.ts';
import { describe, TelemetryError } from './errors.ts';
import { createLogger } from './log.ts';
import { start } from './platform.ts';

const OPTIONS = {
  port: { type: 'string' },
  host: { type: 'string' },
  db: { type: 'string' },
  'log-level': { type: 'string' },
} as const;

async function main(): Promise<number> {
  const values = readArguments();
  const given = {
    TELEMETRY_API_PORT: values.port,
    TELEMETRY_API_HOST: values.host,
    TELEMETRY_DB_PATH: values.db,
    TELEMETRY_LOG_LEVEL: values['log-level'],
  };
  const overrides = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const config = loadConfig({ ...process.env, ...overrides });
  const log = createLogger(config.logLevel);
  const stopped = stopSignal();
  const platform = await Promise.race([start(config, log), stopped]);
  // A signal while the database is being opened: nothing was acknowledged yet, and opening may be killed at any point.
  if (typeof platform === 'string') return 0;
  const { path: db_path, journalMode: journal_mode, synchronous } = platform.writer.info;
  log.info(`Listening on ${platform.url}`, { url: platform.url, pid: process.pid, db_path, journal_mode, synchronous });
  const reason = await Promise.race([stopped, platform.failed]);
  const failed = typeof reason !== 'string';
  if (failed) log.error(`Stopping: ${reason.message}`, { error_type: reason.name });
  else log.info(`Stopping on ${reason}`);
  const deadline = setTimeout(() => process.exit(failed ? 1 : 0), config.shutdownTimeoutMs + 1_000);
  await platform[Symbol.asyncDispose]();
  log.info('Stopped');
  await log.flush();
  clearTimeout(deadline);
  return failed ? 1 : 0;
}

function readArguments(): Partial<Record<keyof typeof OPTIONS, string>> {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    const known = Object.keys(OPTIONS).map((name) => `--${name} VALUE`);
    throw new TelemetryError('refused', `${describe(error)}. Options: ${known.join(', ')}`, { cause: error });
  }
}

/** Resolves with the first signal's name; the second ends the process at once. */
function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    let first = true;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (!first) process.exit(1);
        first = false;
        resolve(signal);
      });
    }
  });
}

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`local-telemetry: ${describe(error)}\n`);
  process.exit(1);
}
