/**
 * Makes a release: a commit, a tag and a package, all of them here. Nothing is pushed, nothing is published.
 *
 *   npm run release -- <version|major|minor|patch> [--dry-run] [--skip-tests]
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { catchSignals, run } from './release/commands.ts';
import { carryOut, notesOf, packageOf, planOf, Untagged } from './release/steps.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const USAGE = 'npm run release -- <version|major|minor|patch> [--dry-run] [--skip-tests]';

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { 'dry-run': { type: 'boolean' }, 'skip-tests': { type: 'boolean' } },
    allowPositionals: true,
  });
  const [wanted] = positionals;
  if (wanted === undefined || positionals.length > 1) throw new Error(`Say what to release: ${USAGE}`);
  const plan = planOf(ROOT, wanted);
  const { version, notes } = plan;
  catchSignals();
  if (!values['skip-tests']) {
    await run(ROOT, 'npm', 'run', 'check');
    await run(ROOT, 'npm', 'test');
  }
  if (values['dry-run']) {
    process.stdout.write(`Version ${version} can be released. Nothing was changed. Its notes:\n\n${notes}`);
    return;
  }
  await carryOut(ROOT, plan);
  process.stdout.write(`
Version ${version} is committed, tagged v${version}, and packed. Nothing has left this machine. What remains:

  git push --follow-tags
  npm publish ${packageOf(version)}

and ${notesOf(version)} for whoever announces it. To take it all back instead:

  git tag --delete v${version} && git reset --hard HEAD~1
`);
}

try {
  await main();
} catch (error) {
  const { message } = error as Error;
  process.stderr.write(error instanceof Untagged ? `${message}\n` : `Nothing is released. ${message}\n`);
  process.exitCode = 1;
}
