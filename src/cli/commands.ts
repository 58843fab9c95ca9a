/** Every subcommand. Each is loaded only when it is called: `run` must not wait for SQLite. */
import type { Command } from './command.ts';

type Load = () => Promise<{ default: Command }>;

export const COMMANDS: Readonly<Record<string, Load>> = {
  serve: () => import('./serve.ts'),
  migrate: () => import('./migrate.ts'),
  run: () => import('./run.ts'),
  healthcheck: () => import('./healthcheck.ts'),
  config: () => import('./config.ts'),
  completion: () => import('./completion.ts'),
  retention: () => import('./retention.ts'),
  optimize: () => import('./optimize.ts'),
  backup: () => import('./backup.ts'),
  restore: () => import('./restore.ts'),
  verify: () => import('./verify.ts'),
  doctor: () => import('./doctor.ts'),
  runs: () => import('./runs.ts'),
  export: () => import('./export.ts'),
  import: () => import('./import.ts'),
  replay: () => import('./replay.ts'),
  stale: () => import('./stale.ts'),
};
