/**
 * Conditional requests: whoever has an answer of the database already, and says so by `If-None-Match`, is told 304
 * where nothing has been written since, and no reader is asked.
 */
import { hash, randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import type { WriterHandle } from '../actors/writer/handle.ts';
import type { Call, Services } from './call.ts';
import { notModified, type Reply } from './reply.ts';

/** Longer than the kernel's clock for files stands still: two writes within one tick leave the same time. */
const TICK_MS = 50;
/**
 * A tag lives no longer. What the files do not show is hidden for so long at most: a commit of another program in WAL
 * mode, which is written and synced first and seen later; a file system that counts whole seconds.
 */
const LIFETIME_MS = 60_000;

/**
 * Answers a read that depends on the database only. Check first what was asked: what is refused is refused to all.
 *
 * @param read makes the answer, or throws what there is instead
 */
export async function unlessKnown(call: Call, services: Services, read: () => Promise<Reply>): Promise<Reply> {
  // HAZARD: before the query. An answer newer than its tag costs another answer; an older one would be kept for good.
  const tag = tagOf(call, services.writer);
  const headers = {
    ...(tag !== undefined && { ETag: tag }),
    // To be kept, and asked for each time; where there is a token, not for others.
    'Cache-Control': services.http.token === undefined ? 'no-cache' : 'private, no-cache',
  };
  const known = tagsIn(call.headers['if-none-match']);
  if (tag !== undefined && known.includes(opaque(tag))) return notModified(headers);
  const reply = await read();
  // Whatever there is; but only now it is known that there is something.
  if (known.includes('*')) return notModified(headers);
  return { ...reply, headers: { ...reply.headers, ...headers } };
}

/** Whether `If-None-Match` names this tag, or is `*`. Weak or not makes no difference: a proxy that compresses weakens tags. */
export function isKnown(ifNoneMatch: string | undefined, tag: string): boolean {
  const known = tagsIn(ifNoneMatch);
  return known.includes('*') || known.includes(opaque(tag));
}

const opaque = (tag: string): string => tag.replace(/^W\//, '');
const tagsIn = (header = ''): string[] => header.split(',').map((tag) => opaque(tag.trim()));

/** Names what the database says at this address now; undefined where that cannot be told from what it says next. */
function tagOf(call: Call, writer: WriterHandle): string | undefined {
  const files = filesOf(writer);
  if (files === undefined) return undefined;
  const lifetime = Math.floor(performance.now() / LIFETIME_MS);
  const address = `${call.path}?${call.query.toString()}`;
  const state = [startOf(writer), writer.version, lifetime, ...files, address].join(' ');
  return `W/"${hash('sha256', state, 'base64url').slice(0, 22)}"`;
}

const starts = new WeakMap<WriterHandle, string>();

/** Tells this writer's versions from those of the one before it, maybe in this very process. */
function startOf(writer: WriterHandle): string {
  let start = starts.get(writer);
  if (start === undefined) starts.set(writer, (start = randomUUID()));
  return start;
}

/**
 * What the database's files look like, for what our writer's versions do not count: writes of other programs, and the end of a
 * recount. Only looked at, which is quick; never opened. Undefined where one was written just now, or there is none.
 */
function filesOf(writer: WriterHandle): string[] | undefined {
  try {
    const { realPath, journalMode } = writer.info;
    const paths = journalMode === 'WAL' ? [realPath, `${realPath}-wal`] : [realPath];
    const found = paths.map((path) => statSync(path, { bigint: true }));
    if (found.some(({ mtimeMs }) => Date.now() - Number(mtimeMs) <= TICK_MS)) return undefined;
    return found.map(({ ino, size, mtimeNs }) => `${ino} ${size} ${mtimeNs}`);
  } catch {
    // A database that is only read here has no writer; one that was taken away has no file.
    return undefined;
  }
}
