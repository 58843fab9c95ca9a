/** A client's process in small: appends runs to a spool file, one write() a line. Arguments: file, prefix, count. */
import { closeSync, openSync, writeSync } from 'node:fs';

const [file = '', prefix = '', count = '0'] = process.argv.slice(2);
const descriptor = openSync(file, 'ax');
for (let n = 0; n < Number(count); n++) {
  const run = {
    event_id: `${prefix}${n}`,
    run_id: `run-${prefix}${n}`,
    agent_name: prefix,
    job_type: 'check',
    start_time: '2026-01-10T12:00:00Z',
    output_summary: 'x'.repeat(n % 700),
  };
  writeSync(descriptor, `${JSON.stringify(run)}\n`);
}
closeSync(descriptor);
