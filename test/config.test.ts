import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { type Config, loadConfig } from '../src/config.ts';
import { FALSE, type Setting, SETTINGS, TRUE } from '../src/config/settings.ts';
import { TelemetryError } from '../src/errors.ts';
import { dotenvOf, folder } from './support/database.ts';

type Environment = Record<string, string | undefined>;

const TABLE: readonly Setting[] = SETTINGS;
const MIB = 1024 * 1024;

/** Each setting: a value that is not its default, and where it is found in the configuration. */
const PLACES: Readonly<Record<string, readonly [given: string, expected: unknown, at: (config: Config) => unknown]>> = {
  TELEMETRY_BASE_DIR: ['/base', '/base/db/telemetry.sqlite', (config) => config.database.path],
  TELEMETRY_DB_PATH: ['/data/t.sqlite', '/data/t.sqlite', (config) => config.database.path],
  TELEMETRY_LOCK_FILE: ['/locks/t.lock', '/locks/t.lock', (config) => config.database.lockFile],
  TELEMETRY_NDJSON_DIR: ['/raw', '/raw', (config) => config.ndjsonDirectory],
  TELEMETRY_BUFFER_DIR: ['/spool', '/spool', (config) => config.spool.directory],
  TELEMETRY_BUFFER_MAX_AGE_HOURS: ['2', 2, (config) => config.spool.maxAgeHours],
  TELEMETRY_SYNC_INTERVAL_SECONDS: ['5', 5, (config) => config.spool.intervalSeconds],
  TELEMETRY_SYNC_BATCH_SIZE: ['7', 7, (config) => config.spool.batchSize],
  TELEMETRY_DB_JOURNAL_MODE: ['wal', 'WAL', (config) => config.database.journalMode],
  TELEMETRY_DB_SYNCHRONOUS: ['extra', 'EXTRA', (config) => config.database.synchronous],
  TELEMETRY_DB_BUSY_TIMEOUT_MS: ['5000', 5000, (config) => config.database.busyTimeoutMs],
  TELEMETRY_AUTO_MIGRATE_MAX_ROWS: ['0', 0, (config) => config.database.autoMigrateMaxRows],
  TELEMETRY_RETENTION_DAYS: ['90', 90, (config) => config.retention.days],
  TELEMETRY_DRY_RUN_CLEANUP: ['0', false, (config) => config.retention.dryRun],
  TELEMETRY_API_HOST: ['127.0.0.1', '127.0.0.1', (config) => config.http.host],
  TELEMETRY_API_PORT: ['9000', 9000, (config) => config.http.port],
  TELEMETRY_READERS: ['7', 7, (config) => config.readers.threads],
  TELEMETRY_TRUSTED_PROXIES: ['10.0.0.1, ::1/64', ['10.0.0.1', '::1/64'], (config) => config.http.trustedProxies],
  TELEMETRY_LOG_LEVEL: ['debug', 'DEBUG', (config) => config.logLevel],
  TELEMETRY_MAX_BODY_BYTES: ['2048', 2048, (config) => config.http.maxBodyBytes],
  TELEMETRY_MAX_BATCH_BYTES: ['4096', 4096, (config) => config.http.maxBatchBytes],
  TELEMETRY_MAX_BATCH_RUNS: ['5', 5, (config) => config.http.maxBatchRuns],
  TELEMETRY_METRICS_MAX_SERIES: ['5', 5, (config) => config.http.maxSeries],
  TELEMETRY_MAILBOX_MAX_COMMANDS: ['6', 6, (config) => config.mailbox.maxCommands],
  TELEMETRY_MAILBOX_MAX_BYTES: [String(2 * MIB), 2 * MIB, (config) => config.mailbox.maxBytes],
  TELEMETRY_MAX_CONNECTIONS: ['50', 50, ({ http }) => http.maxConnections],
  TELEMETRY_READER_MAX_QUEUE: ['9', 9, (config) => config.readers.maxQueue],
  TELEMETRY_READER_TIMEOUT_MS: ['5000', 5000, (config) => config.readers.timeoutMs],
  TELEMETRY_SHUTDOWN_TIMEOUT_MS: ['250', 250, (config) => config.shutdownTimeoutMs],
};
/** Settings that only mean something together, with tests of their own below. */
const TOGETHER = ['TELEMETRY_API_WORKERS', 'TELEMETRY_API_AUTH_ENABLED', 'TELEMETRY_API_AUTH_TOKEN'];
const LIMITS = ['TELEMETRY_RATE_LIMIT_ENABLED', 'TELEMETRY_RATE_LIMIT_RPM'];

