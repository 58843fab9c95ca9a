/** Backups of a service under load: each must be the acknowledged truth of one moment, for all connections at once. */
import assert from 'node:assert/strict';
import { Agent, type IncomingMessage, request } from 'node:http';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { cli, startCli } from '../support/cli.ts';
import { aRun, localEnvironment, temporaryDirectory } from '../support/service.ts';
import { rollups, structure } from './oracle.ts';
import { BOUNDED, startProcess } from './process.ts';

const CONNECTIONS = 6;
const BATCH = 15;
const BALLAST = 4_000;

/** What one connection's runs are, by event_id: the request that made each, and the one that changed it last. */
type Runs = Map<string, [made: number, changed: number]>;

/** A connection that sends request 1, 2, 3…, each when the one before was answered. */
class Sequence {
  readonly name: string;
  /** When each request was sent and acknowledged, by its number less one. */
  readonly sentAt: number[] = [];
  readonly acknowledgedAt: number[] = [];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(name: string) {
    this.name = name;
  }

  async run(url: string, ended: () => boolean): Promise<void> {
    try {
      while (!ended()) {
        const number = this.sentAt.push(performance.now());
        const status = await this.#exchange(url, number);
        assert.ok(status === 200 || status === 201, `request ${number} of ${this.name} was answered ${status}`);
        this.acknowledgedAt.push(performance.now());
      }
    } finally {
      this.#agent.destroy();
    }
  }

