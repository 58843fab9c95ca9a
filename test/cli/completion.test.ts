/** `completion`: scripts that are made from the table of commands, tried in the shells that are here. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test, type TestContext } from 'node:test';
import type { Command } from '../../src/cli/command.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { RUN_FIELDS } from '../../src/cli/runs/columns.ts';
import { STATUSES } from '../../src/run.ts';
import { cli } from '../support/cli.ts';
import { cliHere } from '../support/cli-here.ts';
import { temporaryDirectory } from '../support/service.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
const NAMES = Object.keys(COMMANDS);
const scripts: Record<string, string> = {};
const commands: Command['definition'][] = [];

before(async () => {
  for (const load of Object.values(COMMANDS)) commands.push((await load()).default.definition);
  for (const shell of SHELLS) {
    const { code, stdout, stderr } = await cliHere(['completion', shell]);
    assert.deepEqual([code, stderr], [0, '']);
    scripts[shell] = stdout;
  }
});

const isHere = (shell: string): boolean => spawnSync(shell, ['--version'], { stdio: 'ignore' }).status === 0;

/** What bash would offer where these words stand, the last of them unfinished. */
function offered(t: TestContext, words: readonly string[], cwd = temporaryDirectory(t)): string[] {
  const file = join(temporaryDirectory(t), 'completion.bash');
  writeFileSync(file, scripts.bash ?? '');
  const code = `source "$0"; COMP_WORDS=(local-telemetry "$@"); COMP_CWORD=$#; _local_telemetry
    for word in "\${COMPREPLY[@]}"; do printf '%s\\n' "$word"; done`;
  // With a socket as its input bash takes itself for a remote shell, and reads the .bashrc of whoever runs this.
  const { stdout, stderr, status } = spawnSync('bash', ['-c', code, file, ...words], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  assert.deepEqual([status, stderr], [0, '']);
  return stdout.split('\n').filter(Boolean);
}

for (const shell of SHELLS) {
  test(`the script for ${shell} has every command, every option and every choice`, () => {
    const script = scripts[shell] ?? '';
    const flag = (name: string): string => (shell === 'fish' ? `-l ${name} ` : `--${name}`);
    for (const { name, args } of commands) {
      assert.ok(script.includes(name), name);
      for (const [option, { type, options }] of Object.entries(args) as [
        string,
        { type: string; options?: string[] },
      ][]) {
        if (type !== 'positional') assert.ok(script.includes(flag(option)), `${name} ${option}`);
        if (options) assert.ok(script.includes(options.join(' ')), `the choices of ${name} ${option}`);
      }
    }
  });

  test(`${shell} takes its script`, { skip: !isHere(shell) }, (t) => {
    const file = join(temporaryDirectory(t), 'script');
    writeFileSync(file, scripts[shell] ?? '');
    const { status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    assert.deepEqual([status, stderr], [0, '']);
  });
}

const BASH = { skip: !isHere('bash') };

test('bash completes commands', BASH, (t) => {
  assert.deepEqual(offered(t, ['']).slice(0, NAMES.length), NAMES);
  assert.deepEqual(offered(t, ['heal']), ['healthcheck']);
  assert.deepEqual(offered(t, ['help', 'heal']), ['healthcheck']);
});

test('bash completes options, of the command that is meant', BASH, (t) => {
  assert.deepEqual(offered(t, ['serve', '--p']), ['--port']);
  assert.deepEqual(offered(t, ['healthcheck', '--json', '--']), ['--url', '--timeout', '--json', '--help']);
  assert.deepEqual(offered(t, ['no-such-command', '--']), []);
});

test('bash completes the choices of an option and of a word, and offers nothing for a value of any kind', BASH, (t) => {
  assert.deepEqual(offered(t, ['completion', '']), [...SHELLS]);
  assert.deepEqual(offered(t, ['completion', 'z']), ['zsh']);
  assert.deepEqual(offered(t, ['serve', '--port', '']), []);
  const [name, option, choices] = anEnum();
  assert.deepEqual(offered(t, [name, `--${option}`, '']), choices);
  assert.deepEqual(offered(t, [name, `--${option}`, '=']), choices, 'as bash splits --option=');
  assert.deepEqual(offered(t, [name, `--${option}`, '=', choices[0] ?? '']), choices.slice(0, 1));
});

test('bash completes lists, value by value, and offers none twice', BASH, (t) => {
  for (const command of ['runs', 'export']) {
    assert.deepEqual(offered(t, [command, '--status', '']), [...STATUSES]);
    assert.deepEqual(offered(t, [command, '--status', 'f']), ['failure']);
    assert.deepEqual(offered(t, [command, '--status', '=', 'success,f']), ['success,failure']);
    assert.deepEqual(
      offered(t, [command, '--status', 'failure,timeout,']),
      ['running', 'success', 'partial', 'cancelled'].map((status) => `failure,timeout,${status}`),
    );
  }
  assert.deepEqual(offered(t, ['runs', '--columns', '']), RUN_FIELDS);
  assert.deepEqual(offered(t, ['runs', '--columns', 'status,run_']), ['status,run_id']);
  assert.deepEqual(offered(t, ['runs', '--columns', 'run_id,run_']), [], 'it is there already');
});

test('every script has the values of lists, and the options that say no', () => {
  for (const shell of SHELLS) {
    const script = scripts[shell] ?? '';
    for (const values of [STATUSES, RUN_FIELDS]) assert.ok(script.includes(values.join(' ')), shell);
    assert.ok(script.includes(shell === 'fish' ? '-l no-trailer ' : '--no-trailer'), shell);
  }
});

test('a folder that may be missing is made before the script is written into it', () => {
  const { examples } = commands.find(({ name }) => name === 'completion') ?? assert.fail();
  for (const [line, what] of examples) {
    const [, folder] = /> (~\/\S+)\/[^/]+$/.exec(line) ?? [];
    if (folder !== undefined) assert.ok(what.endsWith(`mkdir -p ${folder}`), what);
  }
});

function anEnum(): [name: string, option: string, choices: string[]] {
  for (const { name, args } of commands) {
    for (const [option, argument] of Object.entries(args) as [string, { type: string; options?: string[] }][]) {
      if (argument.type === 'enum' && argument.options) return [name, option, argument.options];
    }
  }
  return assert.fail('no command has an option of choices');
}

test('bash completes file names where an option takes a path, and behind the -- of run', BASH, (t) => {
  const folder = temporaryDirectory(t);
  writeFileSync(join(folder, 'two words.sqlite'), '');
  mkdirSync(join(folder, 'two'));
  assert.deepEqual(offered(t, ['serve', '--db', 'tw'], folder).sort(), ['two', 'two words.sqlite']);
  assert.deepEqual(offered(t, ['serve', '--db', '=', 'two '], folder), ['two words.sqlite']);
  assert.deepEqual(offered(t, ['run', '--quiet', '--', 'cat', 'two '], folder), ['two words.sqlite']);
  assert.deepEqual([...new Set(offered(t, ['run', '--', 'mkdi'], folder))], ['mkdir'], 'a program of PATH');
  assert.deepEqual(offered(t, ['serve', '--', ''], folder), []);
});

test('a shell that is none of them is refused with their names', async () => {
  const { code, stdout, stderr } = await cli(['completion', 'tcsh']);
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /The shell must be one of bash, zsh, fish, not "tcsh"/);
  assert.match((await cliHere(['completion'])).stderr, /<SHELL> is missing/);
});
