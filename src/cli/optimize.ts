/** `optimize`: statistics, indexes, space and counts of a database, through its writer. */
import { valueOf } from './answer.ts';
import { command } from './command.ts';
import { DATABASE, JSON_OUTPUT } from './options.ts';
import { openTarget, type Target } from './target.ts';
import type { Terminal } from './terminal.ts';

export default command({
  name: 'optimize',
  summary: "Bring SQLite's statistics up to date; on demand build indexes or counts anew",
  details:
    'The service does a short form of it by itself every six hours. --reindex builds every index anew, one after the\n' +
    'other: reads and writes wait while each is built, which in large databases takes minutes.',
  args: {
    reindex: { type: 'boolean', description: 'Build every index anew, as after a warning of verify' },
    recount: { type: 'boolean', description: 'Count all runs anew, in the background: what /metrics shows' },
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

async function optimize(args: Readonly<Record<string, unknown>>, terminal: Terminal): Promise<undefined> {
  await using target = await openTarget(args, terminal, { writes: true });
  const post = async (path: string, body: object): Promise<void> => {
    valueOf(await target.request('POST', path, JSON.stringify(body)), target.where);
  };
  const indexes = args.reindex === true ? await indexesOf(target) : [];
  for (const [done, index] of indexes.entries()) {
    terminal.note(`Building index ${done + 1} of ${indexes.length}: ${index}`);
    await post('/control/reindex', { index });
  }
  await post('/control/optimize', { analyze: true });
  await post('/control/optimize', { analyze: false });
  if (args.recount === true) await post('/control/recount', {});
  const done = { optimized: true, reindexed: indexes, recounting: args.recount === true };
  if (args.json) terminal.json(done);
  else {
    terminal.print('The statistics are up to date.');
    if (indexes.length > 0) terminal.print(`${indexes.length} indexes were built anew.`);
    if (args.recount === true) terminal.print('The runs are being counted anew; /metrics is right when that is done.');
  }
  return undefined;
}

async function indexesOf(target: Target): Promise<string[]> {
  return valueOf<{ indexes: string[] }>(await target.request('GET', '/control/reindex'), target.where).indexes;
}
