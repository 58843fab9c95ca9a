/** A file's turn: some of its lines, those that cannot be stored set aside, the others as a batch. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { describe, systemCode } from '../../errors.ts';
import type { SpoolBatch } from '../protocol.ts';
import { pathOf } from './files.ts';
import { isBlank, reasonToReject } from './judge.ts';
import { type Line, readLines } from './lines.ts';
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
  const lines = read(tail, at);
  if (lines.length === 0) return undefined;
  const rejections = lines.flatMap((line) => {
    const reason = isBlank(line) ? undefined : reasonOf(line, tail, at);
    return reason === undefined ? [] : [{ line, reason }];
  });
  const refused = new Set(rejections.map(({ line }) => line));
  const rejected = setAside(tail, rejections, at);
  const stop = rejected === undefined ? rejections[0]?.line : undefined;
  const taken = stop ? lines.slice(0, lines.indexOf(stop)) : lines;
  const last = taken.at(-1);
  if (!last) return undefined;
  const good = taken.filter((line) => !refused.has(line) && !isBlank(line));
  const { name, inode, stored } = tail;
  return {
    batch: { name, inode, expected: stored, to: last.next, lines: good.length, body: joined(good) },
    read: taken.length,
    only: good.length === 1 ? good[0]?.offset : undefined,
    rejections,
    rejected: rejected ?? 0,
  };
}

function read(tail: Tail, { directory, batchLines, maxRunBytes, now, notes }: TurnPlace): Line[] {
  try {
    // Not to hang on a pipe that took the file's place.
    const descriptor = openSync(pathOf(directory, tail.name, tail.state), O_RDONLY | O_NONBLOCK);
    try {
      const stat = fstatSync(descriptor, { bigint: true });
      if (String(stat.ino) !== tail.inode) return [];
      const found = { state: tail.state, size: Number(stat.size), mtimeMs: Number(stat.mtimeMs) };
      if (!tail.see(found, now)) warnCutShort(tail, notes);
      const { lines, place } = readLines(descriptor, tail.place, {
        end: tail.readableTo(now),
        maxLines: Math.min(batchLines, tail.maxLines ?? batchLines),
        maxBytes: BATCH_BYTES,
        maxLineBytes: maxRunBytes,
        torn: tail.isTorn(now),
      });
      // With lines the place moves when they are stored.
      if (lines.length === 0) tail.place = place;
      notes.isWell(tail.name);
      return lines;
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    // Its client had it acknowledged and removed it, or renamed it.
    if (systemCode(error) === 'ENOENT') return [];
    tail.blockedUntil = now + RETRY_MS;
    const why = describe(error);
    if (notes.isNew(tail.name, why)) notes.warning('Spool file cannot be read', { file: tail.name, reason: why });
    return [];
  }
}

export function warnCutShort({ name, stored }: Tail, notes: Notes): void {
  notes.warning('Spool file has been cut short and is read again from its beginning', {
    file: name,
    position: stored,
  });
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
