import assert from 'node:assert/strict';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CLIENT_SETTINGS, type ClientConfig, clientConfig, type ClientOptions } from '../../src/client/config.ts';

function read(
  options: ClientOptions,
  environment: Record<string, string> = {},
): { config: ClientConfig; warnings: string[] } {
  const warnings: string[] = [];
  return { config: clientConfig(options, (warning) => warnings.push(warning), environment), warnings };
}

test('with nothing set the defaults hold', () => {
  const { config, warnings } = read({});
  const base = join(homedir(), '.telemetry');
  assert.deepEqual(warnings, []);
  assert.deepEqual(config, {
    ndjsonDir: join(base, 'raw'),
    bufferDir: join(base, 'buffer'),
    apiUrl: 'http://localhost:8765',
    token: undefined,
    mock: false,
    fsync: 'batch',
    agentOwner: undefined,
    host: hostname(),
    git: true,
    timeoutMs: 10_000,
    retryBackoffFactor: 2,
    maxFileBytes: 10 * 1024 * 1024,
    maxQueuedRuns: 10_000,
    exitTimeoutMs: 1_000,
    sheets: undefined,
  });
});

const ENVIRONMENT = {
  TELEMETRY_BASE_DIR: '/base',
  TELEMETRY_NDJSON_DIR: '/ndjson',
  TELEMETRY_BUFFER_DIR: '/buffer',
  TELEMETRY_API_URL: 'https://telemetry.example.org/prefix/',
  TELEMETRY_API_AUTH_TOKEN: 'token',
  TELEMETRY_TEST_MODE: 'MOCK',
  TELEMETRY_CLIENT_FSYNC: 'always',
  TELEMETRY_RETRY_BACKOFF_FACTOR: '1.5',
  TELEMETRY_BUFFER_MAX_SIZE_MB: '2',
  AGENT_OWNER: ' team ',
};

test('the environment sets it', () => {
  const { config, warnings } = read({}, ENVIRONMENT);
  const { ndjsonDir, bufferDir, apiUrl, token, mock, fsync, retryBackoffFactor, maxFileBytes, agentOwner } = config;
  assert.deepEqual(
    [ndjsonDir, bufferDir, apiUrl, token, mock, fsync, retryBackoffFactor, maxFileBytes, agentOwner],
    [
      '/ndjson',
      '/buffer',
      'https://telemetry.example.org/prefix',
      'token',
      true,
      'always',
      1.5,
      2 * 1024 * 1024,
      'team',
    ],
  );
  assert.deepEqual(warnings, []);
});

test('the constructor wins over the environment', () => {
  const options: ClientOptions = {
    ...{
      baseDir: '/own',
      ndjsonDir: '/own/ndjson',
      bufferDir: '/own/buffer',
      apiUrl: 'http://127.0.0.1:1',
      token: 'mine',
    },
    ...{ testMode: 'live', fsync: 'off', retryBackoffFactor: 3, bufferMaxSizeMb: 4, agentOwner: 'me', git: false },
    ...{ timeoutMs: 5, maxQueuedRuns: 6, exitTimeoutMs: 0 },
  };
  const { config, warnings } = read(options, ENVIRONMENT);
  assert.deepEqual(warnings, []);
  assert.deepEqual(config, {
    ...{ ndjsonDir: '/own/ndjson', bufferDir: '/own/buffer', apiUrl: 'http://127.0.0.1:1', token: 'mine', mock: false },
    ...{
      fsync: 'off',
      agentOwner: 'me',
      host: hostname(),
      git: false,
      timeoutMs: 5,
      retryBackoffFactor: 3,
      maxFileBytes: 4 * 1024 * 1024,
    },
    ...{ maxQueuedRuns: 6, exitTimeoutMs: 0, sheets: undefined },
  });
});

test('the older names are understood, and the newer ones come first', () => {
  const older = { AGENT_METRICS_DIR: '/older', METRICS_API_URL: 'http://older.example.org:9/' };
  const { config } = read({}, older);
  assert.deepEqual([config.bufferDir, config.apiUrl], ['/older/buffer', 'http://older.example.org:9']);
  const both = read(
    {},
    { ...older, TELEMETRY_BASE_DIR: '/newer', TELEMETRY_API_URL: 'http://newer.example.org' },
  ).config;
  assert.deepEqual([both.bufferDir, both.apiUrl], ['/newer/buffer', 'http://newer.example.org']);
});

test('wrong values warn by name, one each, and the default holds', () => {
  const { config, warnings } = read(
    {},
    {
      TELEMETRY_API_URL: 'ftp://example.org',
      TELEMETRY_TEST_MODE: 'test',
      TELEMETRY_CLIENT_FSYNC: 'sometimes',
      TELEMETRY_RETRY_BACKOFF_FACTOR: 'two',
      TELEMETRY_BUFFER_MAX_SIZE_MB: '-1',
    },
  );
  const { config: defaults } = read({});
  assert.deepEqual(config, defaults);
  assert.deepEqual(warnings.map((warning) => warning.split(' ')[0]).sort(), [
    'TELEMETRY_API_URL',
    'TELEMETRY_BUFFER_MAX_SIZE_MB',
    'TELEMETRY_CLIENT_FSYNC',
    'TELEMETRY_RETRY_BACKOFF_FACTOR',
    'TELEMETRY_TEST_MODE',
  ]);
});

test('a wrong option is named in its warning', () => {
  for (const name of ['timeoutMs', 'maxQueuedRuns', 'exitTimeoutMs'] as const) {
    const { warnings } = read({ [name]: -1 });
    assert.equal(warnings.length, 1);
    assert.match(String(warnings[0]), new RegExp(name));
  }
});

test('an empty variable counts as not set', () => {
  const empty = Object.fromEntries(CLIENT_SETTINGS.map(({ name }) => [name, ' ']));
  assert.deepEqual(read({}, empty), read({}));
});

test('an address of the service may have a path, and loses query and fragment', () => {
  for (const [given, address] of [
    ['http://127.0.0.1:1/?x=y#z', 'http://127.0.0.1:1'],
    ['https://example.org/telemetry/?token=1', 'https://example.org/telemetry'],
    ['https://example.org/telemetry#?/', 'https://example.org/telemetry'],
    ['http://example.org?/', 'http://example.org'],
  ]) {
    const { config, warnings } = read({ apiUrl: given });
    assert.deepEqual([config.apiUrl, warnings], [address, []]);
  }
});
