/** What may lie in the folder of the spool: odd lines, odd names, files that change under the reader. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../crash/random.ts';
import { COLUMNS } from '../../../src/run.ts';
import type { Input } from '../input.ts';
import { aRecord, type Member, objectOf, quote, withMember } from './records.ts';
import { idOf, oddValue } from './values.ts';

type Made = Omit<Input, 'number' | 'kind'>;

/** What Python's writers and the predecessor's clients leave behind: each such line is a run. */
const HABITS: readonly Member[] = [
  ['created_at', '"2026-01-10T12:00:00+00:00Z"'],
  ['end_time', '""'],
  ['created_at', '""'],
  ['start_time', '"1767225600"'],
  ['items_failed', 'true'],
  ['duration_ms', '"5.0"'],
  ['api_posted', '"True"'],
  ['metrics_json', '{"l": NaN, "m": [Infinity, -Infinity]}'],
  ['context_json', '{"o": "cut \\ud83d"}'],
  ['git_commit_source', '"human"'],
  ['git_repo', '"git@build.7:team/site.git"'],
  ['output_summary', quote('\u0085'.repeat(100_000))],
];

function lines(random: Random, id: string): { text: string; good: string[] } {
  const good = Array.from({ length: random.between(1, 8) }, (_, index) => `${id}-${index}`);
  const texts = good.map((eventId) => {
    const record = aRecord(random, eventId);
    const [name, value] = random.pick(HABITS);
    return objectOf(random.chance(0.6) ? withMember(record, name, value) : record, true);
  });
  for (let count = random.between(0, 4); count > 0; count--) {
    const name = random.pick(COLUMNS);
    const odd = withMember(aRecord(random, `${id}-odd${count}`), name, oddValue(random, name));
    const other = ['', '{', 'null', '[]', '\0'.repeat(1_000), '\ufeff{}', `{"event_id":${quote(idOf('x', 20_000))}}`];
    texts.splice(random.between(0, texts.length), 0, random.chance(0.6) ? objectOf(odd) : random.pick(other));
  }
  return { text: `${texts.join('\n')}\n`, good };
}

/** A file of its own, whole or torn, under any of the states. */
function file(random: Random, id: string): Made {
  const { text, good } = lines(random, id);
  const torn = random.chance(0.3) ? '{"event_id": "torn", "run_' : '';
  const state = random.pick(['ready', 'active', 'sealed']);
  const odd = random.chance(0.2);
  return {
    what: `a spool file ${state}${odd ? ' of a name that is no UTF-8' : ''}${torn && ', torn'}: ${text.slice(0, 40)}`,
    act: (world) => {
      const name = Buffer.from(join(world.spool, `${id}.jsonl.${state}`));
      const path = odd
        ? Buffer.concat([
            name.subarray(0, -state.length - 7),
            Buffer.from('ff', 'hex'),
            name.subarray(-state.length - 7),
          ])
        : name;
      writeFileSync(path, text + torn);
      world.expect(good, id);
    },
  };
}

const EMPTY_FILES = 200;

function emptyFiles(_: Random, id: string): Made {
  return {
    what: `${EMPTY_FILES} empty files`,
    act: (world) => {
      for (let count = 0; count < EMPTY_FILES; count++)
        writeFileSync(join(world.spool, `${id}-${count}.jsonl.ready`), '');
    },
  };
}

/** What is no file at all, under a file's name. */
function noFile(random: Random, id: string): Made {
  const what = random.pick(['a folder', 'a link to nothing', 'a link to itself', 'a pipe', 'a link to /dev/zero']);
  return {
    what: `${what} in the spool`,
    act: (world) => {
      const path = join(world.spool, `${id}.jsonl.${random.pick(['ready', 'active'])}`);
      if (what === 'a folder') mkdirSync(path);
      else if (what === 'a pipe') execFileSync('mkfifo', [path]);
      else symlinkSync({ 'a link to nothing': '/nowhere', 'a link to itself': path }[what] ?? '/dev/zero', path);
    },
  };
}

/** One name, rewritten again and again: in place or as another file, as long as before, longer or shorter. */
function nightly(random: Random, id: string): Made {
  const way = random.pick(['as long as before', 'longer', 'shorter', 'as another file']);
  return {
    what: `a spool file rewritten, ${way}`,
    act: (world) => {
      if (!world.nightIsStored()) return;
      const count = { 'as long as before': 0, 'as another file': 0, longer: 2, shorter: -2 }[way] ?? 0;
      const night = Array.from(
        { length: Math.max(1, Math.min(20, world.night.length + count)) },
        (_, index) => `${id}-${10 + index}`,
      );
      const steady = (eventId: string): Member[] => withMember([], 'event_id', quote(eventId));
      const rest = aRecord(random, 'run').filter(([name]) => name !== '"event_id"');
      const text = night.map((eventId) => `${objectOf([...steady(eventId), ...rest])}\n`).join('');
      const path = join(world.spool, 'nightly.jsonl.active');
      const other = way === 'as another file' ? `${path}.new` : path;
      writeFileSync(other, text);
      if (other !== path) renameSync(other, path);
      world.night = night;
      world.expect(night, id);
    },
  };
}

export function spool(random: Random, id: string): Made {
  const die = random.next();
  if (die < 0.55) return file(random, id);
  if (die < 0.85) return nightly(random, id);
  return die < 0.95 ? noFile(random, id) : emptyFiles(random, id);
}
