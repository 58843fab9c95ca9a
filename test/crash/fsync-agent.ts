/** An agent on a disk that will lose its power: says each run whose calls have returned, and when. */
import { writeSync } from 'node:fs';
import { TelemetryClient } from '../../src/client/index.ts';

const [baseDir = '', fsync = 'always'] = process.argv.slice(2);
const client = new TelemetryClient({
  baseDir,
  fsync: fsync as 'always' | 'batch' | 'off',
  testMode: 'mock',
  git: false,
  // Several files a life: a new one must outlast the cut as well.
  bufferMaxSizeMb: 0.05,
});
for (let count = 0; ; count++) {
  const event_id = `run-${count}`;
  client.endRun(client.startRun('agent', 'job', { event_id }));
  writeSync(1, `${event_id} ${Date.now()}\n`);
  // Its work between two runs; a background flush needs time to make a difference.
  await new Promise((resolve) => setTimeout(resolve, 1));
}
