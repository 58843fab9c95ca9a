/** The client's configuration: constructor before environment before default. Wrong values warn, and the default holds. */
import { readFileSync } from 'node:fs';
import { homedir, hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readable } from './fields.ts';
import { reasonOf } from './guard.ts';
import type { Transport } from './transport.ts';

export type FsyncPolicy = 'always' | 'batch' | 'off';

/** What `new TelemetryClient({…})` takes; what is left out comes from the environment. */
export interface ClientOptions {
  /** Folder of everything, the service's too if both run here. TELEMETRY_BASE_DIR, else `~/.telemetry`. */
  baseDir?: string | undefined;
  /** Folder of the NDJSON backup. TELEMETRY_NDJSON_DIR, else `raw` in the base directory. */
  ndjsonDir?: string | undefined;
  /** Folder of the spool. TELEMETRY_BUFFER_DIR, else `buffer` in the base directory. */
  bufferDir?: string | undefined;
  /** Address of the service. TELEMETRY_API_URL, else http://localhost:8765. */
  apiUrl?: string | undefined;
  /** Bearer token for the service. TELEMETRY_API_AUTH_TOKEN. */
  token?: string | undefined;
  /** `mock` writes files only and touches no network. TELEMETRY_TEST_MODE, else `live`. */
  testMode?: 'mock' | 'live' | undefined;
  /** When what was recorded survives a power cut too. TELEMETRY_CLIENT_FSYNC, else `batch`: within 50 ms. */
  fsync?: FsyncPolicy | undefined;
  /** `agent_owner` of runs that name none. AGENT_OWNER. */
  agentOwner?: string | undefined;
  /** Whether git_repo, git_branch and git_run_tag are found out; true. */
  git?: boolean | undefined;
  /** Milliseconds after which a request without an answer counts as failed; 10,000. */
  timeoutMs?: number | undefined;
  /** By what the pause between attempts grows. TELEMETRY_RETRY_BACKOFF_FACTOR, else 2. */
  retryBackoffFactor?: number | undefined;
  /** Megabytes after which a spool file is closed and another begun. TELEMETRY_BUFFER_MAX_SIZE_MB, else 10. */
  bufferMaxSizeMb?: number | undefined;
  /** Runs held in memory until they are delivered; beyond, they wait on disk. 10,000. */
  maxQueuedRuns?: number | undefined;
  /** Milliseconds that an ending process gives the last deliveries; 1,000. */
  exitTimeoutMs?: number | undefined;
  /** Takes warnings instead of `process.emitWarning`; each kind comes once. */
  onWarning?: ((message: string) => void) | undefined;
  /** Instead of HTTP; for embedding and tests. */
  transport?: Transport | undefined;
}

