/** `config`: what holds, where it comes from, and what is wrong with it. */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { CLIENT_SETTINGS } from '../../src/client/config.ts';
import { SETTINGS, WITHOUT_EFFECT } from '../../src/config/settings.ts';
import type { Settings } from '../support/cli.ts';
import { cliHere } from '../support/cli-here.ts';
import { type Ended, temporaryDirectory } from '../support/service.ts';

interface Row {
  name: string;
  value: unknown;
  source?: string;
}

interface Shown {
  service: Row[];
  client: Row[];
  without_effect: string[];
  unknown: string[];
  warnings: string[];
  problems: string[];
}

const HOME = '/home/someone';
// Where Node asks for the home directory of whoever runs this.
process.env.HOME = HOME;

/** `config` in a folder with this `.env`. */
async function configIn(
  t: TestContext,
  words: readonly string[],
  settings: Settings = {},
  dotenv: readonly string[] = [],
): Promise<Ended & { cwd: string }> {
  const cwd = temporaryDirectory(t);
  if (dotenv.length > 0) writeFileSync(join(cwd, '.env'), dotenv.join('\n'));
  const before = process.cwd();
  process.chdir(cwd);
  try {
    const ended = await cliHere(['config', ...words], { HOME, TELEMETRY_API_HOST: '127.0.0.1', ...settings });
    assert.deepEqual(readdirSync(cwd), dotenv.length > 0 ? ['.env'] : [], 'nothing is made');
    return { ...ended, cwd };
  } finally {
    process.chdir(before);
  }
}

type RowIn = (name: string) => [value: unknown, source: string | undefined];

interface Explained {
  code: number | null;
  shown: Shown;
  cwd: string;
  service: RowIn;
  client: RowIn;
}

async function explained(t: TestContext, settings: Settings = {}, dotenv: readonly string[] = []): Promise<Explained> {
  const { code, stdout, stderr, cwd } = await configIn(t, ['--json', '--explain'], settings, dotenv);
  assert.equal(stderr, '', 'with --json all is in it');
  const shown = JSON.parse(stdout) as Shown;
  const rowIn = (part: 'service' | 'client', name: string): [unknown, string | undefined] => {
    const { value, source } = shown[part].find((row) => row.name === name) ?? assert.fail(name);
    return [value, source];
  };
  return { code, shown, cwd, service: rowIn.bind(null, 'service'), client: rowIn.bind(null, 'client') };
}

test('every setting is shown, of the service and of clients', async (t) => {
  const { code, shown } = await explained(t);
  assert.equal(code, 0);
  const names = (rows: readonly { name: string }[]): string[] => rows.map(({ name }) => name);
  assert.deepEqual(names(shown.service), names(SETTINGS));
  assert.deepEqual(names(shown.client), names(CLIENT_SETTINGS));
  assert.deepEqual([shown.without_effect, shown.unknown, shown.warnings, shown.problems], [[], [], [], []]);
});

test('defaults, what is derived, and what is not set, are told apart', async (t) => {
  const { service, client } = await explained(t);
  assert.deepEqual(service('TELEMETRY_API_PORT'), [8765, 'default']);
  assert.deepEqual(service('TELEMETRY_DRY_RUN_CLEANUP'), [true, 'default']);
  assert.deepEqual(service('TELEMETRY_LOCK_FILE'), [null, 'unset']);
  assert.deepEqual(service('TELEMETRY_BASE_DIR'), [`${HOME}/.telemetry`, 'derived from the home directory']);
  const derived = 'derived from TELEMETRY_BASE_DIR';
  assert.deepEqual(service('TELEMETRY_DB_PATH'), [`${HOME}/.telemetry/db/telemetry.sqlite`, derived]);
  for (const [name, folder] of [
    ['TELEMETRY_NDJSON_DIR', 'raw'],
    ['TELEMETRY_BUFFER_DIR', 'buffer'],
  ] as const) {
    assert.deepEqual(service(name), [`${HOME}/.telemetry/${folder}`, derived]);
    assert.deepEqual(client(name), service(name));
  }
  assert.equal(service('TELEMETRY_READERS')[1], 'derived from the number of cores');
  assert.deepEqual(client('TELEMETRY_API_URL'), ['http://localhost:8765', 'default']);
  assert.deepEqual(client('TELEMETRY_BUFFER_MAX_SIZE_MB'), [10, 'default']);
  assert.deepEqual(client('AGENT_OWNER'), [null, 'unset']);
});

