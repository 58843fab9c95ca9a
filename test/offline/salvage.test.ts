import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { judge } from '../../src/cli/import/judge.ts';
import { Reconciliation } from '../../src/offline/reconcile.ts';
import { salvage } from '../../src/offline/salvage.ts';
import { aRecord, memoryDatabase } from '../support/database.ts';

const all = (text: string): string => text;

test('what is whole and what is lost make up the line again, wherever it was torn', () => {
  const records = fc.array(
    fc.json().map((value) => `{"record_type":"run","value":${value}}`),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(records, fc.nat({ max: 200 }), (texts, cut) => {
      const line = texts.join('').slice(cut);
      const { found, lost } = salvage(line, all);
      assert.equal((lost + found.join('')).replaceAll(/\s/g, ''), line.replaceAll(/\s/g, ''));
      for (const text of found) assert.doesNotThrow(() => void JSON.parse(text));
    }),
    { numRuns: 200 },
  );
});

test('what is refused as a record is lost with what stands before it', () => {
  const [first, second] = ['{"record_type":1}', '{"record_type":2}'];
  assert.deepEqual(salvage(`{"rec${first}${second}`, all), { found: [first, second], lost: '{"rec' });
  const { found, lost } = salvage(`${first}${second}`, (text, { record_type }) =>
    record_type === 2 ? text : undefined,
  );
  assert.deepEqual([found, lost], [[second], first]);
});

test('verify misses of a torn line exactly the runs that import takes from it', () => {
  const db = memoryDatabase();
  const part = fc.constantFrom('run', 'torn', 'event', 'unusable', 'text');
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
      const textOf = (kind: string, index: number): string => {
        const run = JSON.stringify({ record_type: 'run', ...aRecord({ event_id: `id-${index}` }) });
        if (kind === 'run') return run;
        if (kind === 'torn') return run.slice(0, -5);
        if (kind === 'event') return '{"record_type":"event","run_id":"r"}';
        return kind === 'unusable' ? '{"record_type":"run","event_id":"x"}' : 'some text';
      };
      const bytes = Buffer.from(parts.map(textOf).join(''));
      const taken = judge(bytes).flatMap((found) => (found.kind === 'run' ? [found.eventId] : []));
      const reconciliation = new Reconciliation(db, { maxRunBytes: 100_000, notedAt: 0 });
      reconciliation.take({ offset: 0, next: 0, bytes, length: bytes.length }, { index: 0, mtimeMs: 0 });
      assert.deepEqual([...reconciliation.findings.keys()].sort(), taken.sort());
    }),
    { numRuns: 200 },
  );
});
