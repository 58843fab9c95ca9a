/** The gate, in short: what a list waits beside hot writers. bench:mixed has the whole. */
import type { Figure } from '../report.ts';
import { type BenchService, percentile } from '../support.ts';
import { type Bench, ratioOf } from './compare.ts';
import { besides } from './services.ts';

const WRITING = { kind: 'single', connections: 16 } as const;
const LISTS = ['/api/v1/runs?agent_name=renovate&limit=100'];
const READING = { kind: 'get', connections: 4, perSecond: 20, paths: LISTS } as const;

interface Seen {
  p99: number[];
  stored: number[];
}

export async function gate(bench: Bench): Promise<Figure[]> {
  const on: Seen = { p99: [], stored: [] };
  const off: Seen = { p99: [], stored: [] };
  const measure = (seen: Seen) => async (service: BenchService) => {
    const milliseconds = bench.seconds * 1_000;
    const reading = { ...READING, paths: [...READING.paths] };
    const [writes, reads] = await bench.load.run(service.url, milliseconds, WRITING, reading);
    seen.p99.push(percentile(reads.latencies, 0.99));
    seen.stored.push(writes.perSecond);
  };
  await besides(bench, 'gate', measure(on), measure(off));
  const beside = `beside ${WRITING.connections} connections`;
  return [
    ratioOf(`gate: p99 of paced lists ${beside} of single runs, off / on`, off.p99, on.p99, 'ms'),
    ratioOf(`gate: single runs beside those lists, on / off`, on.stored, off.stored, 'a second'),
  ];
}