export interface ClientConfig {
  ndjsonDir: string;
  bufferDir: string;
  apiUrl: string;
  token: string | undefined;
  mock: boolean;
  fsync: FsyncPolicy;
  agentOwner: string | undefined;
  host: string | undefined;
  git: boolean;
  timeoutMs: number;
  retryBackoffFactor: number;
  maxFileBytes: number;
  maxQueuedRuns: number;
  exitTimeoutMs: number;
  /** Undefined where the export is off. */
  sheets: { url: string; token: string | undefined } | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

interface ClientSetting {
  readonly name: string;
  readonly alias?: string;
  readonly default?: string;
  readonly takes?: readonly string[];
  /** May also be in a file, which the variable with `_FILE` behind its name tells. */
  readonly secret?: true;
}

/** Every variable the client reads. */
export const CLIENT_SETTINGS = [
  { name: 'TELEMETRY_BASE_DIR', alias: 'AGENT_METRICS_DIR' },
  { name: 'TELEMETRY_NDJSON_DIR' },
  { name: 'TELEMETRY_BUFFER_DIR' },
  { name: 'TELEMETRY_API_URL', alias: 'METRICS_API_URL', default: 'http://localhost:8765' },
  { name: 'TELEMETRY_API_AUTH_TOKEN', secret: true },
  { name: 'TELEMETRY_TEST_MODE', default: 'live', takes: ['mock', 'live'] },
  { name: 'TELEMETRY_CLIENT_FSYNC', default: 'batch', takes: ['always', 'batch', 'off'] },
  { name: 'TELEMETRY_RETRY_BACKOFF_FACTOR', default: '2' },
  { name: 'TELEMETRY_BUFFER_MAX_SIZE_MB', default: '10' },
  { name: 'AGENT_OWNER' },
  { name: 'GOOGLE_SHEETS_API_ENABLED', alias: 'METRICS_API_ENABLED', default: 'false' },
  { name: 'GOOGLE_SHEETS_API_URL' },
  { name: 'METRICS_API_TOKEN', secret: true },
  { name: 'METRICS_API_AUTH_REQUIRED', default: 'true' },
] as const satisfies readonly ClientSetting[];

type Name = (typeof CLIENT_SETTINGS)[number]['name'];

const SETTINGS: readonly ClientSetting[] = CLIENT_SETTINGS;
const MIB = 1024 * 1024;
const TRUE = ['true', '1', 'yes', 'on'];
const FALSE = ['false', '0', 'no', 'off'];

type Given = (name: keyof ClientOptions) => unknown;
type Read = (name: Name) => string | undefined;

/** @param warn is told what is wrong, and with what the client goes on */
export function clientConfig(
  options: ClientOptions,
  warn: (message: string) => void,
  environment: Environment = process.env,
): ClientConfig {
  const given: Given = (name) => readable(options, name);
  const read: Read = (name) => {
    const { alias, secret, default: fallback } = settingOf(name);
    const value = environment[name]?.trim() || (alias && environment[alias]?.trim());
    const file = secret && environment[`${name}_FILE`]?.trim();
    return value || (file && secretIn(file, name, warn)) || fallback;
  };
  const number = bounded(given, read, warn);
  const choice = <T extends string>(option: keyof ClientOptions, name: Name): T => {
    const { takes = [], default: fallback } = settingOf(name);
    const value = text(given(option)) ?? read(name)?.toLowerCase();
    if (value !== undefined && takes.includes(value)) return value as T;
    warn(`${name} must be one of ${takes.join(', ')}; ${fallback} is used`);
    return fallback as T;
  };
  const base = located(text(given('baseDir')) ?? read('TELEMETRY_BASE_DIR') ?? homeFolder(warn));
  const mock = choice('testMode', 'TELEMETRY_TEST_MODE') === 'mock';
  return {
    ndjsonDir: located(text(given('ndjsonDir')) ?? read('TELEMETRY_NDJSON_DIR') ?? join(base, 'raw')),
    bufferDir: located(text(given('bufferDir')) ?? read('TELEMETRY_BUFFER_DIR') ?? join(base, 'buffer')),
    apiUrl: address(text(given('apiUrl')) ?? read('TELEMETRY_API_URL'), warn),
    token: text(given('token')) ?? read('TELEMETRY_API_AUTH_TOKEN'),
    mock,
    fsync: choice('fsync', 'TELEMETRY_CLIENT_FSYNC'),
    agentOwner: text(given('agentOwner')) ?? read('AGENT_OWNER'),
    host: hostName(),
    git: given('git') !== false,
    timeoutMs: number('timeoutMs', 1, 600_000, 10_000),
    retryBackoffFactor: number('retryBackoffFactor', 1, 10, 2, 'TELEMETRY_RETRY_BACKOFF_FACTOR'),
    maxFileBytes: number('bufferMaxSizeMb', 0.001, 10_000, 10, 'TELEMETRY_BUFFER_MAX_SIZE_MB') * MIB,
    maxQueuedRuns: number('maxQueuedRuns', 1, 1_000_000, 10_000),
    exitTimeoutMs: number('exitTimeoutMs', 0, 60_000, 1_000),
    sheets: mock ? undefined : sheets(read, warn),
  };
}

const settingOf = (name: Name): ClientSetting => SETTINGS.find((setting) => setting.name === name) as ClientSetting;

type Bounded = (option: keyof ClientOptions, least: number, most: number, fallback: number, name?: Name) => number;

function bounded(given: Given, read: Read, warn: (message: string) => void): Bounded {
  return (option, least, most, fallback, name) => {
    const value = given(option) ?? (name && read(name)) ?? fallback;
    const number = typeof value === 'number' || typeof value === 'string' ? Number(value) : NaN;
    if (number >= least && number <= most) return number;
    warn(`${name ? `${name} (${option})` : option} must be from ${least} to ${most}; ${fallback} is used`);
    return fallback;
  };
}

function secretIn(file: string, name: string, warn: (message: string) => void): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    warn(`${name}_FILE names ${file}, which cannot be read (${reasonOf(error)}); let this user read it`);
    return undefined;
  }
}

/** An absolute path; there may be no working directory for a relative one. */
function located(path: string): string {
  try {
    return resolve(path);
  } catch {
    return join(tmpdir(), path);
  }
}

function hostName(): string | undefined {
  try {
    return hostname();
  } catch {
    return undefined;
  }
}

function homeFolder(warn: (message: string) => void): string {
  try {
    return join(homedir(), '.telemetry');
  } catch {
    const folder = join(tmpdir(), `telemetry-${process.getuid?.() ?? 'agent'}`);
    warn(`This user has no home directory; ${folder} is used. Set TELEMETRY_BASE_DIR`);
    return folder;
  }
}

function sheets(read: Read, warn: (message: string) => void): ClientConfig['sheets'] {
  const isOn = (name: Name): boolean => {
    const word = String(read(name)).toLowerCase();
    if (!TRUE.includes(word) && !FALSE.includes(word))
      warn(`${name} must be one of ${[...TRUE, ...FALSE].join(', ')}; false is used`);
    return TRUE.includes(word);
  };
  if (!isOn('GOOGLE_SHEETS_API_ENABLED')) return undefined;
  const url = read('GOOGLE_SHEETS_API_URL');
  const token = read('METRICS_API_TOKEN');
  const needsToken = isOn('METRICS_API_AUTH_REQUIRED');
  if (url !== undefined && URL.canParse(url) && (token !== undefined || !needsToken)) return { url, token };
  warn(
    'GOOGLE_SHEETS_API_ENABLED is on without a usable GOOGLE_SHEETS_API_URL and METRICS_API_TOKEN; nothing is exported',
  );
  return undefined;
}

function address(given: string | undefined, warn: (message: string) => void): string {
  const fallback = 'http://localhost:8765';
  const url = given !== undefined && URL.canParse(given) ? new URL(given) : undefined;
  if (url && /^https?:$/.test(url.protocol)) {
    // A query of its own would come before every path.
    url.search = url.hash = '';
    return url.href.replace(/(?<!\/)\/+$/, '');
  }
  warn(`TELEMETRY_API_URL must be an http or https address; ${fallback} is used`);
  return fallback;
}

function text(given: unknown): string | undefined {
  return typeof given === 'string' && given.trim() !== '' ? given.trim() : undefined;
}
