/**
 * npm run bench -- [--quick]
 *
 * The benchmarks one after the other, each in a process of its own; then all their figures in one table, and which goals
 * they met. A goal that is missed is a finding; a benchmark that fails is a failure, and the others still run. What
 * --quick finds says nothing: it is a trial of the benchmarks, and its results are kept apart.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SCRIPTS, type Script } from './all-scripts.ts';
import { type Figure, isMet, kept, RESULTS, type Section, table } from './report.ts';
import { machineLine } from './support.ts';

const { quick } = parseArgs({ options: { quick: { type: 'boolean', default: false } } }).values;
if (quick) process.env.BENCH_RESULTS ||= join(RESULTS, 'quick');

interface Done {
  script: string;
  failed: boolean;
  /** Undefined where it reported nothing: it failed, or cannot run here. */
  figures: Figure[] | undefined;
  earlier: Figure[];
}

/** With names that tell the figures of one script from those of another. */
const named = (script: string, section: Section | undefined): Figure[] =>
  (section?.figures ?? []).map((figure) => ({ ...figure, name: `${script}: ${figure.name}` }));

async function run({ name, quick: options }: Script): Promise<Done> {
  say(`\n=== bench:${name}\n`);
  const earlier = kept(name);
  const script = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, [script, ...(quick ? options : [])], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  const now = kept(name);
  // The file may be that of a run before.
  const figures = now && now.at !== earlier?.at ? named(name, now) : undefined;
  return { script: name, failed: code !== 0, figures, earlier: named(name, earlier) };
}

/** @returns the figures' goals, for a reader */
function verdictOf(figures: readonly Figure[]): string {
  const missed = figures.filter((figure) => isMet(figure) === false).map(({ name }) => name);
  const met = figures.filter((figure) => isMet(figure) === true).length;
  const lines = [`Goals: ${met} met, ${missed.length} missed${missed.length > 0 ? ':' : ''}`, ...missed];
  return `${lines.join('\n  ')}\n`;
}

function say(text: string): void {
  process.stdout.write(text);
}

const done: Done[] = [];
for (const script of SCRIPTS) done.push(await run(script));
const about = quick ? 'A trial: these figures say nothing.' : 'All benchmarks.';
const section = { name: 'all', about, figures: done.flatMap(({ figures = [] }) => figures) };
const earlier = { ...section, figures: done.flatMap(({ earlier }) => earlier) };
say(`\n=== ${about}\n${machineLine()}\n\n${table(section, earlier)}\n${verdictOf(section.figures)}`);
for (const { script, failed, figures } of done) {
  if (failed) say(`bench:${script} failed\n`);
  else if (!figures) say(`bench:${script} reported nothing\n`);
}
process.exitCode = done.some(({ failed }) => failed) ? 1 : 0;
