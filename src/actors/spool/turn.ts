/** A file's turn: some of its lines, those that cannot be stored set aside, the others as a batch. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { describe, systemCode } from '../../errors.ts';
import type { SpoolBatch } from './protocol.ts';
import { compare, markBehind, nearBytes, START } from './fingerprint.ts';
import { isBlank, reasonToReject } from './judge.ts';
import { type Line, readLines } from './lines.ts';
import { pathOf } from './names.ts';
import type { Notes } from './notes.ts';
import type { RejectedFiles, Rejection } from './rejected.ts';
import type { Tail } from './tail.ts';

export interface TurnOptions {
  directory: string;
  batchLines: number;
  maxRunBytes: number;
}

export interface TurnPlace extends TurnOptions {
  now: number;
  notes: Notes;
  rejected: RejectedFiles;
}

export interface Turn {
  batch: SpoolBatch;
  /** How many lines were read for it. */
  read: number;
  /** Where the only line of the batch begins, if it is one. */
  only: number | undefined;
  rejections: readonly Rejection[];
  /** How many of them are new. */
  rejected: number;
}

/** Bytes of a batch, unless it is one line: its rejections fit into the end of a file that is read anew. */
const BATCH_BYTES = 2 * 1024 * 1024;
/** A file that cannot be read, or its rejections not written, is tried again after this. */
const RETRY_MS = 5_000;

const { O_NONBLOCK, O_RDONLY } = constants;

/** @returns undefined where there is no complete line to be had now */
export function takeTurn(tail: Tail, at: TurnPlace): Turn | undefined {
  const descriptor = opened(tail, at);
  if (descriptor === undefined) return undefined;
  try {
    return turnOn(descriptor, tail, at);
  } finally {
    closeSync(descriptor);
  }
}

/** Compares a file with what was read of it, as far as one turn goes; what is other is read from its beginning. */
export function proveFile(tail: Tail, at: TurnPlace): void {
  const descriptor = opened(tail, at);
  if (descriptor === undefined) return;
  try {
    attempt(tail, at, () => isAsRead(descriptor, tail, at));
  } finally {
    closeSync(descriptor);
  }
}

function turnOn(descriptor: number, tail: Tail, at: TurnPlace): Turn | undefined {
  const read = attempt(tail, at, () => readNext(descriptor, tail, at));
  if (!read) return undefined;
  const { lines, near } = read;
  const rejections = lines.flatMap((line) => {
    const reason = isBlank(line) ? undefined : reasonOf(line, tail, at);
    return reason === undefined ? [] : [{ line, reason }];
  });
  const refused = new Set(rejections.map(({ line }) => line));
  const rejected = setAside(tail, rejections, at);
  const stop = rejected === undefined ? rejections[0]?.line : undefined;
  const taken = stop ? lines.slice(0, lines.indexOf(stop)) : lines;
  const mark = taken.length > 0 && attempt(tail, at, () => markBehind(descriptor, tail.mark, near, taken));
  if (!mark) return undefined;
  const good = taken.filter((line) => !refused.has(line) && !isBlank(line));
  const { name, inode, stored } = tail;
  const { position: to, digest } = mark;
  return {
    batch: { name, inode, expected: stored, to, digest, lines: good.length, body: joined(good) },
    read: taken.length,
    only: good.length === 1 ? good[0]?.offset : undefined,
    rejections,
    rejected: rejected ?? 0,
  };
}

