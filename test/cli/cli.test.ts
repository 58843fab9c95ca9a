/** The command line itself: what every command has in common. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { before, test } from 'node:test';
import type { Command } from '../../src/cli/command.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { run } from '../../src/cli/index.ts';
import { type Environment, Terminal } from '../../src/cli/terminal.ts';
import { checkUsage, helpOf } from '../../src/cli/usage.ts';
import { cli, startCli } from '../support/cli.ts';
import { runToEnd, temporaryDirectory } from '../support/service.ts';

const ROOT = new URL('../..', import.meta.url);
const commands: Command[] = [];

before(async () => {
  for (const load of Object.values(COMMANDS)) commands.push((await load()).default);
});

/** A stream that keeps what is written to it. */
class Kept extends Writable {
  text = '';
  isTTY: boolean;

  constructor(isTTY: boolean) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.text += chunk;
    done();
  }
}

/** Runs a command line in this process, before a terminal or not. */
async function inProcess(words: readonly string[], { isTTY = false, environment = {} as Environment } = {}) {
  const [stdout, stderr] = [new Kept(isTTY), new Kept(isTTY)];
  const code = await run(words, new Terminal({ environment, stdout, stderr }));
  return { code, stdout: stdout.text, stderr: stderr.text };
}

test('every command is found under its own name', () => {
  assert.deepEqual(
    commands.map(({ definition }) => definition.name),
    Object.keys(COMMANDS),
  );
});

test('without a command the overview names each of them, and the exit code is 2', async () => {
  const { code, stdout, stderr } = await cli([]);
  assert.deepEqual([code, stderr], [2, '']);
  for (const { definition } of commands) {
    const line = new RegExp(
      `^  ${definition.name} +${definition.summary.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`,
      'm',
    );
    assert.match(stdout, line);
  }
  for (const words of [['--help'], ['-h'], ['help']]) {
    assert.deepEqual(await inProcess(words), { code: 0, stdout, stderr: '' });
  }
});

test('the version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as { version: string };
  for (const words of [['--version'], ['-v'], ['version']]) {
    assert.deepEqual(await inProcess(words), { code: 0, stdout: `${version}\n`, stderr: '' });
  }
});

test('a command line that cannot be understood gives 2, says why, and what may have been meant', async () => {
  for (const [words, why, help] of [
    [['serv'], 'There is no command "serv"; did you mean serve?', '--help'],
    [['constructor'], 'There is no command "constructor"', '--help'],
    [['help', 'serv'], 'There is no command "serv"; did you mean serve?', '--help'],
    [['serve', '--prot', '9'], 'There is no option --prot; did you mean --port?', 'serve --help'],
    [['serve', '--constructor'], 'There is no option --constructor', 'serve --help'],
    [['serve', '-p'], 'There is no option -p', 'serve --help'],
    [['serve', '--no-port'], 'There is no option --no-port', 'serve --help'],
    [['serve', '--port'], '--port needs a value', 'serve --help'],
    [['serve', '--port='], '--port needs a value', 'serve --help'],
    [['serve', 'now'], '"now" is one word too many', 'serve --help'],
    [['serve', '--', 'now'], 'serve takes nothing behind --', 'serve --help'],
    [['config', '--json=yes'], '--json takes no value', 'config --help'],
    [['completion'], '<SHELL> is missing', 'completion --help'],
    [['export', '--format', 'xml'], '--format must be one of ndjson, csv, not "xml"', 'export --help'],
  ] as const) {
    const stderr = `local-telemetry: ${why}\nTry: local-telemetry ${help}\n`;
    assert.deepEqual(await inProcess(words), { code: 2, stdout: '', stderr });
  }
  const { code, stdout, stderr } = await cli(['serve', '--prot', '9']);
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /^local-telemetry: There is no option --prot; did you mean --port\?\n/);
});

test('a setting that an option stands for is named by both where its value is wrong', async () => {
  const ended = await inProcess(['serve', '--port', '99999', '--log-level', 'loud'], {
    environment: { TELEMETRY_READERS: 'x' },
  });
  assert.deepEqual([ended.code, ended.stdout], [1, '']);
  const lines = ended.stderr.split('\n');
  assert.ok(lines.includes('  - --port (TELEMETRY_API_PORT) must be a whole number from 0 to 65535, not "99999"'));
  assert.ok(
    lines.includes('  - --log-level (TELEMETRY_LOG_LEVEL) must be one of DEBUG, INFO, WARNING, ERROR, not "LOUD"'),
  );
  assert.ok(lines.includes('  - TELEMETRY_READERS must be a whole number from 1 to 8, not "x"'), ended.stderr);
  const { stderr } = await inProcess(['serve'], { environment: { TELEMETRY_API_PORT: '99999' } });
  assert.match(stderr, /^ {2}- TELEMETRY_API_PORT must be /m);
});

