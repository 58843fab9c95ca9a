/** `retention`: deletes old runs, slice by slice through the writer, and gives their space back. */
import { statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { timestampOf } from '../run.ts';
import { valueOf } from './answer.ts';
import { command } from './command.ts';
import { UsageError } from './exit.ts';
import { wholeNumber } from './numbers.ts';
import { configOf, DATABASE, JSON_OUTPUT } from './options.ts';
import { bytesOf, count } from '../offline/figures.ts';
import { Pace } from './pace.ts';
import type { Target } from './answer.ts';
import { openTarget } from './target.ts';
import type { Terminal } from './terminal.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
/** Runs and pages of one slice; whoever writes meanwhile waits for one at most. */
const RUNS = 100;
const PAGES = 100;

interface Swept {
  before: string;
  matching: number;
  deleted: number;
  dry_run: boolean;
  bytes_before: number;
  bytes_after: number;
}

export default command({
  name: 'retention',
  summary: 'Delete runs older than some days, and give their space back',
  details:
    'Says what it would delete; with --apply it does, by slices, while the service goes on. By created_at, whatever\n' +
    'the status. Nothing is ever deleted by itself: put this into a timer. Stopped midway, it has deleted the oldest.',
  args: {
    days: { type: 'string', valueHint: 'number', description: 'Instead of TELEMETRY_RETENTION_DAYS' },
    apply: { type: 'boolean', description: 'Delete; otherwise TELEMETRY_DRY_RUN_CLEANUP decides' },
    'dry-run': { type: 'boolean', description: 'Delete nothing, whatever is set' },
    ...DATABASE,
    ...JSON_OUTPUT,
  },
  examples: [
    ['retention --days 90', 'says how many runs are older than 90 days'],
    ['retention --days 90 --apply', 'deletes them'],
  ],
  run: retention,
});

async function retention(args: Readonly<Record<string, unknown>>, terminal: Terminal): Promise<undefined> {
  const { retention: settings, database } = configOf(args, terminal);
  if (args.apply === true && args['dry-run'] === true)
    throw new UsageError('--apply and --dry-run contradict each other');
  const days = typeof args.days === 'string' ? wholeNumber('days', args.days, 1, 36_500) : settings.days;
  const dryRun = args['dry-run'] === true || (args.apply !== true && settings.dryRun);
  const before = timestampOf(Date.now() - days * DAY_MS);
  await using target = await openTarget(args, terminal, { writes: !dryRun });
  const answer = await target.request('GET', `/control/retention?${new URLSearchParams({ before }).toString()}`);
  const { runs: matching } = valueOf<{ runs: number }>(answer, target.where);
  const size = (): number => statSync(database.path).size;
  const swept: Swept = { before, matching, deleted: 0, dry_run: dryRun, bytes_before: size(), bytes_after: size() };
  if (!dryRun) {
    swept.deleted = await deleteAll(target, before, matching, terminal);
    await shrinkAll(target, terminal);
    swept.bytes_after = size();
    if (swept.deleted > 0 && swept.bytes_after >= swept.bytes_before && database.journalMode === 'WAL') {
      terminal.note(
        'In WAL mode the file shrinks when its log is next taken into it, at the latest when the service stops.',
      );
    }
  }
  if (args.json) terminal.json(swept);
  else for (const line of report(swept, days)) terminal.print(line);
  return undefined;
}

function report({ before, matching, deleted, dry_run, bytes_before, bytes_after }: Swept, days: number): string[] {
  const what = `${count(matching, 'run')} older than ${count(days, 'day')} (created before ${before.slice(0, 19)}Z)`;
  if (dry_run) return [what, 'Nothing was deleted; with --apply they would be.'];
  return [
    `${what}: ${count(deleted, 'run')} deleted`,
    `The file had ${bytesOf(bytes_before)}, and has ${bytesOf(bytes_after)}`,
  ];
}

interface Shrunk {
  freed: number;
  free: number;
  able: boolean;
}

/** Asks for a slice, and of a running service for no more than half of its time. */
async function slowly<T>(target: Target, path: string, body: string): Promise<T> {
  const started = performance.now();
  const value = valueOf<T>(await target.request('POST', path, body), target.where);
  if (target.live) await pause(performance.now() - started);
  return value;
}

async function deleteAll(target: Target, before: string, matching: number, terminal: Terminal): Promise<number> {
  const pace = new Pace(matching);
  const body = JSON.stringify({ before, limit: RUNS });
  let deleted = 0;
  for (;;) {
    const { deleted: slice } = await slowly<{ deleted: number }>(target, '/control/retention', body);
    deleted += slice;
    terminal.progress(`Deleting: ${pace.at(deleted, 'runs')}`);
    if (slice < RUNS) return deleted;
  }
}

async function shrinkAll(target: Target, terminal: Terminal): Promise<void> {
  const body = JSON.stringify({ pages: PAGES });
  let pace: Pace | undefined;
  let total = 0;
  for (;;) {
    const { freed, free, able } = await slowly<Shrunk>(target, '/control/shrink', body);
    if (!able) {
      return terminal.note(
        'This file was made by an early version and keeps its pages; they are used again for new runs.',
      );
    }
    total += freed;
    pace ??= new Pace(free + freed);
    terminal.progress(`Giving space back: ${pace.at(total, 'pages')}`);
    if (free === 0 || freed === 0) return;
  }
}