  async #exchange(url: string, number: number): Promise<number> {
    const { method, path, body } = this.#requestOf(number);
    const call = request(url + path, { agent: this.#agent, method, headers: { 'Content-Type': 'application/json' } });
    const answered = once(call, 'response') as Promise<[IncomingMessage]>;
    call.end(JSON.stringify(body));
    const [response] = await answered;
    response.resume();
    await once(response, 'end');
    return response.statusCode ?? 0;
  }

  /** A run, then a change of it, then a batch. */
  #requestOf(number: number): { method: string; path: string; body: unknown } {
    const api = '/api/v1/runs';
    const fields = { agent_name: this.name, items_discovered: number, output_summary: 'x'.repeat(500) };
    if (number % 3 === 1) return { method: 'POST', path: api, body: aRun({ ...fields, event_id: this.#id(number) }) };
    if (number % 3 === 2) {
      const body = { items_succeeded: number, status: 'success' };
      return { method: 'PATCH', path: `${api}/${this.#id(number - 1)}`, body };
    }
    const body = Array.from({ length: BATCH }, (_, item) => aRun({ ...fields, event_id: this.#id(number, item) }));
    return { method: 'POST', path: `${api}/batch`, body };
  }

  #id(number: number, item = 0): string {
    return `${this.name}-${number}-${item}`;
  }

  /** What is stored when exactly the first `count` requests are. */
  after(count: number): Runs {
    const runs: Runs = new Map();
    for (let number = 1; number <= count; number++) {
      if (number % 3 === 1) runs.set(this.#id(number), [number, 0]);
      if (number % 3 === 2) runs.set(this.#id(number - 1), [number - 1, number]);
      if (number % 3 === 0) for (let item = 0; item < BATCH; item++) runs.set(this.#id(number, item), [number, 0]);
    }
    return runs;
  }
}

test('backups that are killed midway disturb neither the service nor the next one', BOUNDED, async (t) => {
  const directory = temporaryDirectory(t);
  const service = await startProcess(t, directory);
  const ballast = Array.from({ length: BALLAST }, () => aRun({ output_summary: 'y'.repeat(2_000) }));
  await service.request('POST', '/api/v1/runs/batch', ballast);
  const file = join(directory, 'copies', 'copy.sqlite');
  mkdirSync(dirname(file));
  for (let kill = 0; kill < 3; kill++) {
    const watcher = watch(dirname(file));
    const backup = startCli(['backup', file], service.environment);
    // The first trace of the copy.
    await once(watcher, 'change');
    backup.kill('SIGKILL');
    await once(backup, 'exit');
    watcher.close();
    // On a slow machine the kill may come too late; what has its name is whole then.
    if (existsSync(file)) assert.equal((await cli(['verify', '--file', file], service.environment)).code, 0);
    rmSync(file, { force: true });
    assert.equal((await service.request('POST', '/api/v1/runs', aRun())).status, 201);
  }
  const { code, stderr } = await cli(['backup', file], service.environment);
  assert.equal(code, 0, stderr);
  for (const left of readdirSync(dirname(file)).filter((name) => name !== 'copy.sqlite')) {
    // Only a copy that was complete when the kill came may stay: of any other the service lets nothing stay.
    assert.match(left, /^copy\.sqlite\..+\.partial$/);
    assert.ok(runsIn(join(dirname(file), left)) >= BALLAST, left);
  }
  const checked = await cli(['verify', '--file', file], service.environment);
  assert.equal(checked.code, 0, checked.stdout);
  assert.match(checked.stdout, new RegExp(`${(BALLAST + 3).toLocaleString('en-US')} runs, each one`));
});

/** The runs of a file that SQLite finds whole. */
function runsIn(path: string): number {
  const db = new Database(path);
  try {
    assert.equal(db.pragma('quick_check', { simple: true }), 'ok', path);
    return db.prepare('SELECT count(*) FROM agent_runs').pluck().get() as number;
  } finally {
    db.close();
  }
}

interface Window {
  path: string;
  /** By connection: acknowledged when the backup was begun, and sent when it was done. */
  least: number[];
  most: number[];
}

for (const journal of ['DELETE', 'WAL']) {
  test(`a backup under load holds exactly what was acknowledged at one moment (${journal})`, BOUNDED, async (t) => {
    const directory = temporaryDirectory(t);
    const service = await startProcess(t, directory, { TELEMETRY_DB_JOURNAL_MODE: journal });
    const ballast = Array.from({ length: BALLAST }, () => aRun({ output_summary: 'y'.repeat(2_000) }));
    await service.request('POST', '/api/v1/runs/batch', ballast);
    const sequences = Array.from({ length: CONNECTIONS }, (_, index) => new Sequence(`connection-${index}`));
    let ended = false;
    const load = Promise.all(sequences.map((sequence) => sequence.run(service.url, () => ended)));
    const windows: Window[] = [];
    try {
      for (const name of ['first', 'second']) {
        const least = sequences.map(({ acknowledgedAt }) => acknowledgedAt.length);
        const path = join(directory, `${name}.sqlite`);
        const { code, stderr } = await cli(['backup', path], service.environment);
        assert.equal(code, 0, stderr);
        windows.push({ path, least, most: sequences.map(({ sentAt }) => sentAt.length) });
      }
    } finally {
      ended = true;
      await load;
    }
    for (const window of windows)
      await judge(window, sequences, join(directory, `restored-${windows.indexOf(window)}`));
  });
}

async function judge({ path, least, most }: Window, sequences: readonly Sequence[], folder: string): Promise<void> {
  mkdirSync(folder);
  const restored = join(folder, 'telemetry.sqlite');
  const { code, stderr } = await cli(['restore', path, '--db', restored], localEnvironment(folder));
  assert.equal(code, 0, stderr);
  const db = new Database(restored, { readonly: true });
  try {
    assert.deepEqual([...structure(db), ...rollups(db)], []);
    assert.equal(db.prepare('SELECT trusted FROM rollup_state').pluck().get(), 1);
    const counts = sequences.map((sequence, index) => {
      const count = prefixOf(db, sequence);
      const [low = 0, high = 0] = [least[index], most[index]];
      assert.ok(high > low + 3, 'the load went on during the backup');
      assert.ok(
        count >= low && count <= high,
        `${count} requests of ${sequence.name} are stored, not ${low} to ${high}`,
      );
      return count;
    });
    // One moment for all: nothing that was sent after it is there, nothing acknowledged before it is not.
    const sent = Math.max(...sequences.map(({ sentAt }, index) => sentAt[(counts[index] as number) - 1] ?? 0));
    const missing = sequences.map(({ acknowledgedAt }, index) => acknowledgedAt[counts[index] as number] ?? Infinity);
    assert.ok(sent < Math.min(...missing), 'the backup is of no one moment');
    const total = db.prepare('SELECT count(*) FROM agent_runs').pluck().get() as number;
    const own = sequences.map((sequence, index) => sequence.after(counts[index] as number).size);
    assert.equal(total, BALLAST + own.reduce((sum, size) => sum + size, 0));
  } finally {
    db.close();
  }
}

/** How many requests of a connection are stored; fails where they are not its first ones, each whole. */
function prefixOf(db: Database.Database, sequence: Sequence): number {
  const sql = 'SELECT event_id, items_discovered, items_succeeded FROM agent_runs WHERE agent_name = ?';
  const rows = db.prepare(sql).raw().all(sequence.name) as [string, number, number][];
  const stored: Runs = new Map(rows.map(([eventId, made, changed]) => [eventId, [made, changed]]));
  const count = Math.max(0, ...rows.flatMap(([, made, changed]) => [made, changed]));
  const sorted = (runs: Runs): unknown => [...runs].sort(([a], [b]) => (a < b ? -1 : 1));
  assert.deepEqual(sorted(stored), sorted(sequence.after(count)), `the requests of ${sequence.name} have no holes`);
  return count;
}
