/** The checks of what lies beside the database: the NDJSON backup against it, and the spool. */
import { dirname } from 'node:path';
import type { Connection } from '../actors/database.ts';
import { keyOf, type SpoolEntry } from '../actors/spool/files.ts';
import { describe, TelemetryError } from '../errors.ts';
import { isJsonObject } from '../run.ts';
import { quoted } from '../actors/shell.ts';
import { bad, type Check, firstOf, ok, SHOWN, warning } from './check.ts';
import { bytesOf, count, numberOf } from './figures.ts';
import { type BackupFile, listBackup, readBackup } from './ndjson.ts';
import { eventIdOn, type Finding, Reconciliation } from './reconcile.ts';
import { marksIn, Spool } from './spool.ts';

/** What lay beside the database at one moment, before anyone looked into it. */
export interface Beside extends Disposable {
  notedAt: number;
  ndjsonDirectory: string;
  backup: BackupFile[] | undefined;
  spool: Spool;
}

/**
 * What the agents have written until now. A record written later is not asked for; one written before must be found.
 *
 * @throws TelemetryError "refused" where this user may not look
 */
export function noteBeside(ndjsonDirectory: string, spoolDirectory: string): Beside {
  const notedAt = Date.now();
  try {
    const backup = listBackup(ndjsonDirectory);
    const spool = new Spool(spoolDirectory);
    return { notedAt, ndjsonDirectory, backup, spool, [Symbol.dispose]: () => spool[Symbol.dispose]() };
  } catch (error) {
    const why = `The folders of NDJSON and spool cannot be read: ${describe(error)}. Run this as the user of the agents and the service.`;
    throw new TelemetryError('refused', why, { cause: error });
  }
}

export interface BesideOptions {
  maxRunBytes: number;
  onProgress: (what: string) => void;
}

/** Reads the NDJSON backup and compares it with a database that is at least as new. */
export async function checkBackup(db: Connection, beside: Beside, options: BesideOptions): Promise<Check> {
  const { backup, ndjsonDirectory, notedAt, spool } = beside;
  if (!backup) return ok('ndjson', `no folder ${ndjsonDirectory}: no client of this machine keeps a backup there`);
  const { maxRunBytes, onProgress } = options;
  const reconciliation = new Reconciliation(db, { maxRunBytes, notedAt });
  const unreadable: string[] = [];
  for (const [index, file] of backup.entries()) {
    const problem = await readBackup(file, maxRunBytes, (lines) => {
      for (const line of lines) reconciliation.take(line, { index, mtimeMs: file.mtimeMs });
      onProgress(`Comparing with NDJSON: ${count(reconciliation.counts.records, 'record')}`);
    });
    if (problem !== undefined) unreadable.push(problem);
  }
  if (reconciliation.findings.size > 0) findElsewhere(reconciliation, db, spool, maxRunBytes);
  return conclude(reconciliation, backup, unreadable);
}

/** What the database has not got may be in the spool. */
function findElsewhere({ findings }: Reconciliation, db: Connection, spool: Spool, maxRunBytes: number): void {
  const found = (eventId: string | undefined, place: 'waiting' | 'rejected'): void => {
    const finding = eventId === undefined ? undefined : findings.get(eventId);
    if (finding) finding.place ??= place;
  };
  spool.forEachWaiting(marksIn(db), maxRunBytes, ({ bytes }) => found(eventIdOn(bytes), 'waiting'));
  // A rejection quotes its line, whose every character may take two.
  spool.forEachRejected(2 * maxRunBytes, ({ bytes }) => found(eventIdIn(bytes), 'rejected'));
}

/** The run of a rejected line, which is quoted in the line of the rejection. */
function eventIdIn(bytes: Uint8Array): string | undefined {
  try {
    const rejection: unknown = JSON.parse(Buffer.from(bytes).toString());
    const line = isJsonObject(rejection) ? rejection.line : undefined;
    return typeof line === 'string' ? eventIdOn(Buffer.from(line)) : undefined;
  } catch {
    return undefined;
  }
}

