/**
 * What only the operator of this machine may ask: over a local socket that no one else can open, or in
 * this very process. Long work is asked for in slices, so that whoever asks sees how far it is, and may stop.
 */
import { parseJson, canonicalTimestamp, isJsonObject } from '../run.ts';
import { invalid } from '../errors.ts';
import { excerpt } from '../run/check.ts';
import type { Call, Handler } from './call.ts';
import { ok } from './reply.ts';

const MAX_BYTES = 64 * 1024;
const MAX_DELETED = 10_000;
const MAX_PAGES = 1_000_000;

/** GET /control/status: who answers here, and what it is doing. */
export const getStatus: Handler = (_call, { writer, readers, spool, version }) => {
  const { path, journalMode, synchronous } = writer.info;
  return ok({
    version,
    pid: process.pid,
    node: process.version,
    db_path: path,
    journal_mode: journalMode,
    synchronous,
    uptime_seconds: Math.round(process.uptime()),
    memory_bytes: process.memoryUsage.rss(),
    waiting_commands: writer.mailbox.depth,
    waiting_queries: readers.queueSize,
    spool: spool.counts,
    time: new Date().toISOString(),
  });
};

/** POST /control/copy {"path"}: a copy of the database in a new file of the service's machine. */
export const copyDatabase: Handler = async (call, { writer }) => {
  const { path } = await bodyOf(call);
  // SQLite's library would cut blanks off, and the copy get to another file.
  const usable = typeof path === 'string' && path.startsWith('/') && path === path.trim() && !path.includes('\0');
  if (!usable) throw wrong('path', 'Input should be an absolute path without blanks at its end', path);
  return ok(await writer.copy(path, call.signal));
};

/** GET /control/retention?before=: how many runs a retention would delete. */
export const countOld: Handler = async (call, { readers }) => {
  const before = timeOf(call.query.get('before'));
  return ok({ before, runs: await readers.ask('older', { before }) });
};

/** POST /control/retention {"before", "limit"}: deletes the oldest of them, one slice. */
export const deleteOld: Handler = async (call, { writer }) => {
  const body = await bodyOf(call);
  const args = { before: timeOf(body.before), limit: whole(body, 'limit', MAX_DELETED) };
  return ok(await writer.send('delete', args, NOTHING));
};

/** POST /control/shrink {"pages"}: gives free pages back to the file system, one slice. */
export const shrink: Handler = async (call, { writer }) =>
  ok(await writer.send('shrink', { pages: whole(await bodyOf(call), 'pages', MAX_PAGES) }, NOTHING));

/** POST /control/optimize {"analyze"} */
export const optimize: Handler = async (call, { writer }) =>
  ok(await writer.send('optimize', { analyze: (await bodyOf(call)).analyze === true }, NOTHING));

/** GET /control/reindex: the indexes there are. */
export const getIndexes: Handler = async (_call, { readers }) => ok({ indexes: await readers.ask('indexes', {}) });

/** POST /control/reindex {"index"} */
export const reindex: Handler = async (call, { writer }) => {
  const { index } = await bodyOf(call);
  if (typeof index !== 'string') throw wrong('index', 'Input should be the name of an index', index);
  return ok(await writer.send('reindex', { index }, NOTHING));
};

/** GET /control/recount: whether the runs are just being counted. */
export const getRecount: Handler = async (_call, { readers }) =>
  ok({ recounting: !(await readers.ask('counted', {})) });

/** POST /control/recount: counts all runs anew. */
export const recount: Handler = async (_call, { writer }) => ok(await writer.send('recount', {}, NOTHING));

const NOTHING = new Uint8Array();

async function bodyOf(call: Call): Promise<Record<string, unknown>> {
  const bytes = await call.body(MAX_BYTES);
  let body: unknown;
  try {
    body = parseJson(Buffer.from(bytes).toString());
  } catch {
    body = undefined;
  }
  if (!isJsonObject(body))
    throw invalid([{ type: 'dict_type', loc: ['body'], msg: 'Input should be a JSON object', input: null }]);
  return body;
}

function timeOf(value: unknown): string {
  const time = typeof value === 'string' ? canonicalTimestamp(value) : undefined;
  if (time === undefined)
    throw wrong('before', 'Input should be an ISO 8601 timestamp such as 2026-01-10T12:00:00Z', value);
  return time;
}

function whole(body: Record<string, unknown>, name: string, most: number): number {
  const value = body[name];
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw wrong(name, `Input should be a whole number from 1 to ${most}`, value);
}

const wrong = (name: string, msg: string, input: unknown): Error =>
  invalid([{ type: 'value_error', loc: ['body', name], msg, input: excerpt(input ?? null) }]);
