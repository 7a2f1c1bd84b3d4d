import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Change } from '../../engine/kv/change-history.ts';
import { ChangeHistory } from '../../engine/kv/change-history.ts';
import { KeyStore } from '../../engine/kv/key-store.ts';
import { Records } from '../../engine/kv/records.ts';
import { bytesFromByteString } from '../../engine/protocol/byte-string.ts';
import { property } from '../protocol/property.ts';
import { Machine } from './machine.ts';

const BYTES_MAX = 3000;
const change = fc.record({
  what: fc.constantFrom('put', 'put', 'put', 'remove', 'flush'),
  key: fc.nat({ max: 5 }).map((number) => `k${number}`),
  bytes: fc.constantFrom(0, 3, 100, 700, 2900, 5000, 30_000),
});
const act = fc.oneof(
  fc.record({ what: fc.constant('entry' as const), changes: fc.array(change, { maxLength: 4 }) }),
  fc.record({ what: fc.constant('undone' as const), changes: fc.array(change, { maxLength: 6 }) }),
  fc.record({ what: fc.constant('trim' as const) }),
  fc.record({ what: fc.constant('restore' as const) }),
);

/** Everything that is not forgotten, as it comes out of the history. */
function contentOf(history: ChangeHistory): Change[] {
  const content: Change[] = [];
  for (let position = history.begin; position < history.end; position++) {
    const each = history.at(position);
    if (each === null) throw new Error(`change ${position} is forgotten`);
    content.push(each);
  }
  return content;
}

describe('the history of changes', () => {
  it('has every change from its lowest revision on, in order, and no more bytes than it may once it is trimmed', () =>
    property(fc.array(act, { maxLength: 40 }), (acts) => {
      const history = new ChangeHistory(BYTES_MAX);
      const store = new KeyStore(history);
      let revision = 0;
      let told: Change[] = [];
      const run = (changes: readonly (typeof change extends fc.Arbitrary<infer C> ? C : never)[]) => {
        for (const { what, key, bytes } of changes) {
          const none = { value: '', kind: 0, expiresAt: 0, expired: false } as const;
          if (what === 'put') {
            const value = String.fromCharCode(65 + (revision % 26)).repeat(bytes);
            const expiresAt = bytes === 3 ? 77 : 0;
            store.put(key, { value, kind: 1 }, revision, expiresAt);
            told.push({ type: 'put', revision, key, value, kind: 1, expiresAt, expired: false });
          } else if (what === 'flush') {
            store.flush(revision);
            told.push({ type: 'flush', revision, key: '', ...none });
          } else if (store.find(key) !== undefined) {
            store.remove(key, revision, bytes === 0);
            told.push({ type: 'delete', revision, key, ...none, expired: bytes === 0 });
          }
        }
      };
      for (const each of acts) {
        if (each.what === 'entry') {
          revision++;
          run(each.changes);
        } else if (each.what === 'undone') {
          revision++;
          const before = told.slice();
          store.atomically(() => {
            run(each.changes);
            return false;
          });
          told = before;
        } else if (each.what === 'trim') {
          history.trim();
          const bytes = contentOf(history).reduce(
            (sum, { key, value }) => sum + key.length + value.length,
            0,
          );
          expect(bytes).toBeLessThanOrEqual(BYTES_MAX);
        } else {
          store.restore(new Records(), revision);
          told = [];
        }
        const { lowestRevision } = history;
        const kept = told.filter((one) => one.revision >= lowestRevision);
        expect(contentOf(history)).toEqual(kept);
        expect(history.positionOf(lowestRevision)).toBe(history.begin);
        expect(history.positionOf(lowestRevision - 1)).toBeNull();
        const last = kept.at(-1);
        if (last !== undefined) {
          const position = history.positionOf(last.revision);
          expect(history.at(position ?? -1)?.revision).toBe(last.revision);
        }
      }
    }));

  it('says whom a change concerns as its key and revision would', () =>
    property(
      fc.tuple(fc.array(change, { minLength: 1, maxLength: 12 }), fc.nat({ max: 12 })),
      ([changes, from]) => {
        const history = new ChangeHistory(1_000_000);
        const store = new KeyStore(history);
        for (const [at, { what, key, bytes }] of changes.entries()) {
          if (what === 'flush') store.flush(at + 1);
          else store.put(key, { value: 'v'.repeat(bytes), kind: 0 }, at + 1);
        }
        for (const [name, isPrefix] of [
          ['k1', false],
          ['k', true],
          ['', true],
          ['k11', true],
          ['', false],
        ] as const) {
          const filter = { key: bytesFromByteString(name), isPrefix, revision: from };
          for (const [at, each] of contentOf(history).entries()) {
            const isOf = each.type === 'flush' || (isPrefix ? each.key.startsWith(name) : each.key === name);
            expect(history.concerns(history.begin + at, filter)).toBe(isOf && each.revision >= from);
          }
        }
        const filter = { key: new Uint8Array(0), isPrefix: true, revision: 0 };
        expect(() => history.concerns(history.begin - 1, filter)).toThrow(RangeError);
        expect(() => history.concerns(history.end, filter)).toThrow(RangeError);
      },
    ));

  it('stays bounded after a transaction that was too large for it was undone', () => {
    const machine = new Machine({ historyBytesMax: BYTES_MAX });
    const history = machine.keyspace.history as ChangeHistory;
    machine.set('a', 'v');
    const copies = Array.from({ length: 9 }, (_, at) => ({
      ...({ type: 'copy', from: 'big', to: `c${at}`, replace: true } as const),
    }));
    const result = machine.apply({
      type: 'txn',
      compare: [],
      success: [
        { type: 'set', key: 's', value: 'v', kind: 0 },
        { type: 'set', key: 'big', value: 'x'.repeat(BYTES_MAX), kind: 0 },
        ...copies,
        { type: 'rename', from: 'none', to: 'x', ifAbsent: false },
      ],
      failure: [],
      onFailure: 'abort',
    });
    expect(result.type).toBe('failed');
    for (let at = 0; at < 20; at++) {
      machine.set('b', 'y'.repeat(BYTES_MAX * 0.4));
      history.trim();
      expect(history.end - history.begin).toBe(Math.min(2, at + 1));
      expect(history.lowestRevision).toBe(at < 2 ? 2 : machine.index - 1);
    }
  });

  it('keeps nothing of revisions that more will follow on than it holds, and says so', () => {
    const history = new ChangeHistory(BYTES_MAX);
    const store = new KeyStore(history);
    history.beginAfter(5);
    for (let revision = 1; revision <= 8; revision++) {
      store.put(`k${revision}`, { value: 'v', kind: 0 }, revision);
      store.remove(`k${revision}`, revision);
    }
    expect(history.lowestRevision).toBe(6);
    expect(history.positionOf(5)).toBeNull();
    expect(contentOf(history).map(({ type, revision }) => `${type} ${revision}`)).toEqual(
      [6, 7, 8].flatMap((revision) => [`put ${revision}`, `delete ${revision}`]),
    );
    // What a snapshot brought already is not moved back.
    history.restored(20);
    history.beginAfter(5);
    expect(history.lowestRevision).toBe(21);
  });
});
