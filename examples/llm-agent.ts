/**
 * An agent as language models drive them: it plans, works the plan off with a tool call each, and commits
 * what came out. The model is a stand-in that answers from a list, so that it runs anywhere.
 *
 *   npm run example:agent
 *
 * Three things to see: every step is a run of its own, and a child of the run it was started in; tokens are
 * counted on the way; the commit is tied to the run it came from.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// In a project of yours: from 'local-telemetry/client'.
import { TelemetryClient } from '../src/client/index.ts';

interface Completion {
  text: string;
  tokens: number;
}

const ANSWERS: readonly Completion[] = [
  { text: 'title\nbody', tokens: 40 },
  { text: '# Slides, in a day', tokens: 12 },
  { text: 'Make a deck from a data source; the rest follows.', tokens: 31 },
];
let asked = 0;

/** Stands for the call of a model. */
async function complete(prompt: string): Promise<Completion> {
  telemetry.currentRun()?.logEvent('prompt', { prompt });
  await new Promise((resolve) => setTimeout(resolve, 20));
  return ANSWERS[asked++ % ANSWERS.length] as Completion;
}

/** One step: a run of its own, and, started within another, its child. */
function step(name: string, prompt: string): Promise<Completion> {
  return telemetry.trackRun('post-writer', name, { input_summary: prompt }, async (run) => {
    const completion = await complete(prompt);
    run.setMetrics({ items_succeeded: 1, metrics_json: { tokens: completion.tokens } });
    return completion;
  });
}

const folder = mkdtempSync(join(tmpdir(), 'post-writer-'));
const git = (...words: string[]): string => execFileSync('git', words, { cwd: folder, encoding: 'utf8' }).trim();

// It works in a repository of its own, and says so itself.
await using telemetry = new TelemetryClient({ git: false });
// Runs of ours that never ended, because an earlier process died.
await telemetry.cleanupStaleRuns({ agentName: 'post-writer', olderThanMs: 24 * 60 * 60 * 1000 });

let runId = '';
const hash = await telemetry.trackRun(
  'post-writer',
  'write_post',
  { product: 'slides', git_repo: folder },
  async (run) => {
    runId = run.runId;
    const plan = await step('plan', 'Plan a post on slides');
    const parts = plan.text.split('\n');
    run.setMetrics({ items_discovered: parts.length });
    const written: Completion[] = [];
    for (const part of parts) written.push(await step(`write_${part}`, `Write the ${part}`));
    writeFileSync(join(folder, 'post.md'), written.map(({ text }) => text).join('\n\n'));
    git('init', '--quiet');
    git('add', '.');
    git(
      '-c',
      'user.name=post-writer',
      '-c',
      'user.email=agent@example.com',
      'commit',
      '--quiet',
      '-m',
      'Write the post',
    );
    const tokens = [plan, ...written].reduce((sum, completion) => sum + completion.tokens, 0);
    run.setMetrics({ items_succeeded: written.length, metrics_json: { tokens } });
    return git('rev-parse', 'HEAD');
  },
);
const { message } = await telemetry.associateCommit(runId, hash, 'llm', { author: 'post-writer' });
process.stdout.write(`${runId}\n${hash}: ${message}\n`);
rmSync(folder, { recursive: true, force: true });
