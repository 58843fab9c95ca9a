/**
 * The page about the API, in a real browser against the real service. Prints a line a check; exits 1 where one fails.
 *
 * node test/page/run.ts [--screenshots folder]
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { localEnvironment, spawnService } from '../support/service.ts';
import { type Check, CHECKS } from './checks.ts';
import { findChromium, openChromium } from './chromium.ts';
import { GUARDED, LOOKS, TOKEN } from './looks.ts';
import { Reader } from './reader.ts';

/** All of it takes some twenty seconds. */
const PATIENCE_MS = 180_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Runs checks against a service of their own. @returns how many failed */
async function inspect(
  program: string,
  settings: Record<string, string>,
  checks: Readonly<Record<string, Check>>,
  after?: (reader: Reader) => Promise<void>,
): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'telemetry-page-'));
  const { child, url, exited } = await spawnService({ ...localEnvironment(directory), ...settings });
  let failed = 0;
  try {
    const { tab, close } = await openChromium(program);
    try {
      const reader = new Reader(tab, url);
      await reader.resize(1200, 900);
      await reader.open();
      await after?.(reader);
      for (const [name, check] of Object.entries(checks)) if (!(await holds(name, () => check(reader)))) failed++;
      if (!(await holds('no script has failed', () => unbroken(reader)))) failed++;
    } finally {
      await close();
    }
  } finally {
    child.kill();
    await exited;
    rmSync(directory, { recursive: true, force: true });
  }
  return failed;
}

async function holds(name: string, check: () => Promise<void>): Promise<boolean> {
  try {
    await check();
    say(`ok      ${name}`);
    return true;
  } catch (error) {
    say(`FAILED  ${name}\n        ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

/** Nothing on the console but the browser's own lines about answers such as 422. */
function unbroken({ tab }: Reader): Promise<void> {
  const said = tab.of('Log.entryAdded').filter(({ entry }) => (entry as { source: string }).source !== 'network');
  const wrong = [...said, ...tab.of('Runtime.consoleAPICalled'), ...tab.of('Runtime.exceptionThrown')];
  return wrong.length === 0 ? Promise.resolve() : Promise.reject(new Error(JSON.stringify(wrong)));
}

/** Pictures to look at: wide and narrow, light and dark, closed and open. */
async function photograph(reader: Reader, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const scheme of ['light', 'dark'] as const) {
    await reader.scheme(scheme);
    for (const [size, width, height] of [
      ['wide', 1200, 1000],
      ['phone', 360, 740],
    ] as const) {
      await reader.resize(width, height);
      await reader.open();
      writeFileSync(join(folder, `${scheme}-${size}-closed.png`), await reader.screenshot());
      await reader.unfold('createRun');
      await reader.send('createRun');
      for (const [name, part] of Object.entries({ fields: 'table', form: 'form', answers: '.answer' })) {
        await reader.tab.evaluate(`document.querySelector('#createRun ${part}').scrollIntoView()`);
        writeFileSync(join(folder, `${scheme}-${size}-${name}.png`), await reader.screenshot());
      }
    }
  }
  await reader.resize(1200, 900);
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { screenshots: { type: 'string' } } });
  const program = findChromium();
  if (program === undefined) {
    say('skipped: no Chromium in PATH. Install one (Debian: apt-get install chromium) to check the page.');
    return 0;
  }
  setTimeout(() => {
    say(`FAILED  not done within ${PATIENCE_MS / 1000} s`);
    process.exit(1);
  }, PATIENCE_MS).unref();
  const folder = values.screenshots;
  let failed = await inspect(program, {}, { ...CHECKS, ...LOOKS });
  const token = { TELEMETRY_API_AUTH_ENABLED: 'true', TELEMETRY_API_AUTH_TOKEN: TOKEN };
  failed += await inspect(program, token, GUARDED);
  if (folder !== undefined) failed += await inspect(program, {}, {}, (reader) => photograph(reader, folder));
  say(failed === 0 ? 'The page is as it should be.' : `${failed} checks failed.`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
