/**
 * Packs the package, installs it into an empty folder and uses it there. Needs the registry.
 *
 *   npm run test:package
 */
import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkAgents, checkTypes } from './agents.ts';
import { checkContents } from './contents.ts';
import { checkOlderNode } from './older-node.ts';
import { checkService } from './service.ts';
import { Checks, expectCode, ROOT, run, tool } from './support.ts';
import { IMPORT, startTimes } from './times.ts';

const ATTW = '@arethetypeswrong/cli@0.18.5';
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };

async function checkStarts(checks: Checks, folder: string): Promise<void> {
  const expected = `${version}\n`;
  const program = async (where: string, words: string[], environment = {}): Promise<void> =>
    assert.equal((await run(where, [...words, '--version'], environment)).stdout, expected);
  await checks.check(
    'npx local-telemetry is the program, in a project that installed it and in a checkout',
    async () => {
      await program(folder, ['npx', 'local-telemetry']);
      await program(ROOT, ['npx', 'local-telemetry']);
    },
  );
  await checks.check('a link to bin/local-telemetry of a checkout starts it, whatever Node is in PATH', async () => {
    symlinkSync(join(ROOT, 'bin/local-telemetry'), join(folder, 'linked'));
    await program(folder, [join(folder, 'linked')], { PATH: '/usr/bin:/bin' });
  });
}

async function main(folder: string): Promise<number> {
  const checks = new Checks();
  const consumer = join(folder, 'consumer');
  const packed = join(folder, 'packed');
  for (const each of [consumer, packed]) mkdirSync(each);
  const installed = join(consumer, 'node_modules/local-telemetry');
  let tarball = '';
  const there = await checks.check('npm pack builds and packs; npm install takes it into an empty folder', async () => {
    expectCode(await run(ROOT, ['npm', 'pack', '--pack-destination', packed]));
    tarball = join(packed, String(readdirSync(packed)[0]));
    writeFileSync(join(consumer, 'package.json'), '{ "private": true }\n');
    expectCode(await run(consumer, ['npm', 'install', '--no-audit', '--no-fund', tarball]));
  });
  if (!there) return checks.failed;
  const environment = { HOME: folder, TELEMETRY_BASE_DIR: join(folder, 'base'), TELEMETRY_API_HOST: '127.0.0.1' };
  await checks.check('it has the files it should have, and no other', () => checkContents(installed));
  await checkStarts(checks, consumer);
  await checkOlderNode(checks, consumer);
  await checkAgents(checks, consumer, environment);
  await checkService(checks, consumer, environment);
  await checkTypes(checks, consumer);
  await checks.check('publint finds nothing', async () => {
    expectCode(await run(folder, [tool('publint'), tarball, '--strict']));
  });
  await checks.check('the types resolve as the code does (attw)', async () => {
    expectCode(
      await run(folder, ['npm', 'exec', '--yes', `--package=${ATTW}`, '--', 'attw', '--profile', 'esm-only', tarball]),
    );
  });
  for (const line of await startTimes(IMPORT, 5)) process.stdout.write(`        ${line}\n`);
  return checks.failed;
}

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'package-')));
try {
  if ((await main(folder)) > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
