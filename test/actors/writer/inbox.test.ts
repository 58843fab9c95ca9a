import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Parcel } from '../../../src/actors/protocol.ts';
import { Inbox } from '../../../src/actors/writer/inbox.ts';
import { aRecord, create, groupOf } from '../../support/database.ts';

const small = (): Parcel => groupOf(create(aRecord()));
const large = (): Parcel => groupOf(create(aRecord({ error_details: 'x'.repeat(10_000) })));
const reindex = (): Parcel => groupOf({ name: 'reindex', args: { index: 'idx_runs_status' }, body: '' });

/** An inbox, and what is on its way to it. */
function anInbox(): { inbox: Inbox; coming: Parcel[]; group: (during?: Parcel[]) => Parcel[] } {
  const coming: Parcel[] = [];
  const inbox = new Inbox(() => coming.shift());
  /** The parcels of one group; those of `during` arrive once the first has run. */
  const group = (during: Parcel[] = []): Parcel[] => {
    const taken: Parcel[] = [];
    for (let parcel = inbox.first(); parcel; parcel = inbox.next()) {
      if (taken.push(parcel) === 1) coming.push(...during);
    }
    return taken;
  };
  return { inbox, coming, group };
}

test('a group has all that is there when it begins, in order', () => {
  const { inbox, coming, group } = anInbox();
  const parcels = [small(), large(), small()];
  inbox.add(parcels[0] as Parcel);
  coming.push(...parcels.slice(1));
  assert.deepEqual(group(), parcels);
  assert.deepEqual([group(), inbox.waits], [[], false]);
});

test('a small group takes what comes while it runs, until it is no longer small', () => {
  const { inbox, group } = anInbox();
  const [first, second, third, fourth] = [small(), small(), large(), small()] as const;
  inbox.add(first);
  assert.deepEqual(group([second]), [first, second]);
  inbox.add(third);
  assert.deepEqual(group([fourth]), [third], 'a large one does not');
  assert.deepEqual(group(), [fourth]);
});

test('what must be said before a transaction begins a group of its own', () => {
  const { inbox, group } = anInbox();
  const [first, second, third] = [small(), reindex(), small()] as const;
  inbox.add(first);
  assert.deepEqual(group([second, third]), [first]);
  assert.equal(inbox.waits, true);
  assert.deepEqual(group(), [second, third]);
  assert.equal(inbox.waits, false);
});
