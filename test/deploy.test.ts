/** What is in deploy/ for systemd, nginx and Windows goes together with the code: commands, options, settings, bounds. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseEnv } from 'node:util';
import { COMMANDS } from '../src/cli/commands.ts';
import { EXIT } from '../src/cli/exit.ts';
import { checkUsage } from '../src/cli/usage.ts';
import { type Setting, SETTINGS } from '../src/config/settings.ts';
import { ROUTES } from '../src/http/routes.ts';
import { environmentOf, milliseconds, only, readUnit, SYSTEMD, type Unit } from './deploy/unit-file.ts';

const DEPLOY = new URL('../deploy/', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, DEPLOY), 'utf8');
const SERVICE = 'local-telemetry.service';
const BACKUP = 'local-telemetry-backup.service';
const TABLE: readonly Setting[] = SETTINGS;
const KNOWN = new Set(TABLE.flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name])));
const WINDOWS = read('windows/local-telemetry.xml');
const SITE = read('nginx/local-telemetry.conf');

const defaultOf = (wanted: string): number => Number(TABLE.find(({ name }) => name === wanted)?.default);

/** The commands of a unit's ExecStart lines, without the program. */
const commandsOf = (unit: Unit): string[][] =>
  (unit.Service?.ExecStart ?? []).map((line) => {
    const [program, ...words] = line.split(' ');
    assert.equal(program, '/usr/local/bin/local-telemetry');
    return words;
  });

/** Fails where the command line would be refused. */
async function assertUnderstood([name = '', ...words]: readonly string[]): Promise<void> {
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  assert.ok(load, `there is no command ${name}`);
  checkUsage((await load()).default.definition, words);
}

/** The value of a directive of nginx that stands once in a text. */
function directive(text: string, name: string): string {
  const found = [...text.matchAll(new RegExp(`^\\s*${name} (.+);$`, 'gm'))];
  assert.equal(found.length, 1, `${name} stands ${found.length} times`);
  return String(found[0]?.[1]);
}