function conclude(reconciliation: Reconciliation, backup: readonly BackupFile[], unreadable: string[]): Check {
  const { counts, findings, overflow } = reconciliation;
  const groups = groupsOf(findings);
  const notes = [
    ...said(groups.waiting.length, 'run', 'waiting in the spool'),
    ...said(groups.rejected.length, 'run', 'rejected by the spool'),
    ...said(groups.young.length, 'run', 'perhaps on the way, younger than a minute'),
    ...said(counts.deleted, 'record', 'of runs that were deleted on purpose'),
    ...said(counts.unusable, 'line', 'that can never be a run'),
    ...said(counts.torn, 'torn line'),
    ...said(counts.blank, 'empty line'),
    ...said(counts.events, 'event', 'not compared'),
    ...said(overflow, 'record', 'more of runs missing or behind, not looked for in the spool'),
  ];
  const seen = `${count(counts.records, 'record')} in ${count(backup.length, 'file')}`;
  const lacking = [...groups.missing.map((id) => `missing: ${id}`), ...groups.behind.map((id) => `behind: ${id}`)];
  const details = [...unreadable.map((problem) => `not read to its end: ${problem}`), ...notes];
  if (lacking.length > 0 || overflow > 0) {
    const numbers = `missing in the database: ${count(groups.missing.length, 'run')}, behind: ${numberOf(groups.behind.length)}`;
    const remedy = `This brings them in: local-telemetry import ${filesToImport(reconciliation, backup)}`;
    return bad('ndjson', `${seen}: ${numbers}`, remedy, [...firstOf(lacking), ...details]);
  }
  if (unreadable.length > 0) {
    return bad(
      'ndjson',
      `${seen}; not read to the end: ${count(unreadable.length, 'file')}`,
      'Look at these files',
      details,
    );
  }
  return ok('ndjson', `${seen}, all in the database`, details);
}

/** The files that have what is missing or behind, as a shell takes them; of many files the folder's patterns. */
function filesToImport({ findings, overflowFiles }: Reconciliation, backup: readonly BackupFile[]): string {
  const places = new Set(overflowFiles);
  for (const { young, place, files } of findings.values())
    if (!place && !young) for (const index of files) places.add(index);
  const paths = backup.filter((_file, index) => places.has(index)).map(({ path }) => path);
  if (paths.length <= SHOWN) return paths.map(quoted).join(' ');
  const [first = ''] = paths;
  const endings = ['.ndjson', '.ndjson.gz'].filter((ending) => paths.some((path) => path.endsWith(ending)));
  return endings.map((ending) => `${quoted(dirname(first))}/*${ending}`).join(' ');
}

const said = (number: number, noun: string, what = ''): string[] =>
  number > 0 ? [`${count(number, noun)} ${what}`.trim()] : [];

function groupsOf(
  findings: ReadonlyMap<string, Finding>,
): Record<'missing' | 'behind' | 'waiting' | 'rejected' | 'young', string[]> {
  const groups = { missing: [], behind: [], waiting: [], rejected: [], young: [] } as ReturnType<typeof groupsOf>;
  for (const [eventId, { lack, young, place }] of findings) groups[place ?? (young ? 'young' : lack)].push(eventId);
  return groups;
}

/** What waits in the spool, and what of it never can be stored. */
export function checkSpool(db: Connection, { spool, notedAt }: Beside, maxRunBytes: number): Check {
  if (!spool.there) return ok('spool', `no folder ${spool.directory}: nothing waits`);
  const marks = marksIn(db);
  const positionOf = (file: SpoolEntry): number => marks.get(keyOf(file))?.position ?? 0;
  const beyond = [...spool.files, ...spool.empty].filter((file) => positionOf(file) > file.size);
  const waiting = spool.files
    .filter((file) => positionOf(file) <= file.size)
    .map((file) => ({ ...file, from: spool.waitsFrom(file, marks) }))
    .map((file) => ({ ...file, bytes: file.size - file.from, anew: file.from < positionOf(file) }));
  const anew = waiting.filter((file) => file.anew);
  const pending = waiting.filter(({ bytes }) => bytes > 0);
  const total = pending.reduce((sum, { bytes }) => sum + bytes, 0);
  const oldest = Math.round((notedAt - Math.min(notedAt, ...pending.map(({ mtimeMs }) => mtimeMs))) / 1000);
  let rejected = 0;
  spool.forEachRejected(2 * maxRunBytes, ({ length }) => (rejected += length > 0 ? 1 : 0));
  const states = [...spool.byState()].map(([state, files]) => `${files} ${state}`).join(', ') || 'no files';
  const seen =
    total === 0 ? `${states}; nothing waits` : `${states}; ${bytesOf(total)} wait, the oldest for ${oldest} s`;
  const details = [
    ...anew.map(({ name }) => `written anew since it was read, and read again by the service: ${name}`),
    ...spool.unopened.map((problem) => `not read: ${problem}`),
  ];
  if (beyond.length > 0) {
    const lines = beyond.map(
      (file) => `${file.name}: ${positionOf(file) - file.size} bytes fewer than were read from it`,
    );
    const remedy = 'Someone cut these files. What was read of them is stored; their clients keep NDJSON of all';
    return bad('spool', `${seen}; shorter than what was read: ${count(beyond.length, 'file')}`, remedy, [
      ...firstOf(lines),
      ...details,
    ]);
  }
  if (rejected > 0) {
    const remedy = `Read the .rejected files in ${spool.directory}, correct and import what matters, and remove them`;
    return warning('spool', `${seen}; rejected: ${count(rejected, 'line')}`, remedy, details);
  }
  return spool.unopened.length > 0
    ? warning('spool', seen, 'See why these files cannot be read', details)
    : ok('spool', seen, details);
}
