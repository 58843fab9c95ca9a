/** Who may read the new database, where another user than the owner of the older one migrates it. Needs root. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { folder } from '../support/database.ts';
import { makeOlder } from '../support/older.ts';
import { differences, migrateWholly } from '../support/older-verdict.ts';

const [OWNER, OTHER, GROUP, OTHER_GROUP] = [61_001, 61_002, 62_001, 62_002] as const;

/** Migrates as another user of these groups. @returns what `stat` says of the new database and the older one; undefined where skipped */
function migratedBy(
  t: TestContext,
  mode: number,
  groups: readonly number[],
): Record<'made' | 'backup', number[]> | undefined {
  if (process.getuid?.() !== 0) {
    t.skip('needs the right to be another user');
    return undefined;
  }
  const directory = folder(t);
  chmodSync(directory, 0o711);
  const shared = join(directory, 'shared');
  mkdirSync(shared);
  chmodSync(shared, 0o777);
  const path = join(shared, 't.sqlite');
  const older = makeOlder(path, 'v6');
  chownSync(path, OWNER, GROUP);
  chmodSync(path, mode);
  const { migrated } = as(OTHER, groups, () => migrateWholly(path));
  assert.deepEqual(differences(path, older.runs), []);
  return { made: rightsOf(path), backup: rightsOf(migrated.backup) };
}

function rightsOf(path: string): number[] {
  const { uid, gid, mode } = statSync(path);
  return [uid, gid, mode & 0o777];
}

/** For this process as a whole: nothing else may happen meanwhile. */
function as<T>(user: number, groups: readonly number[], work: () => T): T {
  const before = process.getgroups?.() ?? [];
  process.setgroups?.([...groups]);
  process.setegid?.(groups[0] as number);
  process.seteuid?.(user);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
    process.setgroups?.(before);
  }
}

test('a member of the group migrates: the group may read on, and nobody more', (t) => {
  const rights = migratedBy(t, 0o660, [OTHER_GROUP, GROUP]);
  if (!rights) return;
  assert.deepEqual(rights.made, [OTHER, GROUP, 0o660]);
  assert.deepEqual(rights.backup, [OWNER, GROUP, 0o660]);
});

test('one who is not of the group migrates: only they may read, for their group is another', (t) => {
  const rights = migratedBy(t, 0o666, [OTHER_GROUP]);
  if (!rights) return;
  assert.deepEqual(rights.made, [OTHER, OTHER_GROUP, 0o600]);
  assert.deepEqual(rights.backup, [OWNER, GROUP, 0o666]);
});

test('root migrates: owner, group and permissions stay', (t) => {
  if (process.getuid?.() !== 0) return t.skip('needs root');
  const path = join(folder(t), 't.sqlite');
  makeOlder(path, 'v6');
  chownSync(path, OWNER, GROUP);
  chmodSync(path, 0o640);
  migrateWholly(path);
  assert.deepEqual(rightsOf(path), [OWNER, GROUP, 0o640]);
});