const load = (environment: Environment = {}): Config => loadConfig(environment, null);

/** The problems with which an environment is refused, one a line. */
function problemsOf(environment: Environment, dotenv: string | null = null): string[] {
  try {
    loadConfig(environment, dotenv);
  } catch (error) {
    assert.ok(error instanceof TelemetryError);
    assert.equal(error.code, 'refused');
    return error.message.split('\n  - ').slice(1);
  }
  return [];
}

test('an empty environment gives every default', () => {
  const { warnings, ...config } = load();
  assert.deepEqual(config, {
    database: {
      path: join(homedir(), '.telemetry', 'db', 'telemetry.sqlite'),
      lockFile: undefined,
      journalMode: 'DELETE',
      synchronous: 'FULL',
      busyTimeoutMs: 30_000,
      autoMigrateMaxRows: 500_000,
    },
    http: {
      host: '0.0.0.0',
      port: 8765,
      token: undefined,
      rateLimit: undefined,
      trustedProxies: [],
      maxBodyBytes: MIB,
      maxBatchBytes: 32 * MIB,
      maxBatchRuns: 10_000,
      maxReceivingBytes: 64 * MIB,
      maxConnections: undefined,
      maxSeries: 1000,
    },
    mailbox: { maxCommands: 20_000, maxBytes: 64 * MIB },
    readers: { threads: Math.min(4, Math.max(1, availableParallelism() - 1)), maxQueue: 1000, timeoutMs: 10_000 },
    spool: {
      directory: join(homedir(), '.telemetry', 'buffer'),
      maxAgeHours: 24,
      intervalSeconds: 60,
      batchSize: 100,
    },
    ndjsonDirectory: join(homedir(), '.telemetry', 'raw'),
    retention: { days: 30, dryRun: true },
    apiToken: undefined,
    logLevel: 'INFO',
    shutdownTimeoutMs: 10_000,
    techniques: { gate: true, directorySync: true, groupCommit: true },
  });
  assert.equal(warnings.length, 1, 'reachable from outside without authentication');
});

test('every setting is tried here', () => {
  assert.deepEqual(Object.keys(PLACES).concat(TOGETHER, LIMITS).sort(), TABLE.map(({ name }) => name).sort());
});

for (const [name, [given, expected, at]] of Object.entries(PLACES)) {
  test(`${name} is read, blanks around it dropped, and blank means not set`, () => {
    assert.deepEqual(at(load({ [name]: given })), expected);
    assert.deepEqual(at(load({ [name]: ` ${given}\n` })), expected);
    assert.deepEqual(at(load({ [name]: '  ' })), at(load()));
    assert.notDeepEqual(at(load()), expected, 'it is not the default anyhow');
  });
}

for (const { name, alias = '' } of TABLE.filter((setting) => setting.alias !== undefined)) {
  test(`${alias} is read where ${name} is not set`, () => {
    const [given, expected, at] = PLACES[name] ?? assert.fail();
    assert.deepEqual(at(load({ [alias]: given })), expected);
    assert.deepEqual(at(load({ [alias]: 'error', [name]: given })), expected);
  });
}

