import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Config, loadConfig } from '../src/config.ts';
import { WITHOUT_EFFECT } from '../src/config/settings.ts';
import { dotenvOf } from './support/database.ts';

const load = (environment: Readonly<Record<string, string>>): Config => loadConfig(environment, null);
const QUIET = { TELEMETRY_API_HOST: '127.0.0.1' };

test('a service for this machine only has nothing to warn of', () => {
  for (const host of ['127.0.0.1', '127.1.2.3', 'localhost', '::1']) {
    assert.deepEqual(load({ TELEMETRY_API_HOST: host }).warnings, []);
  }
});

test('it warns when reachable from outside without authentication, and says what to set', () => {
  for (const host of ['0.0.0.0', '::', '192.168.0.2', 'localhost.evil.io']) {
    const [warning = '', ...others] = load({ TELEMETRY_API_HOST: host }).warnings;
    assert.match(warning, /without authentication; set TELEMETRY_API_AUTH_ENABLED=true/);
    assert.ok(warning.includes(host) && others.length === 0);
  }
  assert.deepEqual(load({ TELEMETRY_API_AUTH_ENABLED: '1', TELEMETRY_API_AUTH_TOKEN: 't' }).warnings, []);
});

test('it warns of WAL', () => {
  const { warnings } = load({ ...QUIET, TELEMETRY_DB_JOURNAL_MODE: 'WAL' });
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /^TELEMETRY_DB_JOURNAL_MODE=WAL .*DELETE is the default/);
});

test('it warns of every setting of the predecessor that is set and has no effect', (t) => {
  const expected = WITHOUT_EFFECT.map((name) => `${name} is set but has no effect in this service; remove it`);
  const set = WITHOUT_EFFECT.map((name) => [name, '5'] as const);
  assert.deepEqual(load({ ...QUIET, ...Object.fromEntries(set) }).warnings, expected);
  const path = dotenvOf(t, ...set.map(([name, value]) => `${name}=${value}`));
  assert.deepEqual(loadConfig(QUIET, path).warnings, expected, 'in a .env file too');
});