/** What is not well-formed in an XML text without sections of CDATA; undefined where it is. */
function flawOf(xml: string): string | undefined {
  const open: string[] = [];
  const inside = xml.replace(/^<\?xml [^>]*\?>\n/, '').replaceAll(/<!--(?:(?!--)[^])*-->/g, '');
  for (const [tag, text = '', end, name = '', attributes = '', empty] of inside.matchAll(
    /([^<]*)<(\/?)([A-Za-z][\w.-]*)((?:\s+[\w.-]+="[^"<&]*")*)\s*(\/?)>/g,
  )) {
    if (/[&>]/.test(text) || (open.length === 0 && text.trim() !== '')) return `text: ${text}`;
    if (end && (attributes || open.pop() !== name)) return `the end of ${tag}`;
    if (!end && !empty) open.push(name);
  }
  const rest = inside.replaceAll(/([^<]*)<(\/?)([A-Za-z][\w.-]*)((?:\s+[\w.-]+="[^"<&]*")*)\s*(\/?)>/g, '');
  return rest.trim() || open.length > 0 ? `${open.join()} ${rest}` : undefined;
}

test('every unit file and drop-in is understood', () => {
  const names = readdirSync(SYSTEMD).filter((name) => /\.(service|timer)$|^(token|shared-spool)\.conf$/.test(name));
  assert.equal(names.length, 5);
  for (const name of names) assert.ok(Object.keys(readUnit(name)).length > 0, name);
});

test('the commands and options of the units and of the backup on Windows are those of the program', async () => {
  assert.deepEqual(commandsOf(readUnit(SERVICE)), [['serve']]);
  const [backup = [], verify = []] = commandsOf(readUnit(BACKUP));
  assert.deepEqual(backup.slice(0, 2), ['backup', '/var/backups/local-telemetry/']);
  await assertUnderstood(backup);
  await assertUnderstood(verify);
  const line = /& \$Node \$Program (.+)$/m.exec(read('windows/backup.ps1'))?.[1] ?? '';
  await assertUnderstood(line.replace('$Folder', 'folder').replace('$Keep', '14').split(' '));
  await assert.rejects(async () => assertUnderstood(['backup', '--kepp', '14']), /kepp/);
});

test('every setting that the files name is one that the service knows', () => {
  const texts = ['local-telemetry.service', 'token.conf', 'shared-spool.conf', 'local-telemetry.env'].map((name) =>
    read(`systemd/${name}`),
  );
  const named = [...texts, SITE, WINDOWS, read('windows/backup.ps1'), read('windows/README.md')].flatMap(
    (text) => text.match(/\bTELEMETRY_[A-Z_]+\b/g) ?? [],
  );
  assert.ok(named.length > 15);
  assert.deepEqual(
    named.filter((name) => !KNOWN.has(name)),
    [],
  );
});

test('service, backup and commands by hand have the same settings', () => {
  const file = { ...parseEnv(read('systemd/local-telemetry.env')) };
  const [service, backup] = [readUnit(SERVICE), readUnit(BACKUP)];
  assert.deepEqual(environmentOf(service, '/var/lib'), file);
  assert.equal(environmentOf(backup, '/var/lib').TELEMETRY_BASE_DIR, file.TELEMETRY_BASE_DIR);
  for (const key of ['User', 'Group', 'UMask', 'StateDirectory', 'StateDirectoryMode', 'EnvironmentFile'])
    assert.equal(only(backup, 'Service', key), only(service, 'Service', key), key);
  assert.match(read('systemd/sysusers.conf'), new RegExp(`^u ${only(service, 'Service', 'User')} `, 'm'));
});

test('service and backup may write where backups go, and the folder is made for their user', () => {
  const folder = '/var/backups/local-telemetry';
  assert.equal(only(readUnit(SERVICE), 'Service', 'ReadWritePaths'), `-${folder}`);
  assert.equal(only(readUnit(BACKUP), 'Service', 'ReadWritePaths'), folder);
  assert.equal(only(readUnit(BACKUP), 'Unit', 'RequiresMountsFor'), folder);
  assert.match(read('systemd/tmpfiles.conf'), new RegExp(`^d ${folder} +0700 local-telemetry local-telemetry `, 'm'));
});

test('whoever stops the service waits longer than it takes', () => {
  const deadline = defaultOf('TELEMETRY_SHUTDOWN_TIMEOUT_MS') + 1_000;
  assert.ok(milliseconds(only(readUnit(SERVICE), 'Service', 'TimeoutStopSec')) > deadline);
  const windows = /<stoptimeout>(\d+) sec<\/stoptimeout>/.exec(WINDOWS)?.[1];
  assert.ok(Number(windows) * 1_000 > deadline);
});

test('a start that fails is not repeated for ever', () => {
  const unit = readUnit(SERVICE);
  const [burst, pause] = [Number(only(unit, 'Unit', 'StartLimitBurst')), only(unit, 'Service', 'RestartSec')];
  assert.equal(only(unit, 'Service', 'Restart'), 'on-failure');
  assert.equal(only(unit, 'Service', 'RestartPreventExitStatus'), String(EXIT.usage));
  // A start that fails takes seconds: within the interval there is time for all of them.
  assert.ok(milliseconds(only(unit, 'Unit', 'StartLimitIntervalSec')) > burst * (milliseconds(pause) + 10_000));
  assert.deepEqual(WINDOWS.match(/<onfailure action="\w+"/g)?.at(-1), '<onfailure action="none"');
});

test('Node.js may compile while it runs', () => {
  for (const name of [SERVICE, BACKUP]) assert.equal(readUnit(name).Service?.MemoryDenyWriteExecute, undefined, name);
});

test("nginx takes what the service takes, on the service's port, and waits longer than it", () => {
  assert.equal(directive(SITE, 'client_max_body_size'), `${defaultOf('TELEMETRY_MAX_BATCH_BYTES') / 1024 ** 2}m`);
  assert.equal(directive(SITE, 'client_body_buffer_size'), `${defaultOf('TELEMETRY_MAX_BODY_BYTES') / 1024 ** 2}m`);
  assert.equal(directive(SITE, 'server'), `127.0.0.1:${defaultOf('TELEMETRY_API_PORT')}`);
  assert.ok(milliseconds(directive(SITE, 'proxy_read_timeout')) > 2 * defaultOf('TELEMETRY_DB_BUSY_TIMEOUT_MS'));
  const idle = /keepAliveTimeout: ([\d_]+),/.exec(
    readFileSync(new URL('../src/http/server.ts', import.meta.url), 'utf8'),
  );
  assert.ok(milliseconds(directive(SITE, 'keepalive_timeout')) < Number(idle?.[1]?.replace('_', '')));
});

test('only routes that store a run once are sent again by nginx', () => {
  const repeated = [...SITE.matchAll(/location = (\S+) \{[^}]*non_idempotent;/g)].map(([, path]) => path);
  const posts = ROUTES.filter(({ method, path }) => method === 'POST' && !path.includes(':')).map(({ path }) => path);
  assert.deepEqual(repeated, posts);
  assert.equal(directive(SITE.split('error_page')[0] ?? '', 'proxy_next_upstream'), 'error');
});

test('nginx answers probes on paths that are there and need no token', () => {
  const [first, second] = [...SITE.matchAll(/location ~ \^\/\(([\w|]+)\)\$/g)].map(([, names]) => String(names));
  assert.equal(first, second);
  for (const name of String(first).split('|'))
    assert.ok(
      ROUTES.some(({ path, open }) => path === `/${name}` && open),
      name,
    );
});

test('the service of Windows is well-formed XML that starts the program of the package', () => {
  assert.equal(flawOf(WINDOWS), undefined);
  assert.notEqual(flawOf(WINDOWS.replace('</log>', '')), undefined);
  const { bin } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    bin: Record<string, string>;
  };
  const program = String(bin['local-telemetry']).replace(/^\.\//, '').replaceAll('/', '\\');
  assert.match(WINDOWS, /<arguments>"%ProgramFiles%[^"]+" serve<\/arguments>/);
  for (const text of [WINDOWS, read('windows/backup.ps1')])
    assert.ok(text.includes(`node_modules\\local-telemetry\\${program}"`), 'it starts another file');
});