for (const { name, kind, min = 0, max = 0 } of TABLE.filter((setting) => setting.kind !== 'text')) {
  test(`a bad ${name} is refused with what it takes`, () => {
    const bad = kind === 'integer' ? ['x', '1.5', '-', '5 000', `${min - 1}`, `${max + 1}`] : ['X', '2'];
    for (const value of bad) {
      const [problem = '', ...others] = problemsOf({ [name]: value });
      assert.equal(others.length, 0, `${name}=${value}`);
      assert.ok(problem.startsWith(`${name} must be `), problem);
      assert.ok(problem.toUpperCase().endsWith(`, NOT "${value.toUpperCase()}"`), problem);
    }
  });
}

test('infinity is no whole number', () => {
  const numbers = TABLE.filter(({ kind }) => kind === 'integer').map(({ name }) => name);
  const accepted = numbers.filter((name) =>
    ['Infinity', '1e999'].some((text) => problemsOf({ [name]: text }).length === 0),
  );
  assert.deepEqual(accepted, []);
});

test('booleans take the four usual words in any case', () => {
  const limited = (value: string): number | undefined => load({ TELEMETRY_RATE_LIMIT_ENABLED: value }).http.rateLimit;
  for (const word of [...TRUE, 'TRUE', 'Yes']) assert.equal(limited(word), 60, word);
  for (const word of [...FALSE, 'False', 'OFF']) assert.equal(limited(word), undefined, word);
  assert.equal(load({ TELEMETRY_RATE_LIMIT_ENABLED: '1', TELEMETRY_RATE_LIMIT_RPM: '5' }).http.rateLimit, 5);
});

test('a token counts only where authentication is on', () => {
  const environment = { TELEMETRY_API_AUTH_TOKEN: 'secret-token' };
  assert.equal(load(environment).http.token, undefined);
  assert.equal(load(environment).apiToken, 'secret-token', 'commands may send it to a service elsewhere');
  assert.equal(load({ ...environment, TELEMETRY_API_AUTH_ENABLED: 'true' }).http.token, 'secret-token');
});

