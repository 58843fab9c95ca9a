/** What a database of an earlier version is, and what migrating it would do: without changing a byte of it. */
import { SCHEMA_VERSION, TABLE } from '../../../run.ts';
import { realPath } from '../real-path.ts';
import type { Connection } from '../../database.ts';
import { build, type Limits } from './build.ts';
import { buildingName, freeSpace, neededSpace, sizeOf } from './files.ts';
import { openForTrial } from './open.ts';
import { isInterrupted, withReading, walSize } from './reading.ts';
import { refused } from './refusal.ts';
import { type Shape, shapeOf } from './shape.ts';
import { FIRST_VERSION } from './version.ts';

export interface Survey {
  path: string;
  /** The database and what lies in its WAL. */
  bytes: number;
  /** The recorded version, 0 where none is recorded; 8 and above: nothing to convert. */
  version: number;
  /** Such as "version 6 without id, 39 columns". */
  shape: string;
  rows: number;
  events: number;
  commits: number;
  /** What is worth knowing of it. */
  notes: string[];
  /** What migrating does, in order. Empty where there is nothing to convert. */
  steps: string[];
  /** Measured by migrating a sample in memory. */
  expectedSeconds: number;
  freeBytes: number;
  neededBytes: number;
}

/** Rows that are converted to see how long it takes. */
const SAMPLE_ROWS = 4_000;
const SAMPLE_BYTES = 32 * 1024 ** 2;
/** What reading back takes, as part of the rest. */
const VERIFYING = 0.3;
/** Bytes a second that are checked, copied and synced; a disk's modest pace. */
const PACE = 100 * 1024 ** 2;

/** @throws TelemetryError "refused" for a database that is newer, of something else, locked, or left in the midst of a commit */
export function survey(givenPath: string): Survey {
  const path = realPath(givenPath);
  try {
    return withReading(path, (db) => surveyOf(db, path));
  } catch (error) {
    if (!isInterrupted(error)) throw error;
    const why =
      'was left in the midst of a commit by a crash, and cannot be read before that is undone. `local-telemetry migrate` does that first, and then goes on.';
    throw refused(path, why, error);
  }
}

function surveyOf(db: Connection, path: string): Survey {
  const shape = shapeOf(db, path);
  const current = shape.version >= FIRST_VERSION;
  const bytes = sizeOf(path);
  return {
    path,
    bytes,
    version: shape.version,
    shape: describeShape(shape),
    rows: shape.runs.rows,
    events: shape.events?.rows ?? 0,
    commits: shape.commits?.rows ?? 0,
    notes: current ? [] : notesOn(shape, path),
    steps: current ? [] : stepsFor(shape, path),
    expectedSeconds: current ? 0 : expectedSeconds(db, shape, bytes),
    freeBytes: freeSpace(path),
    neededBytes: current ? 0 : neededSpace(bytes, shape.runs.rows),
  };
}

const has = ({ runs }: Shape, name: string): boolean => runs.columns.some((column) => column.toLowerCase() === name);

/** Such as "version 6 without id, 39 columns". */
function describeShape(shape: Shape): string {
  const version = shape.version === 0 ? 'no recorded version' : `version ${shape.version}`;
  return `${version}${has(shape, 'id') ? '' : ' without id'}, ${shape.runs.columns.length} columns`;
}

function notesOn(shape: Shape, path: string): string[] {
  const notes: string[] = [];
  const wal = walSize(path);
  if (wal > 0) notes.push(`${wal} bytes of it lie in the write-ahead log beside it`);
  const missing = TABLE.map(({ name }) => name).filter((name) => !has(shape, name));
  if (missing.length > 0) notes.push(`its runs have no ${missing.join(', ')}`);
  for (const what of shape.leftBehind) notes.push(`only in the backup afterwards: ${what}`);
  return notes;
}

function stepsFor(shape: Shape, path: string): string[] {
  const { runs, events, commits } = shape;
  const amount = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
  const rows = [
    amount(runs.rows, 'run'),
    amount(events?.rows ?? 0, 'event'),
    amount(commits?.rows ?? 0, 'commit'),
  ].join(', ');
  return [
    ...(walSize(path) > 0 ? ['take what lies in the write-ahead log into the database'] : []),
    'lock the database against other programs, and check it',
    `build ${buildingName(path)} of version ${SCHEMA_VERSION} from it: ${rows}`,
    'make the indexes, and count the runs',
    'read everything back and compare it',
    `keep the older database as ${path}.v${shape.version}-<time>.backup, and put the new one in its place`,
  ];
}

/** What a build of nothing takes is taken once; what a sample takes beyond that, for as many rows as there are. */
function expectedSeconds(db: Connection, shape: Shape, bytes: number): number {
  const fixed = secondsOf(db, shape, { runs: 0, others: 0 });
  const beyond = (limit: number, tables: readonly number[], limits: Limits): number => {
    const sampled = sum(tables.map((rows) => Math.min(rows, limit)));
    if (sampled === 0) return 0;
    return (Math.max(0, secondsOf(db, shape, limits) - fixed) / sampled) * sum(tables);
  };
  const runs = [shape.runs.rows];
  const others = [shape.events?.rows ?? 0, shape.commits?.rows ?? 0];
  const [ofRuns, ofOthers] = [sampleOf(sum(runs), bytes), sampleOf(sum(others), bytes)];
  const rows =
    beyond(ofRuns, runs, { runs: ofRuns, others: 0 }) + beyond(ofOthers, others, { runs: 0, others: ofOthers });
  return (fixed + rows) * (1 + VERIFYING) + bytes / PACE;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** How many of these rows are tried; as if all bytes were in them, for at worst that makes it fewer. */
const sampleOf = (rows: number, bytes: number): number =>
  Math.max(1, Math.min(SAMPLE_ROWS, Math.floor(SAMPLE_BYTES / (bytes / Math.max(rows, 1)))));

/** Builds a sample, and throws it away. */
function secondsOf(db: Connection, shape: Shape, limits: Limits): number {
  const trial = openForTrial();
  try {
    const began = performance.now();
    for (const step of build({ db, shape }, trial, limits)) void step;
    return (performance.now() - began) / 1000;
  } finally {
    trial.close();
  }
}