test('the environment, its older names, .env and files of secrets are named as sources', async (t) => {
  const secret = join(temporaryDirectory(t), 'token');
  writeFileSync(secret, 'geheim\n');
  const settings = {
    TELEMETRY_API_PORT: '9000',
    LOG_LEVEL: 'debug',
    TELEMETRY_API_AUTH_TOKEN_FILE: secret,
    METRICS_API_URL: 'http://user:geheim@elsewhere:1/',
    TELEMETRY_DB_PATH: 'here.sqlite',
  };
  const dotenv = [
    'TELEMETRY_API_PORT=1',
    'TELEMETRY_READERS=3',
    'AGENT_METRICS_DIR=base',
    'TELEMETRY_CLIENT_FSYNC=off',
  ];
  const { service, client, shown, cwd } = await explained(t, settings, dotenv);
  assert.deepEqual(service('TELEMETRY_API_PORT'), [9000, 'environment']);
  assert.deepEqual(service('TELEMETRY_LOG_LEVEL'), ['DEBUG', 'environment (LOG_LEVEL)']);
  assert.deepEqual(service('TELEMETRY_READERS'), [3, '.env']);
  assert.deepEqual(service('TELEMETRY_BASE_DIR'), [join(cwd, 'base'), '.env (AGENT_METRICS_DIR)']);
  assert.deepEqual(service('TELEMETRY_DB_PATH'), [join(cwd, 'here.sqlite'), 'environment']);
  assert.deepEqual(service('TELEMETRY_API_AUTH_TOKEN'), ['********', `file ${secret}`]);
  assert.deepEqual(client('TELEMETRY_API_AUTH_TOKEN'), ['********', `file ${secret}`]);
  assert.deepEqual(client('TELEMETRY_API_URL'), ['http://elsewhere:1', 'environment (METRICS_API_URL)']);
  assert.deepEqual(client('TELEMETRY_CLIENT_FSYNC'), ['batch', 'default; .env is not read by clients']);
  const [base, source] = client('TELEMETRY_BASE_DIR');
  assert.deepEqual(
    [base, source],
    [`${HOME}/.telemetry`, 'derived from the home directory; .env is not read by clients'],
  );
  assert.match(shown.warnings.join(), /TELEMETRY_BUFFER_DIR is \S+base\/buffer for the service and \S+ for clients/);
});

test('clients that are sent to another port of this machine are warned of', async (t) => {
  const warned = async (settings: Settings): Promise<string> =>
    (await explained(t, settings)).shown.warnings.join('\n');
  assert.equal(
    await warned({ TELEMETRY_API_PORT: '9000' }),
    'TELEMETRY_API_URL sends clients to http://localhost:8765, and the service here is on port 9000 (TELEMETRY_API_PORT); ' +
      'set both to the same port, unless something between the two hands requests on',
  );
  for (const url of ['http://127.0.0.1:9001', 'http://[::1]:80', 'http://localhost', 'https://localhost/telemetry'])
    assert.match(await warned({ TELEMETRY_API_URL: url }), /^TELEMETRY_API_URL sends clients to /, url);
  for (const url of ['http://127.0.0.1:8765', 'http://[::1]:8765', 'http://telemetry:9000', 'http://10.0.0.1'])
    assert.equal(await warned({ TELEMETRY_API_URL: url }), '', url);
  assert.equal(await warned({ TELEMETRY_API_PORT: '0' }), '', 'any free port');
});

test('authentication without a token for clients is warned of', async (t) => {
  const on = { TELEMETRY_API_AUTH_ENABLED: 'true' };
  const token = 'TELEMETRY_API_AUTH_TOKEN=geheim';
  const { shown } = await explained(t, on, [token]);
  assert.match(
    shown.warnings.join(),
    /^TELEMETRY_API_AUTH_ENABLED is on and clients have no token, so the service refuses/,
  );
  assert.deepEqual((await explained(t, { ...on, TELEMETRY_API_AUTH_TOKEN: 'geheim' })).shown.warnings, []);
  assert.deepEqual((await explained(t, {}, [token])).shown.warnings, [], 'it is off');
});

test('what stands in .env and no client reads, or only a shell would understand, is warned of', async (t) => {
  const dotenv = ['METRICS_API_URL=http://elsewhere', 'AGENT_OWNER=me', 'AGENT_METRICS_DIR=~/telemetry'];
  const { warnings } = (await explained(t, { TELEMETRY_BUFFER_DIR: '/spool' }, dotenv)).shown;
  const unread = 'is for clients and stands in .env only, which they do not read; set it in their environment';
  const literal = 'in .env begins with ~, which only a shell reads as the home directory; write the whole path';
  assert.deepEqual(warnings.sort(), [
    `AGENT_METRICS_DIR ${literal}`,
    `AGENT_OWNER ${unread}`,
    `METRICS_API_URL ${unread}`,
  ]);
  const settings = { TELEMETRY_API_URL: 'http://x', AGENT_OWNER: 'you', TELEMETRY_BASE_DIR: '/data' };
  assert.deepEqual((await explained(t, settings, dotenv)).shown.warnings, [], 'the environment says otherwise');
  assert.match(
    (await configIn(t, [], {}, dotenv)).stderr,
    /^Warning: AGENT_OWNER is for clients and stands in \.env only/m,
  );
});