test('a token may lie in a file, whose line end does not count', (t) => {
  const path = join(folder(t), 'token');
  writeFileSync(path, 'from-the-file\n');
  const environment = { TELEMETRY_API_AUTH_ENABLED: 'true', TELEMETRY_API_AUTH_TOKEN_FILE: path };
  assert.equal(load(environment).http.token, 'from-the-file');
  assert.match(problemsOf({ ...environment, TELEMETRY_API_AUTH_TOKEN: 'both' })[0] ?? '', /both set; keep one/);
  writeFileSync(path, ' \n');
  assert.match(problemsOf(environment)[0] ?? '', /_FILE names .*token, which is empty; put the secret into it/);
  assert.match(
    problemsOf({ ...environment, TELEMETRY_API_AUTH_TOKEN_FILE: `${path}s` })[0] ?? '',
    /cannot be read \(ENOENT/,
  );
});

test('authentication without a usable token is refused, and the token is never shown', () => {
  const on = { TELEMETRY_API_AUTH_ENABLED: 'true' };
  assert.match(
    problemsOf(on).join(),
    /TELEMETRY_API_AUTH_ENABLED is on without a token; set TELEMETRY_API_AUTH_TOKEN or/,
  );
  for (const token of ['two words', 'schlüssel', 'tab\tbed']) {
    const problems = problemsOf({ ...on, TELEMETRY_API_AUTH_TOKEN: token });
    assert.match(problems.join(), /TELEMETRY_API_AUTH_TOKEN must be printable ASCII/);
    assert.ok(!problems.join().includes(token));
  }
});

test('two workers, weaker syncing and other journals are refused', () => {
  assert.match(problemsOf({ TELEMETRY_API_WORKERS: '2' }).join(), /must be 1: exactly one writer may exist, not "2"/);
  for (const level of ['NORMAL', 'OFF', '1']) {
    assert.match(problemsOf({ TELEMETRY_DB_SYNCHRONOUS: level }).join(), /must be one of FULL, EXTRA, not/);
  }
  for (const mode of ['TRUNCATE', 'PERSIST', 'MEMORY', 'OFF']) {
    assert.match(problemsOf({ TELEMETRY_DB_JOURNAL_MODE: mode }).join(), /must be one of DELETE, WAL, not/);
  }
});

test('a proxy that is no address or range is refused', () => {
  for (const proxies of [
    '10.0.0.0/33',
    'example.org',
    '10.0.0.1/8/8',
    '::1/129',
    '10.0.0/8',
    '10.0.0.1/',
    '10.0.0.1, x',
  ]) {
    assert.equal(problemsOf({ TELEMETRY_TRUSTED_PROXIES: proxies }).length, 1, proxies);
  }
});

test('everything that is wrong is said at once', () => {
  const problems = problemsOf({
    TELEMETRY_API_PORT: '99999',
    TELEMETRY_API_WORKERS: '4',
    TELEMETRY_DB_SYNCHRONOUS: 'off',
    TELEMETRY_RATE_LIMIT_ENABLED: 'maybe',
    TELEMETRY_API_AUTH_ENABLED: 'true',
    TELEMETRY_TRUSTED_PROXIES: 'example.org',
  });
  const named = problems.map((problem) => problem.split(' ')[0]);
  assert.deepEqual(named.sort(), [
    'TELEMETRY_API_AUTH_ENABLED',
    'TELEMETRY_API_PORT',
    'TELEMETRY_API_WORKERS',
    'TELEMETRY_DB_SYNCHRONOUS',
    'TELEMETRY_RATE_LIMIT_ENABLED',
    'TELEMETRY_TRUSTED_PROXIES',
  ]);
});

test('a .env file is read, and the real environment wins over it', (t) => {
  const path = dotenvOf(t, '# a comment', 'TELEMETRY_API_PORT=9001', 'TELEMETRY_API_HOST="127.0.0.1"');
  const { port, host } = loadConfig({ TELEMETRY_API_PORT: '9002' }, path).http;
  assert.deepEqual([port, host], [9002, '127.0.0.1']);
});

test('an older name in the real environment wins over the newer one in a .env file', (t) => {
  const path = dotenvOf(t, 'TELEMETRY_LOG_LEVEL=ERROR', 'TELEMETRY_BASE_DIR=/from/dotenv');
  const { logLevel, database } = loadConfig({ LOG_LEVEL: 'DEBUG', AGENT_METRICS_DIR: '/real' }, path);
  assert.deepEqual([logLevel, database.path], ['DEBUG', '/real/db/telemetry.sqlite']);
});

test('a .env file that is missing does not matter; one that cannot be read is refused', (t) => {
  const directory = folder(t);
  assert.equal(loadConfig({}, join(directory, '.env')).http.port, 8765);
  mkdirSync(join(directory, '.env'));
  assert.match(problemsOf({}, join(directory, '.env')).join(), /\.env cannot be read/);
});

test('paths are absolute, and the database path wins over the base directory', () => {
  const { path, lockFile } = load({
    TELEMETRY_DB_PATH: 'a/t.sqlite',
    TELEMETRY_BASE_DIR: '/b',
    TELEMETRY_LOCK_FILE: 'l',
  }).database;
  assert.deepEqual([path, lockFile], [resolve('a/t.sqlite'), resolve('l')]);
});

test('a lock file that is the database itself is refused', () => {
  const [problem = ''] = problemsOf({ TELEMETRY_DB_PATH: '/a/t.sqlite', TELEMETRY_LOCK_FILE: '/a/b/../t.sqlite' });
  assert.match(problem, /^TELEMETRY_LOCK_FILE must not be the database itself; leave it unset/);
});

test('the configuration is frozen all through', () => {
  const config = load();
  const frozen = (value: unknown): boolean =>
    typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
  assert.ok(frozen(config));
  assert.throws(() => ((config.http as { port: number }).port = 1), TypeError);
});
