/**
 * How long it takes to start, out of dist and out of src: medians of processes that take turns. Printed, not judged.
 *
 *   node test/package/times.ts [rounds]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { median } from '../../bench/support.ts';
import { RUN } from './service.ts';
import { expectCode, ROOT, run } from './support.ts';

/** Ways to start, by name, each out of TypeScript and out of JavaScript. */
export const IMPORT = ['import of the client'];
const COMMANDS = ['--help', 'runs', 'healthcheck --url http://127.0.0.1:1'];

function commandOf(name: string, main: string, client: string): string[] {
  if (name !== IMPORT[0]) return [process.execPath, main, ...name.split(' ')];
  const code = `await import(${JSON.stringify(pathToFileURL(client).href)})`;
  return [process.execPath, '--input-type=module', '--eval', code];
}

/** @param names which; @param rounds how often each. @returns a line for each, in milliseconds of the whole process */
export async function startTimes(names: readonly string[], rounds: number): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'start-times-'));
  const environment = { TELEMETRY_BASE_DIR: folder, TELEMETRY_API_HOST: '127.0.0.1' };
  const src = (name: string): string[] => commandOf(name, join(ROOT, 'src/main.ts'), join(ROOT, 'src/client/index.ts'));
  const dist = (name: string): string[] =>
    commandOf(name, join(ROOT, 'dist/main.js'), join(ROOT, 'dist/client/index.js'));
  const timed = async (words: string[]): Promise<number> => {
    const started = performance.now();
    await run(ROOT, words, environment);
    return performance.now() - started;
  };
  try {
    // A database, so that there is something to list.
    const runs = join(folder, 'runs.ndjson');
    writeFileSync(runs, `${JSON.stringify(RUN)}\n`);
    expectCode(await run(ROOT, [process.execPath, join(ROOT, 'src/main.ts'), 'import', runs, '--create'], environment));
    const lines: string[] = [];
    for (const name of names) {
      const times = { src: [] as number[], dist: [] as number[] };
      for (let round = 0; round < rounds; round++) {
        times.src.push(await timed(src(name)));
        times.dist.push(await timed(dist(name)));
      }
      lines.push(`${name}: ${median(times.src).toFixed(0)} ms from src, ${median(times.dist).toFixed(0)} ms from dist`);
    }
    return lines;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = [...IMPORT, ...COMMANDS];
  for (const line of await startTimes(names, Number(process.argv[2] ?? 10))) process.stdout.write(`${line}\n`);
}
