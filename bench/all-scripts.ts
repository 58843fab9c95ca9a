/** The benchmarks of `npm run bench`, in order. Those that are run by themselves: client, retention, migration. */
export interface Script {
  /** The file's name without .ts, and the section's that it reports. */
  name: string;
  /** Options for a trial: all of them in about five minutes. */
  quick: readonly string[];
}

export const SCRIPTS: readonly Script[] = [
  { name: 'writes', quick: ['--rounds', '1', '--seconds', '1'] },
  { name: 'reads', quick: ['--rounds', '1', '--seconds', '0.1', '--rows', '100000'] },
  { name: 'mixed', quick: ['--rounds', '1', '--seconds', '1', '--rows', '5000'] },
  { name: 'schema', quick: ['--rounds', '1', '--runs', '5000'] },
  { name: 'ablation', quick: ['--rounds', '1', '--seconds', '1'] },
  { name: 'loop', quick: ['--rounds', '1', '--seconds', '2'] },
  { name: 'memory', quick: ['--minutes', '1', '--rows', '1000'] },
];
