/** The predicate: runs checked by a plain loop, beside superstruct asked for every run; and what that is of storing one. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Parcel } from '../../src/actors/protocol.ts';
import { GroupWriter } from '../../src/actors/writer/group.ts';
import { acceptsRun, explainRun } from '../../src/run/check.ts';
import { BareFile, makeRows } from '../bare.ts';
import type { Figure } from '../report.ts';
import { makeBatch } from '../runs.ts';
import { type Bench, ratioOf, ROWS_BEFORE, takeTurns, timeOf } from './compare.ts';

const SIZE = 1_000;
const TIMES = 9;
const ARGS = { merge: false, maxRuns: SIZE, maxRunBytes: 1024 * 1024 };
const MICROSECONDS = 1_000;

export function predicate({ directory, rounds }: Bench): Figure[] {
  using file = new BareFile(join(directory, 'predicate.sqlite'), makeRows(ROWS_BEFORE));
  const writer = new GroupWriter(file.db, {
    gate: null,
    directory: file.directory,
    busyTimeoutMs: 1_000,
    changeCounter: null,
    rollupsTrusted: true,
  });
  // As they come out of a body.
  const runs = JSON.parse(JSON.stringify(makeBatch(SIZE))) as unknown[];
  const perRun = (work: () => void): number => (timeOf(work) * MICROSECONDS) / SIZE;
  const [accepting, explaining, storing] = takeTurns(
    rounds,
    TIMES,
    () => perRun(() => assert(runs.every((run) => acceptsRun(run)))),
    () => perRun(() => assert(runs.every((run) => explainRun(run).length === 0))),
    () => {
      const parcel = parcelOf(makeBatch(SIZE));
      return perRun(() => store(writer, parcel));
    },
  ) as [number[], number[], number[]];
  const stored = storing.map((whole, round) => whole + (explaining[round] as number) - (accepting[round] as number));
  return [
    ratioOf('predicate: checking a run by superstruct / by the loop', explaining, accepting, 'us a run'),
    ratioOf(`predicate: storing batches of 1,000, checked by superstruct / by the loop`, stored, storing, 'us a run'),
  ];
}

function parcelOf(runs: unknown[]): Parcel {
  const bytes = new Uint8Array(Buffer.from(JSON.stringify(runs)));
  return { commands: [{ name: 'batch', args: ARGS, start: 0, end: bytes.byteLength }], bytes };
}

function store(writer: GroupWriter, parcel: Parcel): void {
  const [outcome] = writer.execute(parcel);
  assert(outcome?.ok && 'inserted' in outcome.value && outcome.value.inserted === SIZE, JSON.stringify(outcome));
}
