/** Counts of runs as series that stay few and short, whatever agents call themselves. Pure. */
import type { Series as Counted } from '../../actors/protocol.ts';
import { cut } from '../../run/text.ts';
import type { Series } from './exposition.ts';

/** Where the combinations beyond the bound are summed. */
const OTHER = '(other)';
/** Characters of a label's value; what is longer is cut, and may then be summed with its like. */
const MAX_LABEL = 128;

/** @returns a value for each agent, job type and status, no combination twice */
export function seriesOf({ counts, others }: Counted): Series {
  const sums = new Map<string, [labels: string[], value: number]>();
  const add = (labels: string[], runs: number): void => {
    const key = JSON.stringify(labels);
    const sum = sums.get(key);
    if (sum) sum[1] += runs;
    else sums.set(key, [labels, runs]);
  };
  for (const [agent, job, status, runs] of counts) add([agent, job, status].map(short), runs);
  for (const [status, runs] of others) add([OTHER, OTHER, short(status)], runs);
  return [...sums.values()];
}

/** Combinations that have no series of their own. */
export const foldedOf = ({ others }: Counted): number => others.reduce((sum, [, , folded]) => sum + folded, 0);

const short = (value: string): string => (value.length <= MAX_LABEL ? value : cut(value, MAX_LABEL - 1, '…'));
