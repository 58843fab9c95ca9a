/** The settings of the service, as it would have them. */
import { baseDirectory, type Config } from '../../config.ts';
import type { Settings } from '../../config/environment.ts';
import { type Setting, SETTINGS } from '../../config/settings.ts';
import { type Row, rowOf } from './row.ts';

type Resolve = (config: Config, settings: Settings) => string | number | undefined;

/** What the configuration makes of a setting, where that is not its value; and of what, where it is not set. */
const RESOLVED: Readonly<Record<string, readonly [value: Resolve, from?: string]>> = {
  TELEMETRY_BASE_DIR: [
    (_config, { values }) => baseDirectory(values.TELEMETRY_BASE_DIR as string | undefined),
    'the home directory',
  ],
  TELEMETRY_DB_PATH: [({ database }) => database.path, 'TELEMETRY_BASE_DIR'],
  TELEMETRY_LOCK_FILE: [({ database }) => database.lockFile],
  TELEMETRY_NDJSON_DIR: [({ ndjsonDirectory }) => ndjsonDirectory, 'TELEMETRY_BASE_DIR'],
  TELEMETRY_BUFFER_DIR: [({ spool }) => spool.directory, 'TELEMETRY_BASE_DIR'],
  TELEMETRY_READERS: [({ readers }) => readers.threads, 'the number of cores'],
};

export function serviceRows(config: Config, settings: Settings): Row[] {
  return (SETTINGS as readonly Setting[]).map(({ name, secret = false }) => {
    const [resolved, from] = RESOLVED[name] ?? [];
    const value = resolved ? resolved(config, settings) : settings.values[name as keyof Settings['values']];
    const source = settings.origins[name] ?? (from && `derived from ${from}`);
    return rowOf({ name, value, secret, source });
  });
}