test('every command has a summary, and two examples at least that can be typed as they stand', () => {
  for (const { definition } of commands) {
    const { name, summary, rest, examples } = definition;
    assert.match(summary, /^[A-Z].*[^.]$/, `the summary of ${name}`);
    assert.ok(examples.length >= 2, `${name} has ${examples.length} examples`);
    for (const [line, what] of examples) {
      const [first, ...words] = wordsOf(line);
      assert.equal(first, name, line);
      assert.notEqual(what, '', line);
      const end = words.indexOf('--');
      assert.ok(end === -1 || rest, `${line}: ${name} takes nothing behind --`);
      assert.doesNotThrow(() => checkUsage(definition, end === -1 ? words : words.slice(0, end)), line);
    }
  }
});

/** The words of a command line, quotes taken away, up to what is the shell's: a pipe, a redirection, another command. */
function wordsOf(line: string): string[] {
  const words: string[] = [];
  for (const [word] of line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)) {
    if (/^(\d?[<>]|[|;&])/.test(word)) break;
    words.push(word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'));
  }
  return words;
}

test('the help of every command lists its options, its examples and its exit codes', async () => {
  for (const command of commands) {
    const { name, summary, args, examples, exits } = command.definition;
    const help = await helpOf(command);
    for (const words of [
      [name, '--help'],
      [name, '-h'],
      ['help', name],
      [name, '--no-such-option', '--help'],
    ]) {
      assert.deepEqual(await inProcess(words), { code: 0, stdout: help, stderr: '' });
    }
    assert.ok(help.startsWith(`local-telemetry ${name}: ${summary}\n`) && !help.includes('\u001B'));
    for (const [option, { type }] of Object.entries(args)) {
      assert.ok(help.includes(type === 'positional' ? option.toUpperCase() : `--${option}`), `${name} --${option}`);
    }
    for (const [line, what] of examples) assert.ok(help.includes(`  local-telemetry ${line}\n      ${what}\n`), line);
    for (const code of [0, 1, 2, ...Object.keys(exits ?? {})]) assert.match(help, new RegExp(`^  ${code}  \\S`, 'm'));
  }
});

/** Every help there is, in a process that may not write, start others or load native code, and has no network. */
const ALL_HELP = `import net from 'node:net';
net.Socket.prototype.connect = () => { throw new Error('the network was touched'); };
const { run } = await import(process.argv[1] + '/src/cli/index.ts');
const { Terminal } = await import(process.argv[1] + '/src/cli/terminal.ts');
const { COMMANDS } = await import(process.argv[1] + '/src/cli/commands.ts');
const terminal = new Terminal({ environment: process.env, stdout: process.stdout, stderr: process.stderr });
for (const name of Object.keys(COMMANDS)) if ((await run([name, '--help'], terminal)) !== 0) process.exitCode = 9;`;

test('help touches neither disk nor network, whatever the settings are', async (t) => {
  const base = temporaryDirectory(t);
  const settings = { TELEMETRY_BASE_DIR: join(base, 'none'), TELEMETRY_API_PORT: 'wrong' };
  const words = ['--allow-fs-read=*', '--input-type=module', '-e', ALL_HELP, ROOT.pathname.replace(/\/$/, '')];
  const { code, stdout, stderr } = await runToEnd(settings, words, '--permission');
  assert.deepEqual([code, stderr], [0, '']);
  assert.equal(stdout.match(/^EXIT CODES$/gm)?.length, commands.length);
  assert.deepEqual(readdirSync(base), []);
});

test('colour is for terminals only, and NO_COLOR takes it away', async () => {
  const wrong = (isTTY: boolean, environment: Environment) => inProcess(['nope'], { isTTY, environment });
  assert.match((await wrong(true, {})).stderr, /^\u001B\[31mlocal-telemetry:\u001B\[39m There is no command/);
  assert.match((await wrong(true, { NO_COLOR: '' })).stderr, /\u001B/, 'set to nothing is not set');
  assert.ok(!(await wrong(true, { NO_COLOR: '1' })).stderr.includes('\u001B'));
  assert.ok(!(await wrong(false, {})).stderr.includes('\u001B'));
  const { stdout, stderr } = await cli(['config'], { FORCE_COLOR: '1', TELEMETRY_API_PORT: 'x', HOME: '/nonexistent' });
  assert.ok(!`${stdout}${stderr}`.includes('\u001B'), 'piped');
});

test('what a terminal would obey is not passed on to it in a message', async () => {
  const { stderr } = await inProcess(['\u001B[2J'], { isTTY: true, environment: { NO_COLOR: '1' } });
  assert.ok(stderr.startsWith('local-telemetry: There is no command "\uFFFD[2J"\n'), stderr);
});

test('a reader that has gone ends a command silently, with 0', async () => {
  for (const words of [['--help'], ['config', '--json'], ['completion', 'bash']]) {
    const child = startCli(words, { TELEMETRY_API_HOST: '127.0.0.1', HOME: '/nonexistent' });
    child.stdout?.destroy();
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    assert.deepEqual([code, stderr], [0, ''], words.join(' '));
  }
});
