/** What the tests of the HTTP contract share: one service a file, exact answers, rows seen from a second connection. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { type Answer, aRun, type Environment, openToVerify, type Service, startService } from './service.ts';

export type Run = Record<string, unknown> & { event_id: string };

export interface ShownIssue {
  type: string;
  loc: (string | number)[];
  msg: string;
  input: unknown;
}

/**
 * One service for all tests of a file; call what is returned inside a test.
 *
 * @param runs stored before the first test
 */
export function serviceOfFile(environment: Environment = {}, runs: readonly Run[] = []): () => Service {
  let service: Service | undefined;
  const cleanups: (() => unknown)[] = [];
  const context = { after: (cleanup: () => unknown) => cleanups.unshift(cleanup) } as unknown as TestContext;
  before(async () => {
    service = await startService(context, environment);
    if (runs.length > 0) await createAll(service, runs);
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });
  return () => service as Service;
}

export const RUNS = '/api/v1/runs';
export const BATCH = `${RUNS}/batch`;
export const pathOf = (eventId: string, rest = ''): string => `${RUNS}/${encodeURIComponent(eventId)}${rest}`;

/** Stores a run and says what was sent. */
export async function create(service: Service, fields: Record<string, unknown> = {}): Promise<Run> {
  const run = aRun(fields);
  const answer = await service.request('POST', RUNS, run);
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return run;
}

/** Stores runs in their order. */
export async function createAll(service: Service, runs: readonly Run[]): Promise<void> {
  const { body } = await service.request('POST', BATCH, runs);
  assert.deepEqual(body, { inserted: runs.length, duplicates: 0, errors: [], total: runs.length });
}

/** The run as GET shows it. */
export async function shown(service: Service, eventId: string): Promise<Record<string, unknown>> {
  const answer = await service.request('GET', pathOf(eventId));
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body as Record<string, unknown>;
}

/** The run's row as a second connection sees it; undefined where there is none. */
export function rowOf(t: TestContext, service: Service, eventId: string): Record<string, unknown> | undefined {
  const db = openToVerify(t, service.path);
  return db.prepare('SELECT * FROM agent_runs WHERE event_id = ?').get(eventId) as Record<string, unknown> | undefined;
}

export function storedRuns(t: TestContext, service: Service): number {
  return openToVerify(t, service.path).prepare('SELECT count(*) FROM agent_runs').pluck().get() as number;
}

/** A writable connection of another program, as far as the service can tell. */
export function foreignConnection(t: TestContext, path: string): Database.Database {
  const db = new Database(path, { fileMustExist: true });
  t.after(() => db.close());
  return db;
}

export function assertError(answer: Answer, status: number, detail: unknown): void {
  assert.deepEqual({ status: answer.status, body: answer.body }, { status, body: { detail } });
}

export const issuesOf = ({ body }: Answer): ShownIssue[] => (body as { detail: ShownIssue[] }).detail;

/** Asserts a 422 that names exactly these places, such as "body.status". */
export function assertInvalid(answer: Answer, places: readonly string[], what = ''): void {
  assert.equal(answer.status, 422, `${what} ${JSON.stringify(answer.body)}`);
  const named = issuesOf(answer).map(({ loc }) => loc.join('.'));
  assert.deepEqual(named.sort(), [...places].sort(), what);
  for (const issue of issuesOf(answer)) {
    assert.deepEqual(Object.keys(issue), ['type', 'loc', 'msg', 'input'], what);
    assert.ok(issue.msg.length > 0 && issue.type.length > 0, what);
  }
}

/** Asserts that the writer stores a run still. */
export async function assertWriterWorks(t: TestContext, service: Service): Promise<void> {
  const { event_id } = await create(service);
  assert.equal(rowOf(t, service, event_id)?.event_id, event_id);
}

/** Asserts that as many runs are stored as before, and that the writer goes on. */
export async function assertUntouched(t: TestContext, service: Service, before: number): Promise<void> {
  assert.equal(storedRuns(t, service), before);
  await assertWriterWorks(t, service);
}

/** Waits, a turn of the event loop at a time, for a state that has no event of its own. */
export async function until(state: () => boolean): Promise<void> {
  while (!state()) await turn();
}

export interface RawConnection {
  socket: Socket;
  /** All that came so far. */
  received(): string;
  /** Resolves once the text has come; rejects where the connection closes before. */
  receive(text: string): Promise<string>;
  /** Resolves with all that came once the other side has closed. */
  closed: Promise<string>;
}

/** A bare TCP connection to the service. */
export async function rawConnection(t: TestContext, service: Service): Promise<RawConnection> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(service.url).port) });
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  let text = '';
  socket.setEncoding('utf8').on('data', (part: string) => (text += part));
  // What a reset leaves behind is what had come before it.
  socket.on('error', () => undefined);
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(text)));
  const receive = (wanted: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): unknown => text.includes(wanted) && resolve(text);
      socket.on('data', look);
      void closed.then(() => reject(new Error(`Closed after: ${text}`)));
      look();
    });
  return { socket, received: () => text, receive, closed };
}
