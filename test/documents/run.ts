/**
 * Follows the documents as a reader does: every command of their shell blocks, in order, in a fresh copy of the checkout,
 * with a home and a port of its own; and every snippet that names its file. Prints a line a command, and exits with 1
 * where one fails, or does not say what the document shows. Needs git, curl, python3, openssl, and the registry.
 *
 *   npm run test:documents
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { copyCheckout } from './copy.ts';
import { type Block, blocksOf, commandsOf, fileOf, isShown } from './markdown.ts';
import { isStart, LEFT_OUT, type Place, type Plan, PLANS } from './plan.ts';
import { type Ended, environmentOf, freePort, linkProgram, makeProject, Shell } from './shell.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TIME_LIMIT_MS = 900_000;
const TOOLS = ['git', 'bash', 'curl', 'python3', 'openssl', 'npm'];
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const brief = (command: string): string => command.replaceAll(/\s+/g, ' ').slice(0, 100);

let failed = 0;
let shell: Shell | undefined;

async function step(name: string, work: () => Promise<void>): Promise<void> {
  const started = performance.now();
  try {
    await work();
    say(`ok      ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed++;
    say(`FAILED  ${name}\n${(error instanceof Error ? error.message : String(error)).replaceAll(/^/gm, '          ')}`);
  }
}

/** @param shown the output that the document shows behind the command */
function expect({ code, stdout, stderr }: Ended, shown?: Block): void {
  if (code !== 0) throw new Error(`exit ${code}\n${stdout}${stderr}`.slice(-4000));
  if (shown && !isShown(stdout, shown))
    throw new Error(`line ${shown.line} shows\n${shown.text}but it said\n${stdout}`);
  // curl ends with 0 whatever the service answers.
  if (!shown && stdout.startsWith('{"detail"')) throw new Error(stdout);
}

async function runCommands(reader: Shell, place: Place, block: Block, shown: Block | undefined): Promise<void> {
  const commands = commandsOf(block);
  for (const [index, command] of commands.entries()) {
    const leftOut = LEFT_OUT.find((one) => one.command.test(command));
    if (leftOut) {
      leftOut.instead?.(place);
      say(`skipped ${brief(command)}: ${leftOut.why}`);
    } else if (isStart(command)) await step(brief(command), () => reader.start(command));
    else {
      const last = index === commands.length - 1;
      await step(brief(command), async () => expect(await reader.run(command), last ? shown : undefined));
    }
  }
}

/** Runs a snippet that the document itself does not run, in a project that has the package. */
async function runSnippet(reader: Shell, { checkout, home }: Place, name: string, text: string): Promise<void> {
  const folder = join(home, `project-${name}`);
  makeProject(folder, checkout);
  writeFileSync(join(folder, name), text);
  const program = name.endsWith('.ts') ? `npm --prefix '${checkout}' run build && node` : 'python3';
  await step(`the snippet ${name}`, async () => expect(await reader.run(`(cd '${folder}' && ${program} ${name})`)));
}

/** What was recorded is with the service: an agent ends with 0 also where it was not. */
async function expectRuns(reader: Shell, port: number, runs: Plan['runs']): Promise<void> {
  const { stdout } = await reader.run(`curl -s http://localhost:${port}/metrics`);
  const { agents = {} } = JSON.parse(stdout) as { agents?: Record<string, number> };
  const few = Object.entries(runs).filter(([agent, count]) => (agents[agent] ?? 0) < count);
  if (few.length > 0) throw new Error(`Too few runs of ${few.map(([agent]) => agent).join(', ')}: ${stdout}`);
}

async function follow({ path, prepare, linked, runs }: Plan, place: Place): Promise<void> {
  say(`\n${path}`);
  mkdirSync(place.home, { recursive: true });
  const port = await freePort();
  prepare?.(place);
  const text = readFileSync(join(place.checkout, path), 'utf8')
    .replaceAll('localhost:8765', `localhost:${port}`)
    .replaceAll('<version>', version);
  const blocks = blocksOf(text);
  const commands = blocks.filter(({ language }) => language === 'sh').flatMap(commandsOf);
  const reader = new Shell(place.home, place.checkout, environmentOf(place.home, port));
  shell = reader;
  if (linked) linkProgram(place.home, place.checkout);
  try {
    for (const [index, block] of blocks.entries()) {
      const next = blocks[index + 1];
      const name = fileOf(block);
      if (block.language === 'sh') {
        const shown = next?.adjoins && ['json', 'text'].includes(next.language) ? next : undefined;
        await runCommands(reader, place, block, shown);
      } else if (name !== undefined && commands.some((command) => command.includes(name)))
        writeFileSync(join(reader.folder, name), block.text);
      else if (name !== undefined) await runSnippet(reader, place, name, block.text);
    }
    const agents = Object.keys(runs).join(', ');
    if (agents !== '') await step(`runs of ${agents}`, () => expectRuns(reader, port, runs));
  } finally {
    await reader.stop();
  }
}

function missingTools(): string[] {
  return TOOLS.filter((tool) => {
    try {
      execFileSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' });
      return false;
    } catch {
      return true;
    }
  });
}

async function main(folder: string): Promise<void> {
  const checkout = join(folder, 'checkout');
  copyCheckout(ROOT, checkout);
  for (const [index, plan] of PLANS.entries()) await follow(plan, { checkout, home: join(folder, `reader-${index}`) });
  say('\nNot run, wherever they stand:');
  for (const { command, why } of LEFT_OUT) say(`  ${command.source}: ${why}`);
  say(failed === 0 ? 'The documents are right.' : `${failed} commands failed.`);
}

const missing = missingTools();
if (missing.length > 0)
  say(`skipped: ${missing.join(', ')} cannot be found. Install what is missing to follow the documents.`);
else {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'documents-')));
  const timer = setTimeout(() => {
    say(`FAILED  not done within ${TIME_LIMIT_MS / 1000} s`);
    void (shell?.stop() ?? Promise.resolve()).finally(() => process.exit(1));
  }, TIME_LIMIT_MS);
  try {
    await main(folder);
    if (failed > 0) process.exitCode = 1;
  } finally {
    clearTimeout(timer);
    rmSync(folder, { recursive: true, force: true });
  }
}
