/** The settings of clients in this environment. They read no `.env`. */
import { CLIENT_SETTINGS, type ClientConfig, clientConfig } from '../../client/config.ts';
import { baseDirectory } from '../../config.ts';
import { TRUE } from '../../config/settings.ts';
import type { Environment } from '../terminal.ts';
import { type Row, rowOf } from './row.ts';

type Name = (typeof CLIENT_SETTINGS)[number]['name'];
type Resolve = (config: ClientConfig, given: string | undefined) => string | number | boolean | undefined;

interface ClientSetting {
  name: Name;
  alias?: string;
  default?: string;
  secret?: true;
}

interface Given {
  /** Of a secret in a file, the file's path. */
  value: string;
  source: string;
}

const isOn: Resolve = (_config, given) => TRUE.includes(String(given).toLowerCase());

/** What the client makes of a setting; without a line here it is as it is given. */
const RESOLVED: Readonly<Partial<Record<Name, Resolve>>> = {
  TELEMETRY_BASE_DIR: (_config, given) => baseDirectory(given),
  TELEMETRY_NDJSON_DIR: ({ ndjsonDir }) => ndjsonDir,
  TELEMETRY_BUFFER_DIR: ({ bufferDir }) => bufferDir,
  TELEMETRY_API_URL: ({ apiUrl }) => apiUrl,
  TELEMETRY_API_AUTH_TOKEN: ({ token }) => token,
  TELEMETRY_TEST_MODE: ({ mock }) => (mock ? 'mock' : 'live'),
  TELEMETRY_CLIENT_FSYNC: ({ fsync }) => fsync,
  TELEMETRY_RETRY_BACKOFF_FACTOR: ({ retryBackoffFactor }) => retryBackoffFactor,
  TELEMETRY_BUFFER_MAX_SIZE_MB: ({ maxFileBytes }) => maxFileBytes / 1024 / 1024,
  GOOGLE_SHEETS_API_ENABLED: isOn,
  METRICS_API_AUTH_REQUIRED: isOn,
};
const DERIVED: Readonly<Record<string, string>> = {
  TELEMETRY_BASE_DIR: 'derived from the home directory',
  TELEMETRY_NDJSON_DIR: 'derived from TELEMETRY_BASE_DIR',
  TELEMETRY_BUFFER_DIR: 'derived from TELEMETRY_BASE_DIR',
};

/** @param dotenv what a `.env` file says: clients do not see it, which is told */
export function clientRows(environment: Environment, dotenv: Environment): { rows: Row[]; problems: string[] } {
  const problems: string[] = [];
  const config = clientConfig({}, (problem) => problems.push(problem), environment);
  const rows = (CLIENT_SETTINGS as readonly ClientSetting[]).map((setting) => {
    const { name, secret = false, default: fallback } = setting;
    const wrong = problems.some((problem) => problem.startsWith(name) && / must be |cannot be read/.test(problem));
    const given = wrong ? undefined : givenIn(environment, setting);
    const resolve = RESOLVED[name];
    const value = resolve ? resolve(config, given?.value ?? fallback) : (given?.value ?? fallback);
    const row = rowOf({ name, value, secret, source: given?.source ?? DERIVED[name] });
    const unseen = !given && givenIn(dotenv, setting) !== undefined;
    return unseen ? { ...row, source: `${row.source}; .env is not read by clients` } : row;
  });
  return { rows, problems };
}

function givenIn(environment: Environment, { name, alias, secret }: ClientSetting): Given | undefined {
  const own = environment[name]?.trim();
  if (own) return { value: own, source: 'environment' };
  const older = alias && environment[alias]?.trim();
  if (older) return { value: older, source: `environment (${alias})` };
  const file = secret && environment[`${name}_FILE`]?.trim();
  return file ? { value: file, source: `file ${file}` } : undefined;
}
