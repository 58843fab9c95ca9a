/**
 * Power cuts under load: nothing acknowledged may be lost. Then the same without the directory's
 * sync, which must lose some: otherwise this would prove nothing. Needs root on Linux.
 *
 * node test/crash/power.ts [cuts=50] [seed] [--series full,unsafe] [--type ext4|xfs]
 */
import { parseArgs } from 'node:util';
import type { Environment } from '../support/service.ts';
import type { Moment } from './cycle.ts';
import { CutFileSystem, type FileSystemType, MAKE, whyNot } from './file-system.ts';
import { MAX_POSTERS, Site, UNSAFE } from './power-cut.ts';
import { Random, seedFrom } from './random.ts';

interface Series {
  title: string;
  settings: Environment;
  script?: string;
}

const SERIES: Record<string, Series> = {
  full: { title: 'DELETE, FULL and the directory synced (the default)', settings: {} },
  extra: { title: 'DELETE, EXTRA', settings: { TELEMETRY_DB_SYNCHRONOUS: 'EXTRA' } },
  wal: { title: 'WAL, FULL', settings: { TELEMETRY_DB_JOURNAL_MODE: 'WAL' } },
  unsafe: { title: 'DELETE, FULL, the directory not synced', settings: {}, script: UNSAFE },
};

/** A fresh database after so many cuts, for creation too must survive them. */
const CUTS_A_DATABASE = 10;
const MAX_ACKNOWLEDGEMENTS = 150;
const MAX_DELAY_MS = 20;
const MAX_PAUSE_MS = 40;
const MAX_START_MS = 500;

interface Tally {
  answers: number;
  /** Cuts that lost something acknowledged. */
  losing: number;
  lost: number;
  wrong: number;
}

async function main(cuts: number, seed: number, names: string[], type: FileSystemType): Promise<number> {
  const unknown = names.find((name) => !(name in SERIES));
  if (unknown !== undefined) throw new Error(`--series takes ${Object.keys(SERIES).join(', ')}, not "${unknown}"`);
  if (!(type in MAKE)) throw new Error(`--type takes ${Object.keys(MAKE).join(', ')}, not "${type}"`);
  const reason = whyNot(type);
  if (reason !== undefined) {
    say(`Skipped: cutting the power ${reason}.`);
    return 0;
  }
  say(`${cuts} cuts a series on ${type}, seed ${seed}`);
  const summaries: string[] = [];
  let failed = false;
  for (const name of names) {
    const series = SERIES[name] as Series;
    const { answers, losing, lost, wrong } = await runSeries(series, cuts, seed, type);
    const unsafe = series.script !== undefined;
    failed ||= wrong > 0 || (unsafe ? losing === 0 : losing > 0);
    summaries.push(
      `${series.title}: ${losing} of ${cuts} cuts lost something acknowledged (${lost} runs or changes); ${answers} answers`,
    );
  }
  for (const summary of summaries) say(summary);
  say(failed ? 'FAILED: only the service without the sync should lose, and it should' : 'ok');
  return failed ? 1 : 0;
}

async function runSeries(series: Series, cuts: number, seed: number, type: FileSystemType): Promise<Tally> {
  const random = new Random(seed);
  const tally: Tally = { answers: 0, losing: 0, lost: 0, wrong: 0 };
  say(series.title);
  using fileSystem = new CutFileSystem(type);
  for (let done = 0; done < cuts;) {
    await using site = new Site({ fileSystem, name: `site-${done}`, seed: seed + done, ...series });
    const until = Math.min(cuts, done + CUTS_A_DATABASE);
    while (done < until) say(`cut ${++done}: ${await cutOnce(site, random, tally)}`);
  }
  return tally;
}

async function cutOnce(site: Site, random: Random, tally: Tally): Promise<string> {
  const before = site.ledger.acknowledged;
  const { label, posters, moment } = anyMoment(random);
  if (random.chance(0.2)) await site.cutWhileStarting(random.between(50, MAX_START_MS));
  const frozen = random.chance(0.5);
  await site.cut(posters, moment, frozen);
  if (random.chance(0.2)) await site.cutWhileStarting(random.between(50, MAX_START_MS));
  const { runs, lost, wrong } = await site.judge();
  const answers = site.ledger.acknowledged - before;
  tally.answers += answers;
  tally.losing += lost.length > 0 ? 1 : 0;
  tally.lost += lost.length;
  tally.wrong += wrong.length;
  const detail = [...lost.slice(0, 3), ...wrong.slice(0, 3)].map((line) => `\n  ${line.slice(0, 300)}`).join('');
  const verdict =
    lost.length + wrong.length === 0 ? 'all there' : `${lost.length} LOST, ${wrong.length} WRONG${detail}`;
  return `${label}${frozen ? ', frozen' : ''}, ${answers} answers, ${runs} runs, ${verdict}`;
}

/** A busy service is cut within a commit; one that rests is cut after its last. */
function anyMoment(random: Random): { label: string; posters: number; moment: Moment } {
  const acknowledgements = random.between(1, MAX_ACKNOWLEDGEMENTS);
  const delayMs = random.between(1, MAX_DELAY_MS);
  switch (random.pick(['at once', 'saturated', 'paced'] as const)) {
    case 'at once':
      return { label: 'at once after an answer', posters: 1, moment: { acknowledgements, delayMs: 0 } };
    case 'saturated':
      return { label: 'saturated', posters: MAX_POSTERS, moment: { acknowledgements, delayMs } };
    case 'paced': {
      const posters = random.between(1, MAX_POSTERS);
      const pause = (): number => random.between(1, MAX_PAUSE_MS);
      return { label: 'paced', posters, moment: { acknowledgements: posters * 10, delayMs, pause } };
    }
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

// Exiting unmounts and detaches; a signal alone would not.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { series: { type: 'string', default: 'full,unsafe' }, type: { type: 'string', default: 'ext4' } },
});
const [cuts = '50', seed] = positionals;
process.exitCode = await main(Number(cuts), seedFrom(seed), values.series.split(','), values.type as FileSystemType);
