/** Options that several commands have. */
import { type Config, loadConfig } from '../config.ts';
import { TelemetryError } from '../errors.ts';
import type { Terminal } from './terminal.ts';

export const DATABASE = {
  db: { type: 'string', valueHint: 'path', description: 'The database file, instead of TELEMETRY_DB_PATH' },
} as const;

export const JSON_OUTPUT = {
  json: { type: 'boolean', description: 'Print JSON, for scripts' },
} as const;

/** Options that stand for settings, and the settings. */
const SETTINGS: Readonly<Record<string, string>> = {
  db: 'TELEMETRY_DB_PATH',
  port: 'TELEMETRY_API_PORT',
  host: 'TELEMETRY_API_HOST',
  'log-level': 'TELEMETRY_LOG_LEVEL',
};

/** The environment with what the command line says over it. */
export function environmentOf(
  args: Readonly<Record<string, unknown>>,
  { environment }: Terminal,
): Record<string, string | undefined> {
  const given: Record<string, string> = {};
  for (const [option, setting] of Object.entries(SETTINGS)) {
    const value = args[option];
    if (typeof value === 'string') given[setting] = value;
  }
  return { ...environment, ...given };
}

/** @throws TelemetryError "refused", listing every wrong setting; one that an option stands for is named by both */
export function configOf(args: Readonly<Record<string, unknown>>, terminal: Terminal): Readonly<Config> {
  try {
    return loadConfig(environmentOf(args, terminal));
  } catch (error) {
    if (!(error instanceof TelemetryError)) throw error;
    const given = Object.entries(SETTINGS).filter(([option]) => typeof args[option] === 'string');
    const named = (message: string, [option, setting]: [string, string]): string =>
      message.replaceAll(`- ${setting} `, `- --${option} (${setting}) `);
    throw new TelemetryError(error.code, given.reduce(named, error.message), { cause: error });
  }
}
