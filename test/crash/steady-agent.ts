/** An agent that makes so many runs and is done. Arguments: its name, how many; the environment says where and how. */
import { setImmediate as turn } from 'node:timers/promises';
import { TelemetryClient } from '../../src/client/index.ts';

const [name = '', count = '0'] = process.argv.slice(2);
const telemetry = new TelemetryClient({ git: false });
for (let n = 0; n < Number(count); n++) {
  const fields = { event_id: `${name}:${n}`, output_summary: 'x'.repeat(1 + (n % 700)) };
  const runId = telemetry.startRun(name, 'steady', fields);
  telemetry.endRun(runId, 'success', { items_succeeded: n });
  await turn();
}
