import assert from 'node:assert/strict';
import { closeSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { AppendFile, closeQuietly, Syncer } from '../../src/client/append.ts';
import { fakeClock } from '../support/client.ts';
import { temporaryDirectory } from '../support/service.ts';

const LINUX = { skip: process.platform !== 'linux' };
const DELAY_MS = 50;

/** A file whose flush takes as long as the test wants. */
class SlowFile {
  readonly flushes: ((error: Error | null) => void)[] = [];
  flushedAtOnce = 0;
  closed = false;

  sync(done: (error: Error | null) => void): void {
    this.flushes.push(done);
  }

  syncNow(): void {
    this.flushedAtOnce++;
  }

  close(): void {
    this.closed = true;
  }
}

interface Bench {
  syncer: Syncer;
  files: [SlowFile, SlowFile, SlowFile];
  warnings: Error[];
  written: (...files: SlowFile[]) => void;
  finish: (file: SlowFile) => void;
  /** Flushes that were begun, file by file. */
  begun: () => number[];
  pass: (milliseconds?: number) => void;
}

function aSyncer(t: TestContext): Bench {
  fakeClock(t, { apis: ['setTimeout'] });
  const warnings: Error[] = [];
  const syncer = new Syncer('batch', (error) => warnings.push(error));
  const files: Bench['files'] = [new SlowFile(), new SlowFile(), new SlowFile()];
  const real = (file: SlowFile): AppendFile => file as unknown as AppendFile;
  return {
    ...{ syncer, files, warnings },
    written: (...given) => given.forEach((file) => syncer.written(real(file))),
    finish: (file) => syncer.finish(real(file)),
    begun: () => files.map(({ flushes }) => flushes.length),
    pass: (milliseconds = DELAY_MS) => t.mock.timers.tick(milliseconds),
  };
}

test('however slow the disk, one flush is under way at a time, and all come in turn', (t) => {
  const { files, written, begun, pass } = aSyncer(t);
  const [first, second, third] = files;
  for (let round = 0; round < 100; round++) {
    written(...files);
    pass(1_000);
  }
  assert.deepEqual(begun(), [1, 0, 0]);
  first.flushes[0]?.(null);
  pass();
  assert.deepEqual(begun(), [1, 1, 0]);
  pass(100_000);
  second.flushes[0]?.(null);
  pass();
  third.flushes[0]?.(null);
  pass();
  // What was written to the first while it was flushed.
  assert.deepEqual(begun(), [2, 1, 1]);
  first.flushes[1]?.(null);
  pass(100_000);
  assert.deepEqual(begun(), [2, 1, 1]);
});

test('files that wait together are flushed one right after the other, for the delay is once', (t) => {
  const { files, written, begun, pass } = aSyncer(t);
  const [first, second] = files;
  written(first, second);
  pass();
  assert.deepEqual(begun(), [1, 0, 0]);
  first.flushes[0]?.(null);
  assert.deepEqual(begun(), [1, 1, 0]);
});

test('lines written one after the other are flushed together', (t) => {
  const { files, written, begun, pass } = aSyncer(t);
  for (let line = 0; line < 10; line++) written(files[0]);
  assert.deepEqual(begun(), [0, 0, 0]);
  pass();
  assert.deepEqual(begun(), [1, 0, 0]);
});

test('a finished file is closed after its flush, and not before', (t) => {
  const { files, written, finish, pass } = aSyncer(t);
  const [file, other, clean] = files;
  written(file, other);
  finish(file);
  finish(clean);
  assert.deepEqual([file.closed, clean.closed], [false, true]);
  pass();
  assert.equal(file.closed, false);
  file.flushes[0]?.(null);
  assert.deepEqual([file.closed, other.closed], [true, false]);
});

test('a flush that fails is told, closes what is finished and does not end the flushing', (t) => {
  const { files, written, finish, begun, pass, warnings } = aSyncer(t);
  const [file, other] = files;
  written(file, other);
  finish(file);
  pass();
  const error = new Error('EIO');
  file.flushes[0]?.(error);
  pass();
  assert.deepEqual([warnings, file.closed, begun()], [[error], true, [1, 1, 0]]);
});

test('at the exit everything is flushed at once, though a flush never came back', (t) => {
  const { syncer, files, written, finish, pass } = aSyncer(t);
  const [stuck, waiting, finished] = files;
  written(stuck);
  pass();
  written(waiting, finished);
  finish(finished);
  syncer.now();
  assert.deepEqual(
    files.map(({ flushedAtOnce, closed }) => [flushedAtOnce, closed]),
    [
      [1, false],
      [1, false],
      [1, true],
    ],
  );
});

/** The descriptors of this process for a file. */
function descriptorsOf(path: string): number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((descriptor) => {
      try {
        return readlinkSync(`/proc/self/fd/${descriptor}`) === path;
      } catch {
        return false;
      }
    });
}

test('a file that is closed while it is flushed keeps its descriptor until then', LINUX, async (t) => {
  const path = join(temporaryDirectory(t), 'file');
  const file = new AppendFile(path, { exclusive: true, policy: 'batch' });
  file.append('line');
  const flushed = new Promise<Error | null>((resolve) => file.sync(resolve));
  file.close();
  assert.equal(descriptorsOf(path).length, 1);
  assert.equal(await flushed, null);
  assert.deepEqual(descriptorsOf(path), []);
  // There is nothing to be flushed or closed any more.
  file.syncNow();
  file.close();
  assert.equal(await new Promise((resolve) => file.sync(resolve)), null);
});

test('a close that fails reaches nobody', LINUX, (t) => {
  const path = join(temporaryDirectory(t), 'file');
  const file = new AppendFile(path, { exclusive: false, policy: 'off' });
  const [descriptor = -1] = descriptorsOf(path);
  closeSync(descriptor);
  assert.throws(() => closeSync(descriptor), { code: 'EBADF' });
  file.close();
  closeQuietly(descriptor);
});