/** @returns a descriptor of the tail's own file, which was seen by the tail; undefined where it is not to be had */
function opened(tail: Tail, at: TurnPlace): number | undefined {
  return attempt(tail, at, () => {
    // Not to hang on a pipe that took the file's place.
    const descriptor = openSync(pathOf(at.directory, tail.name, tail.state), O_RDONLY | O_NONBLOCK);
    try {
      const { ino, size, mtimeMs, ctimeNs } = fstatSync(descriptor, { bigint: true });
      if (String(ino) === tail.inode) {
        const found = { state: tail.state, size: Number(size), mtimeMs: Number(mtimeMs), ctimeNs };
        if (!tail.see(found, at.now)) warnCutShort(tail, at);
        return descriptor;
      }
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    closeSync(descriptor);
    return undefined;
  });
}

/** The next lines, and what stands before them as it was. */
function readNext(descriptor: number, tail: Tail, at: TurnPlace): { lines: Line[]; near: Uint8Array } | undefined {
  const { batchLines, maxRunBytes, now } = at;
  if (tail.isDoubtful(now) && !isAsRead(descriptor, tail, at)) return undefined;
  let near = nearBytes(descriptor, tail.mark);
  if (!near) {
    startAnew(tail, at);
    near = new Uint8Array();
  }
  const { lines, place } = readLines(descriptor, tail.place, {
    end: tail.readableTo(now),
    maxLines: Math.min(batchLines, tail.maxLines ?? batchLines),
    maxBytes: BATCH_BYTES,
    maxLineBytes: maxRunBytes,
    torn: tail.isTorn(now),
  });
  // With lines the place moves when they are stored.
  if (lines.length > 0) return { lines, near };
  tail.place = place;
  return undefined;
}

/** @returns false where the comparison is to go on */
function isAsRead(descriptor: number, tail: Tail, at: TurnPlace): boolean {
  const found = compare(descriptor, tail.mark, tail.trust.proof);
  if (found === 'same') tail.trust.prove(at.now);
  else if (found === 'other') startAnew(tail, at);
  else tail.trust.proof = found;
  return typeof found === 'string';
}

/** Merging makes it harmless that lines come again. */
function startAnew(tail: Tail, { notes, rejected }: TurnPlace): void {
  const { name, mark } = tail;
  if (mark.digest === '') {
    notes.info('Spool file is read again from its beginning: what was read of it was not noted', { file: name });
  } else {
    const { position } = mark;
    notes.warning('Spool file was written anew and is read again from its beginning', { file: name, position });
  }
  rejected.forget(name);
  tail.moveTo(START);
}

/** What the file system refuses is tried again later. */
function attempt<T>(tail: Tail, { now, notes }: TurnPlace, work: () => T): T | undefined {
  try {
    const result = work();
    notes.isWell(tail.name);
    return result;
  } catch (error) {
    // Its client had it acknowledged and removed it, or renamed it.
    if (systemCode(error) === 'ENOENT') return undefined;
    tail.blockedUntil = now + RETRY_MS;
    const why = describe(error);
    if (notes.isNew(tail.name, why)) notes.warning('Spool file cannot be read', { file: tail.name, reason: why });
    return undefined;
  }
}

export function warnCutShort({ name, stored }: Tail, { notes, rejected }: Pick<TurnPlace, 'notes' | 'rejected'>): void {
  rejected.forget(name);
  notes.warning('Spool file has been cut short and is read again from its beginning', { file: name, position: stored });
}

function reasonOf(line: Line, { doomed, size }: Tail, { maxRunBytes }: TurnPlace): string | undefined {
  if (doomed?.offset === line.offset) return doomed.reason;
  const reason = reasonToReject(line, maxRunBytes);
  // Only the last line of a file that is complete comes without its end.
  const torn = line.next === size && line.next === line.offset + line.length;
  return reason !== undefined && torn ? `The line is torn: the file ends in it. ${reason}` : reason;
}

/** @returns how many were new; undefined where they cannot be written now, and the file must wait before the first */
function setAside(tail: Tail, rejections: readonly Rejection[], at: TurnPlace): number | undefined {
  if (rejections.length === 0) return 0;
  const { name } = tail;
  const appended = at.rejected.append(name, rejections);
  if ('written' in appended) {
    at.notes.isWell(`${name} rejected`);
    return appended.written;
  }
  if (!appended.forever) {
    tail.blockedUntil = at.now + RETRY_MS;
    if (at.notes.isNew(`${name} rejected`, appended.failed)) {
      at.notes.warning('Spool file waits: its rejected lines cannot be written', {
        file: name,
        reason: appended.failed,
      });
    }
    return undefined;
  }
  // The file itself stays where it is, and with it the lines.
  at.notes.error('Rejected lines of the spool cannot be written and stay in their file only', {
    file: name,
    reason: appended.failed,
    lines: rejections.map(({ line, reason }) => ({ offset: line.offset, reason })),
  });
  return rejections.length;
}

/** The lines in one piece of memory that may be handed over, each with its end. */
function joined(lines: readonly Line[]): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(lines.reduce((sum, { length }) => sum + length + 1, 0)).fill(0x0a);
  let at = 0;
  for (const { bytes, length } of lines) {
    body.set(bytes, at);
    at += length + 1;
  }
  return body;
}
