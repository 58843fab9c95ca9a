/** Group commit: all that waits in one transaction, beside a transaction for each command. */
import type { Figure } from '../report.ts';
import type { BenchService } from '../support.ts';
import { type Bench, ratioOf } from './compare.ts';
import { besides } from './services.ts';

const CONNECTIONS = [32, 256] as const;

export async function groupCommit(bench: Bench): Promise<Figure[]> {
  const rates = CONNECTIONS.map((connections) => ({ connections, on: [] as number[], off: [] as number[] }));
  const measure = (which: 'on' | 'off') => async (service: BenchService) => {
    for (const rate of rates) {
      const job = { kind: 'single', connections: rate.connections } as const;
      const [{ perSecond }] = await bench.load.run(service.url, bench.seconds * 1_000, job);
      rate[which].push(perSecond);
    }
  };
  await besides(bench, 'groupCommit', measure('on'), measure('off'));
  return rates.map(({ connections, on, off }) =>
    ratioOf(`group commit: single runs on ${connections} connections, on / off`, on, off, 'a second'),
  );
}
