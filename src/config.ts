/** The service's configuration: one frozen object, and the only reader of process.env. */
import { isIP } from 'node:net';
import { availableParallelism, homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Environment, readSettings, refused, type Settings, type Values } from './config/environment.ts';
import { type SettingName } from './config/settings.ts';

export interface DatabaseConfig {
  path: string;
  /** A second lock file, beside the one at the database. */
  lockFile: string | undefined;
  journalMode: 'DELETE' | 'WAL';
  synchronous: 'FULL' | 'EXTRA';
  busyTimeoutMs: number;
  /** Databases of earlier versions with more rows are not migrated at start, but by command. */
  autoMigrateMaxRows: number;
}

/** What the retention command deletes, unless told otherwise. Nothing is ever deleted by itself. */
export interface RetentionConfig {
  days: number;
  /** Whether it only says what it would delete. */
  dryRun: boolean;
}

export interface HttpConfig {
  host: string;
  port: number;
  /** Undefined where authentication is off. */
  token: string | undefined;
  /** Requests a minute and client address; undefined where there is no limit. */
  rateLimit: number | undefined;
  /** Addresses and CIDR ranges whose X-Forwarded-For is believed. */
  trustedProxies: string[];
  maxBodyBytes: number;
  maxBatchBytes: number;
  maxBatchRuns: number;
  /** Of bodies being received together; what the mailbox may hold as well. */
  maxReceivingBytes: number;
  /** Undefined where the service chooses, by the limit on open files. */
  maxConnections: number | undefined;
  /** Combinations of agent, job type and status that Prometheus is told apart. */
  maxSeries: number;
}

/** Where clients leave what is not delivered yet, and how it is fetched. */
export interface SpoolConfig {
  directory: string;
  /** After so long without a line a client's file counts as complete. */
  maxAgeHours: number;
  /** How often the directory is looked at where nothing tells of a change. */
  intervalSeconds: number;
  /** Lines that are stored at once. */
  batchSize: number;
}

export type LogLevel = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR';

export interface Config {
  database: DatabaseConfig;
  http: HttpConfig;
  mailbox: { maxCommands: number; maxBytes: number };
  /** After `timeoutMs` without a sign of life a reader thread is ended. */
  readers: { threads: number; maxQueue: number; timeoutMs: number };
  spool: SpoolConfig;
  /** Where clients of this machine keep their NDJSON backup. */
  ndjsonDirectory: string;
  retention: RetentionConfig;
  /** The token that is set, whether or not this service asks for one; commands send it to a service elsewhere. */
  apiToken: string | undefined;
  logLevel: LogLevel;
  shutdownTimeoutMs: number;
  /**
   * Techniques that tests and benchmarks switch off to show what they are for. No environment
   * variable reaches them: without the directory's sync, acknowledged runs are lost at a power cut.
   */
  techniques: { gate: boolean; directorySync: boolean; groupCommit: boolean };
  warnings: string[];
}

/**
 * Loads the configuration.
 *
 * @param environment usually process.env; overrides from the command line come in here
 * @param dotenv path of a `.env` file, which may be missing; real environment wins; null reads none
 * @throws TelemetryError "refused", listing every problem with its remedy
 */
export function loadConfig(environment: Environment = process.env, dotenv: string | null = '.env'): Readonly<Config> {
  const { config, settings } = examineConfig(environment, dotenv);
  if (settings.problems.length > 0) throw refused(settings.problems);
  return deepFreeze(config);
}

/** The folder of everything. @param given TELEMETRY_BASE_DIR; undefined where it is not set */
export const baseDirectory = (given: string | undefined): string => resolve(given ?? join(homedir(), '.telemetry'));

