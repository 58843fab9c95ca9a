/** `optimize`: statistics, indexes, space and counts of a database, through its writer. */
import { setTimeout as pause } from 'node:timers/promises';
import { TelemetryError } from '../errors.ts';
import { valueOf } from './answer.ts';
import { command } from './command.ts';
import { EXIT } from './exit.ts';
import { DATABASE, JSON_OUTPUT } from './options.ts';
import type { Target } from './answer.ts';
import { openTarget } from './target.ts';
import type { Terminal } from './terminal.ts';

/** How often it is looked whether a recount has ended. */
const LOOK_MS = 100;

export default command({
  name: 'optimize',
  summary: "Bring SQLite's statistics up to date; on demand build indexes or counts anew",
  details:
    'The service does a short form of it by itself every six hours. --reindex builds every index anew, one after the\n' +
    'other: reads and writes wait while each is built, which in large databases takes minutes.',
  args: {
    reindex: { type: 'boolean', description: 'Build every index anew, as after a warning of verify' },
    recount: { type: 'boolean', description: 'Count all runs anew: what /metrics shows' },
    ...DATABASE,
    ...JSON_OUTPUT,
  },
  examples: [
    ['optimize', 'statistics only; takes a moment'],
    ['optimize --recount', 'after verify has found that the counts differ'],
    ['optimize --reindex', 'after verify has found an index that differs'],
  ],
  run: optimize,
});

async function optimize(args: Readonly<Record<string, unknown>>, terminal: Terminal): Promise<number> {
  await using target = await openTarget(args, terminal, { writes: true });
  const post = async (path: string, body: object): Promise<void> => {
    valueOf(await target.request('POST', path, JSON.stringify(body)), target.where);
  };
  const { built, failed } = args.reindex === true ? await reindexAll(target, terminal) : { built: [], failed: [] };
  await post('/control/optimize', { analyze: true });
  await post('/control/optimize', { analyze: false });
  if (args.recount === true) {
    await post('/control/recount', {});
    await counted(target, terminal);
  }
  const done = { optimized: true, reindexed: built, failed, recounted: args.recount === true };
  if (args.json) terminal.json(done);
  else {
    terminal.print('The statistics are up to date.');
    if (built.length > 0) terminal.print(`${built.length} indexes were built anew.`);
    if (args.recount === true) terminal.print('All runs were counted anew.');
  }
  return failed.length > 0 ? EXIT.failed : EXIT.done;
}

/** One that cannot be built does not keep the others from it. */
async function reindexAll(target: Target, terminal: Terminal): Promise<{ built: string[]; failed: string[] }> {
  const indexes = await indexesOf(target);
  const built: string[] = [];
  for (const [done, index] of indexes.entries()) {
    terminal.note(`Building index ${done + 1} of ${indexes.length}: ${index}`);
    try {
      valueOf(await target.request('POST', '/control/reindex', JSON.stringify({ index })), target.where);
      built.push(index);
    } catch (error) {
      if (!(error instanceof TelemetryError) || error.code !== 'bad_request') throw error;
      terminal.note(error.message);
    }
  }
  return { built, failed: indexes.filter((index) => !built.includes(index)) };
}

/** Waits until all are counted; in the service it goes on without us. */
async function counted(target: Target, terminal: Terminal): Promise<void> {
  terminal.note('Counting all runs anew…');
  for (;;) {
    const answer = await target.request('GET', '/control/recount');
    if (!valueOf<{ recounting: boolean }>(answer, target.where).recounting) return;
    await pause(LOOK_MS);
  }
}

async function indexesOf(target: Target): Promise<string[]> {
  return valueOf<{ indexes: string[] }>(await target.request('GET', '/control/reindex'), target.where).indexes;
}
