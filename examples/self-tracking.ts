/**
 * A script that tracks itself: it counts the lines of the files in a folder.
 *
 *   npm run example:script -- [folder]
 *
 * It works the same whether the service runs or not; what cannot be delivered waits in the spool.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
// In a project of yours: from 'local-telemetry/client'.
import { type RunHandle, TelemetryClient } from '../src/client/index.ts';

const folder = process.argv[2] ?? '.';
await using telemetry = new TelemetryClient();

async function countLines(run: RunHandle): Promise<number> {
  const files = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile());
  run.setMetrics({ items_discovered: files.length });
  let total = 0;
  let failed = 0;
  for (const { name } of files) {
    try {
      total += (await readFile(join(folder, name), 'utf8')).split('\n').length;
    } catch (error) {
      failed++;
      run.logEvent('unreadable', { name, error });
    }
  }
  run.setMetrics({
    items_succeeded: files.length - failed,
    items_failed: failed,
    output_summary: `${total} lines`,
    metrics_json: { lines: total },
  });
  if (failed > 0) run.end('partial');
  return total;
}

try {
  const lines = await telemetry.trackRun('line-counter', 'count_lines', { input_summary: folder }, countLines);
  await telemetry.flush();
  const { delivery } = await telemetry.getStats();
  const where = delivery.waiting === 0 ? 'with the service' : 'in the spool';
  process.stdout.write(`${lines} lines in ${folder}; the run is ${where}\n`);
} catch (error) {
  // The run is recorded all the same, as a failure.
  process.stderr.write(`The lines of ${folder} cannot be counted: ${(error as Error).message}. Name a folder.\n`);
  process.exitCode = 1;
}
