/** Which documents are run, and what of them is not, with the reason. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { makeOlderFile } from '../support/older.ts';
import { linkProgram } from './shell.ts';

export interface Place {
  /** The fresh copy of the checkout. */
  checkout: string;
  /** The home of whoever reads this document. */
  home: string;
}

export interface Plan {
  path: string;
  /** Makes what the document takes for there. */
  prepare?: (place: Place) => void;
  /** The program is in PATH from the beginning. Else a document must say where it comes from before it uses it. */
  linked?: true;
  /** How many runs of each agent must be with the service at the end, at least; none where it asks for a token. */
  runs: Readonly<Record<string, number>>;
}

export const PLANS: readonly Plan[] = [
  { path: 'README.md', prepare: aFileOfRuns, runs: { translator: 3, loader: 3 } },
  {
    path: 'docs/quick-start-agents.md',
    runs: { 'line-counter': 2, 'post-writer': 4, importer: 1, backup: 1, nightly: 1 },
  },
  { path: 'docs/quick-start-operators.md', runs: {} },
  { path: 'docs/upgrading.md', prepare: anOlderDatabase, linked: true, runs: { 'agent-6': 10 } },
];

/** Commands that cannot be run here, and what is done instead. */
export const LEFT_OUT: readonly { command: RegExp; why: string; instead?: (place: Place) => void }[] = [
  { command: /^npm ci && npm test$/, why: 'CI runs it; it takes minutes' },
  {
    command: /^sudo ln -s /,
    why: 'sudo; the same link is made in a folder of our own in PATH',
    instead: ({ home, checkout }) => linkProgram(home, checkout),
  },
];

/** Commands that go on until they are stopped: they are started in the background. */
export const isStart = (command: string): boolean => /(^|&& )npm start$/.test(command);

function aFileOfRuns({ checkout }: Place): void {
  const runs = Array.from({ length: 3 }, (_, index) => ({
    event_id: `loaded-${index}`,
    run_id: `loaded-${index}`,
    agent_name: 'loader',
    job_type: 'load',
    start_time: '2026-01-10T12:00:00Z',
  }));
  const lines = runs.map((run) => `${JSON.stringify(run)}\n`).join('');
  writeFileSync(join(checkout, 'runs.ndjson.gz'), gzipSync(lines));
}

function anOlderDatabase({ home }: Place): void {
  const path = join(home, '.telemetry/db/telemetry.sqlite');
  mkdirSync(dirname(path), { recursive: true });
  makeOlderFile(path, 'v6', 200);
}