/** What loadConfig loads, and what is wrong with it: for looking at, not for starting. Where a setting is wrong, its default is in it. */
export function examineConfig(
  environment: Environment,
  dotenv: string | null = '.env',
): { config: Config; settings: Settings } {
  const settings = readSettings(environment, dotenv);
  const { values, problems, ignored } = settings;
  const text = (name: SettingName): string | undefined => values[name] as string | undefined;
  const base = baseDirectory(text('TELEMETRY_BASE_DIR'));
  const lockFile = text('TELEMETRY_LOCK_FILE');
  const config: Config = {
    database: {
      path: resolve(text('TELEMETRY_DB_PATH') ?? join(base, 'db', 'telemetry.sqlite')),
      lockFile: lockFile && resolve(lockFile),
      journalMode: values.TELEMETRY_DB_JOURNAL_MODE as DatabaseConfig['journalMode'],
      synchronous: values.TELEMETRY_DB_SYNCHRONOUS as DatabaseConfig['synchronous'],
      busyTimeoutMs: values.TELEMETRY_DB_BUSY_TIMEOUT_MS as number,
      autoMigrateMaxRows: values.TELEMETRY_AUTO_MIGRATE_MAX_ROWS as number,
    },
    http: httpConfig(values, problems),
    mailbox: {
      maxCommands: values.TELEMETRY_MAILBOX_MAX_COMMANDS as number,
      maxBytes: values.TELEMETRY_MAILBOX_MAX_BYTES as number,
    },
    readers: {
      threads: (values.TELEMETRY_READERS as number | undefined) ?? Math.min(4, Math.max(1, availableParallelism() - 1)),
      maxQueue: values.TELEMETRY_READER_MAX_QUEUE as number,
      timeoutMs: values.TELEMETRY_READER_TIMEOUT_MS as number,
    },
    spool: {
      directory: resolve(text('TELEMETRY_BUFFER_DIR') ?? join(base, 'buffer')),
      maxAgeHours: values.TELEMETRY_BUFFER_MAX_AGE_HOURS as number,
      intervalSeconds: values.TELEMETRY_SYNC_INTERVAL_SECONDS as number,
      batchSize: values.TELEMETRY_SYNC_BATCH_SIZE as number,
    },
    ndjsonDirectory: resolve(text('TELEMETRY_NDJSON_DIR') ?? join(base, 'raw')),
    retention: {
      days: values.TELEMETRY_RETENTION_DAYS as number,
      dryRun: values.TELEMETRY_DRY_RUN_CLEANUP as boolean,
    },
    apiToken: text('TELEMETRY_API_AUTH_TOKEN'),
    logLevel: values.TELEMETRY_LOG_LEVEL as LogLevel,
    shutdownTimeoutMs: values.TELEMETRY_SHUTDOWN_TIMEOUT_MS as number,
    techniques: { gate: true, directorySync: true, groupCommit: true },
    warnings: [],
  };
  if (config.database.lockFile === config.database.path) {
    problems.push(
      'TELEMETRY_LOCK_FILE must not be the database itself; leave it unset, for the database has a lock file of its own',
    );
  }
  config.warnings.push(...warningsOf(config, ignored));
  return { config, settings };
}

function httpConfig(values: Values, problems: string[]): HttpConfig {
  const token = values.TELEMETRY_API_AUTH_TOKEN as string | undefined;
  if (values.TELEMETRY_API_AUTH_ENABLED === true && token === undefined) {
    problems.push(
      'TELEMETRY_API_AUTH_ENABLED is on without a token; set TELEMETRY_API_AUTH_TOKEN or TELEMETRY_API_AUTH_TOKEN_FILE',
    );
  } else if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    problems.push('TELEMETRY_API_AUTH_TOKEN must be printable ASCII without spaces, for it travels in a header');
  }
  const trustedProxies = String(values.TELEMETRY_TRUSTED_PROXIES)
    .split(/[\s,]+/)
    .filter(Boolean);
  for (const proxy of trustedProxies) {
    if (!isAddressOrRange(proxy)) {
      problems.push(
        `TELEMETRY_TRUSTED_PROXIES must list IP addresses or CIDR ranges separated by commas, not "${proxy}"`,
      );
    }
  }
  return {
    host: String(values.TELEMETRY_API_HOST),
    port: values.TELEMETRY_API_PORT as number,
    token: values.TELEMETRY_API_AUTH_ENABLED === true ? token : undefined,
    rateLimit: values.TELEMETRY_RATE_LIMIT_ENABLED === true ? (values.TELEMETRY_RATE_LIMIT_RPM as number) : undefined,
    trustedProxies,
    maxBodyBytes: values.TELEMETRY_MAX_BODY_BYTES as number,
    maxBatchBytes: values.TELEMETRY_MAX_BATCH_BYTES as number,
    maxBatchRuns: values.TELEMETRY_MAX_BATCH_RUNS as number,
    maxReceivingBytes: values.TELEMETRY_MAILBOX_MAX_BYTES as number,
    maxConnections: values.TELEMETRY_MAX_CONNECTIONS as number | undefined,
    maxSeries: values.TELEMETRY_METRICS_MAX_SERIES as number,
  };
}

function isAddressOrRange(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

function warningsOf({ database, http }: Config, ignored: readonly string[]): string[] {
  const warnings = ignored.map((name) => `${name} is set but has no effect in this service; remove it`);
  if (http.token === undefined && !/^(127\.|localhost$|::1$)/.test(http.host)) {
    warnings.push(
      `Reachable from outside this machine (TELEMETRY_API_HOST=${http.host}) without authentication; ` +
        'set TELEMETRY_API_AUTH_ENABLED=true with a token, or TELEMETRY_API_HOST=127.0.0.1',
    );
  }
  if (database.journalMode === 'WAL') {
    warnings.push(
      'TELEMETRY_DB_JOURNAL_MODE=WAL keeps runs in a second file and fails on network and shared file systems; DELETE is the default',
    );
  }
  return warnings;
}

function deepFreeze<T extends object>(value: T): Readonly<T> {
  for (const child of Object.values(value)) {
    if (typeof child === 'object' && child !== null) deepFreeze(child as object);
  }
  return Object.freeze(value);
}
