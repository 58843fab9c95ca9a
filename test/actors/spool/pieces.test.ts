/** Whatever the pieces in which a file grows, and wherever the service ends: every line once, in order. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { DrainBench, rejectedIn } from '../../support/spool.ts';

const record = (event_id: string): string =>
  JSON.stringify({ event_id, run_id: 'r', agent_name: 'ü', job_type: 'j', start_time: '2026-01-10T12:00:00Z' });

/** Good lines, bad ones, blank ones, and bytes that are nothing. */
const content = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.nat(999).map((n) => Buffer.from(`${record(`e${n}`)}\n`)) },
      { weight: 2, arbitrary: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)) },
      {
        weight: 1,
        arbitrary: fc.constantFrom('\n', ' \r\n', '{"event_id":"half"}\n', '{}').map((s) => Buffer.from(s)),
      },
    ),
    { maxLength: 25 },
  )
  .map((pieces) => Buffer.concat(pieces));

/** What happens next: a piece is appended, a step is taken, or the service ends before or after its step is stored. */
const happening = fc.oneof(
  fc.record({ append: fc.nat(300) }),
  fc.constantFrom('step' as const, 'cut off' as const, 'lost' as const),
);

function expectedOf(bytes: Buffer): { good: string[]; bad: [offset: number, line: string][] } {
  const good: string[] = [];
  const bad: [number, string][] = [];
  for (let at = 0; ;) {
    const end = bytes.indexOf(0x0a, at);
    if (end === -1) return { good, bad };
    const line = bytes.subarray(at, end).toString();
    if (/^[ \t\r]*\{"event_id":"e\d+"/.test(line)) good.push(line);
    else if (!/^[ \t\r]*$/.test(line)) bad.push([at, line]);
    at = end + 1;
  }
}

for (const state of ['active', 'live'] as const) {
  test(`the complete lines of a growing .${state} file are delivered once and in order, and so are its rejected ones`, (t) => {
    let files = 0;
    const bench = new DrainBench(t, { batchLines: 3, maxRunBytes: 4_096 });
    fc.assert(
      fc.property(content, fc.array(happening, { maxLength: 30 }), (bytes, happenings) => {
        const name = `f${files++}`;
        const file = `${name}.jsonl.${state}`;
        bench.lines.length = 0;
        bench.write(file, '');
        let written = 0;
        const append = (length: number): void => {
          bench.append(file, bytes.subarray(written, written + length));
          written = Math.min(bytes.length, written + length);
        };
        for (const next of happenings) {
          bench.now += 1_500;
          if (typeof next === 'object') append(next.append);
          else if (next === 'step') bench.step();
          else if (next === 'cut off') bench.stepCutOff();
          else {
            bench.ask();
            bench.restart();
          }
        }
        append(bytes.length);
        bench.pass();
        bench.pass(3_000);
        const { good, bad } = expectedOf(bytes);
        assert.deepEqual(bench.lines, good);
        const path = bench.path(`${name}.jsonl.rejected`);
        const rejected = existsSync(path) ? rejectedIn(bench.directory, name) : [];
        assert.deepEqual(
          rejected.map(({ offset, line }) => [offset, line]),
          bad,
        );
      }),
      { numRuns: 200 },
    );
  });
}