test('secrets are masked wherever they come from', async (t) => {
  const settings = { TELEMETRY_API_AUTH_TOKEN: 'geheim', METRICS_API_TOKEN: 'geheim' };
  for (const words of [['--explain'], ['--json', '--explain']]) {
    const { stdout, stderr } = await configIn(t, words, settings);
    assert.ok(!`${stdout}${stderr}`.includes('geheim'));
    assert.match(stdout, /METRICS_API_TOKEN( +|","value":")\*{8}( +|","source":")environment\b/);
  }
  const bad = await configIn(t, [], { TELEMETRY_API_AUTH_ENABLED: '1', TELEMETRY_API_AUTH_TOKEN: 'ge heim' });
  assert.equal(bad.code, 1);
  assert.ok(!`${bad.stdout}${bad.stderr}`.includes('heim'));
});

test('whoever looks on gets a table; where values come from is told by --explain only', async (t) => {
  const plain = await configIn(t, [], { LOG_LEVEL: 'ERROR' });
  assert.deepEqual([plain.code, plain.stderr], [0, '']);
  assert.match(plain.stdout, /^Service\n {2}TELEMETRY_BASE_DIR {15}\/home\/someone\/\.telemetry\n/);
  assert.match(plain.stdout, /\n {2}TELEMETRY_LOG_LEVEL +ERROR\n/);
  assert.match(plain.stdout, /\n {2}TELEMETRY_LOCK_FILE +\(unset\)\n/);
  assert.match(plain.stdout, /\n\nClient\n/);
  const { service } = JSON.parse((await configIn(t, ['--json'])).stdout) as Shown;
  assert.deepEqual(Object.keys(service[0] ?? {}), ['name', 'value']);
});

const WRONG = {
  TELEMETRY_API_PORT: 'x',
  TELEMETRY_API_WORKERS: '2',
  TELEMETRY_API_AUTH_ENABLED: '1',
  TELEMETRY_TEST_MODE: 'dream',
};
const PROBLEMS = [
  'TELEMETRY_API_PORT must be a whole number from 0 to 65535, not "x"',
  'TELEMETRY_API_WORKERS must be 1: exactly one writer may exist, not "2"',
  /^TELEMETRY_API_AUTH_ENABLED is on without a token/,
  'TELEMETRY_TEST_MODE must be one of mock, live; live is used',
];

test('what is wrong is listed after the table, the default is shown, and the exit code is 1', async (t) => {
  const { code, shown, service, client } = await explained(t, WRONG);
  assert.equal(code, 1);
  assert.equal(shown.problems.length, PROBLEMS.length);
  for (const [index, problem] of PROBLEMS.entries()) {
    if (typeof problem === 'string') assert.equal(shown.problems[index], problem);
    else assert.match(shown.problems[index] ?? '', problem);
  }
  assert.deepEqual(service('TELEMETRY_API_PORT'), [8765, 'default']);
  assert.deepEqual(client('TELEMETRY_TEST_MODE'), ['live', 'default']);
  const { code: plain, stdout, stderr } = await configIn(t, [], WRONG);
  assert.equal(plain, 1);
  assert.ok(stdout.includes('TELEMETRY_API_PORT'));
  assert.equal(stderr.match(/^Problem: /gm)?.length, PROBLEMS.length);
});

test('settings that have no effect or are not known are listed, and are no problem', async (t) => {
  const idle = Object.fromEntries(WITHOUT_EFFECT.map((name) => [name, '5']));
  const dotenv = ['TELEMETRY_API_PROT=9', 'TELEMETRY_RUN_ID=x', 'TELEMETRY_API_AUTH_TOKEN_FILE=', 'OTHER_PORT=1'];
  const { code, shown } = await explained(t, { ...idle, TELEMETRY_XYZZY: '1' }, dotenv);
  assert.equal(code, 0);
  assert.deepEqual(shown.without_effect, [...WITHOUT_EFFECT]);
  assert.deepEqual(shown.unknown, [
    'TELEMETRY_API_PROT is not known; did you mean TELEMETRY_API_PORT?',
    'TELEMETRY_XYZZY is not known',
  ]);
  const { stderr } = await configIn(t, [], { ...idle, TELEMETRY_XYZZY: '1' });
  assert.match(stderr, /^Warning: TELEMETRY_LEVEL is set but has no effect in this service; remove it$/m);
  assert.match(stderr, /^Warning: TELEMETRY_XYZZY is not known$/m);
});
