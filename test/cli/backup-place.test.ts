/** Where backups go, what they are called, and which of them go in the end. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs, { copyFileSync, existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { isTimed, markOf, partialOf, pathsOf, placeOf } from '../../src/offline/backup-place.ts';
import { settle } from '../../src/offline/settle.ts';
import { cli, type Settings, startCli } from '../support/cli.ts';
import { cliHere } from '../support/cli-here.ts';
import { aRun, localEnvironment, startService, temporaryDirectory } from '../support/service.ts';
import { closedDatabase } from '../offline/closed.ts';

interface Made {
  path: string;
  removed: string[];
}

async function made(words: readonly string[], settings: Settings): Promise<Made> {
  const { code, stdout, stderr } = await cliHere(['backup', ...words, '--json'], settings);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Made;
}

test('--keep removes the oldest backups of this very database, though another of its name shares the folder', async (t) => {
  const directory = temporaryDirectory(t);
  const [one, other, folder] = ['one', 'other', 'kept'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [one, other, folder]) mkdirSync(path);
  const path = closedDatabase(one, 1);
  mkdirSync(join(other, 'db'));
  copyFileSync(path, join(other, 'db', basename(path)));
  copyFileSync(path, join(one, 'db', 'app.sqlite'));
  const foreign = [
    'telemetry-20260101T000000Z.sqlite',
    'telemetry-notes.sqlite',
    'telemetry-20260101T000000Z.sqlite.gz',
  ];
  for (const name of foreign) writeFileSync(join(folder, name), 'x'.repeat(200));
  const app = await made([folder, '--db', join(one, 'db', 'app.sqlite')], localEnvironment(one));
  assert.match(basename(app.path), /^app-\d{8}T\d{6}Z\.sqlite$/);
  const others = [await made([folder], localEnvironment(other)), await made([folder], localEnvironment(other))];
  const first = await made([folder], localEnvironment(one));
  const second = await made([`${folder}/`], localEnvironment(one));
  const third = await made([folder, '--keep', '2'], localEnvironment(one));
  assert.deepEqual(third.removed, [first.path]);
  const stay = [app, ...others, second, third].map(({ path: backup }) => basename(backup));
  assert.deepEqual(readdirSync(folder).sort(), [...foreign, ...stay].sort());
});

test('a mark tells databases apart by their path and by when they were made, and is never 0', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (path, made, more) => {
      assert.equal(markOf(path, made), markOf(path, made));
      assert.notEqual(markOf(path, made), 0);
      if (more !== '') assert.notEqual(markOf(path, made), markOf(path, made + more));
      if (more !== '') assert.notEqual(markOf(path, made), markOf(path + more, made));
    }),
    { numRuns: 200 },
  );
});

test('a name made of a time is known by the database that it is of, whatever that is called', (t) => {
  const directory = temporaryDirectory(t);
  fc.assert(
    fc.property(
      fc.stringMatching(/^[^/\0]{1,20}$/),
      fc.date({ min: new Date(0), max: new Date('2999-01-01'), noInvalidDate: true }),
      (name, time) => {
        const place = placeOf(`${directory}/`, join(directory, `x${name}.sqlite`), time);
        for (const path of pathsOf(place)) assert.ok(isTimed(basename(path), place.stem), path);
        assert.ok(!isTimed(basename(partialOf(place)), place.stem));
        assert.equal(new Set(pathsOf(place)).size, pathsOf(place).length);
      },
    ),
    { numRuns: 20 },
  );
});

test('--keep beside a file is wrong usage, and a folder that is missing is not made, but for the one beside the database', async (t) => {
  const directory = temporaryDirectory(t);
  const path = closedDatabase(directory, 1);
  const usage = await cliHere(['backup', join(directory, 'b.sqlite'), '--keep', '2'], localEnvironment(directory));
  assert.equal(usage.code, 2);
  assert.match(usage.stderr, /--keep removes old backups of a folder: give a folder as FILE, or no FILE/);
  for (const place of ['mnt/b.sqlite', 'mnt/']) {
    const { code, stderr } = await cliHere(['backup', join(directory, place)], localEnvironment(directory));
    assert.equal(code, 1);
    assert.match(stderr, /There is no folder .*mnt for the backup\. Make it, or mount the disk that it is on\./);
  }
  assert.ok(!existsSync(join(directory, 'mnt')));
  assert.equal(
    dirname((await made(['--keep', '1'], localEnvironment(directory))).path),
    join(dirname(path), 'backups'),
  );
});

test('every backup removes copies that were given up a day ago, of this database and of this name', async (t) => {
  const directory = temporaryDirectory(t);
  closedDatabase(directory, 1);
  const old = [
    'telemetry-20260104T000000Z.sqlite.partial',
    'telemetry-20260104T000000Z.sqlite.7-0a.partial',
    'b.sqlite.7-0a.partial',
    'b.sqlite.7-0a.partial-journal',
  ];
  const stay = ['app-20260104T000000Z.sqlite.partial', 'c.sqlite.7-0a.partial', 'notes.partial'];
  for (const name of [...old, ...stay]) {
    writeFileSync(join(directory, name), 'x');
    utimesSync(join(directory, name), 0, 0);
  }
  writeFileSync(join(directory, 'telemetry-20260105T000000Z.sqlite.7-0b.partial'), 'being made');
  await made([join(directory, 'b.sqlite')], localEnvironment(directory));
  const left = readdirSync(directory).filter((name) => name.includes('partial'));
  assert.deepEqual(left.sort(), [...stay, 'telemetry-20260105T000000Z.sqlite.7-0b.partial'].sort());
});

test('of two backups at once each gets a name of its own, and of one name only one is made', async (t) => {
  const service = await startService(t);
  await service.request(
    'POST',
    '/api/v1/runs/batch',
    Array.from({ length: 300 }, () => aRun()),
  );
  const settings = localEnvironment(service.directory);
  const twice = (...words: string[]): ReturnType<typeof cli>[] => [1, 2].map(() => cli(['backup', ...words], settings));
  const byTime = await Promise.all(twice());
  assert.deepEqual(
    byTime.map(({ code }) => code),
    [0, 0],
    byTime.map(({ stderr }) => stderr).join(''),
  );
  assert.equal(readdirSync(join(dirname(service.path), 'backups')).length, 2);
  const byName = await Promise.all(twice(join(service.directory, 'b.sqlite')));
  assert.deepEqual(byName.map(({ code }) => code).sort(), [0, 1]);
  assert.match(
    byName.map(({ stderr }) => stderr).join(''),
    /b\.sqlite (was made by someone else meanwhile|is there already)/,
  );
  assert.deepEqual(
    readdirSync(service.directory).filter((name) => name.startsWith('b.')),
    ['b.sqlite'],
  );
});

test('a copy that cannot be checked, for another program has it, is not called damaged', (t) => {
  const path = closedDatabase(temporaryDirectory(t), 1);
  const db = new Database(path);
  t.after(() => db.close());
  db.exec('BEGIN EXCLUSIVE');
  assert.throws(() => settle(path), { code: 'SQLITE_BUSY' });
});

test('a backup whose predecessors cannot be removed is made, and its path told, with exit code 1', async (t) => {
  const directory = temporaryDirectory(t);
  closedDatabase(directory, 1);
  const settings = localEnvironment(directory);
  const { path } = await made([], settings);
  const { rmSync } = fs;
  t.mock.method(fs, 'rmSync', (file: string, options?: fs.RmOptions) => {
    if (file === path) throw new Error('not permitted');
    rmSync(file, options);
  });
  syncBuiltinESMExports();
  try {
    const { code, stdout, stderr } = await cliHere(['backup', '--keep', '1', '--json'], settings);
    const result = JSON.parse(stdout) as Made & { prune_problem: string };
    assert.deepEqual([code, existsSync(result.path), result.removed], [1, true, []]);
    assert.match(result.prune_problem, /^The backup is made, but the oldest could not be removed: not permitted\./);
    assert.match(stderr, /could not be removed/);
  } finally {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  }
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} ends a backup that waits for the service, and its copy goes`, async (t) => {
    const directory = temporaryDirectory(t);
    const path = closedDatabase(directory, 1);
    const { promise: copying, resolve } = Promise.withResolvers<string>();
    const service = createServer((request, response) => {
      if (request.method === 'GET') return void response.end('{}');
      request.once('data', (body: Buffer) => {
        const copy = (JSON.parse(body.toString()) as { path: string }).path;
        writeFileSync(copy, 'half');
        resolve(copy);
      });
    });
    await once(service.listen(`${path}.sock`), 'listening');
    t.after(() => service.close());
    const child = startCli(['backup'], localEnvironment(directory));
    const copy = await copying;
    assert.match(copy, /telemetry-\d{8}T\d{6}Z\.sqlite\.\d+-[0-9a-f]+\.partial$/);
    child.kill(signal);
    const [, ended] = (await once(child, 'close')) as [number | null, string | null];
    assert.deepEqual([ended, existsSync(copy)], [signal, false]);
  });
}
