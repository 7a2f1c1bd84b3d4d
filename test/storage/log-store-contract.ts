// What every log store must do, whatever it stands on: run on each of them by log-store.test.ts.
import { describe, expect, it } from 'vitest';
import { allocateEntry } from '../../engine/protocol/frame.ts';
import type { Entry, HardState } from '../../engine/raft/types.ts';
import type { LogBatch, LogStore, Recovered } from '../../engine/storage/types.ts';

/** A place where logs can be opened one after the other. */
export interface LogPlace {
  open(snapshot?: { index: number; term: number }): Promise<{ store: LogStore; recovered: Recovered }>;
}

export function entry(index: number, term = 1, dataBytes = 20): Entry {
  const made = allocateEntry(1, dataBytes);
  for (let at = 0; at < dataBytes; at++) made.data[at] = (index * 31 + term * 7 + at) & 0xff;
  made.index = index;
  made.term = term;
  return made;
}

export function entries(range: { from: number; to: number }, term = 1, dataBytes = 20): Entry[] {
  const made: Entry[] = [];
  for (let index = range.from; index <= range.to; index++) made.push(entry(index, term, dataBytes));
  return made;
}

export function batchOf(list: readonly Entry[], hardState: HardState | null = null): LogBatch {
  return { hardState, entries: list };
}

export function appended(store: LogStore, batch: LogBatch): Promise<void> {
  return new Promise((resolve) => {
    store.append(batch, resolve);
  });
}

/** `index:term` of each entry, and that the data is what `entry` put there. */
export function described(recovered: Recovered): string {
  for (const { index, term, data } of recovered.entries) {
    expect(Buffer.from(data)).toEqual(Buffer.from(entry(index, term, data.length).data));
  }
  return recovered.entries.map(({ index, term }) => `${index}:${term}`).join(' ');
}

export function logStoreContract(name: string, makePlace: () => Promise<LogPlace>): void {
  describe(`log store contract: ${name}`, () => {
    it('[W1] a log that was never written is empty', async () => {
      const place = await makePlace();
      const { store, recovered } = await place.open();
      expect(described(recovered)).toBe('');
      expect(recovered.hardState).toEqual({ currentTerm: 0, votedFor: 0, commitIndex: 0 });
      expect(recovered.lastDurableIndexKnown).toBe(0);
      await store.close();
    });

    it('[W1] what was durable is there again, data and hard state', async () => {
      const place = await makePlace();
      const { store } = await place.open();
      await appended(store, batchOf([], { currentTerm: 3, votedFor: 2, commitIndex: 0 }));
      await appended(
        store,
        batchOf(entries({ from: 1, to: 5 }, 3), { currentTerm: 3, votedFor: 2, commitIndex: 4 }),
      );
      await store.close();
      const again = await place.open();
      expect(described(again.recovered)).toBe('1:3 2:3 3:3 4:3 5:3');
      expect(again.recovered.hardState).toEqual({ currentTerm: 3, votedFor: 2, commitIndex: 4 });
      expect(again.recovered.lastDurableIndexKnown).toBe(5);
      await again.store.close();
    });

    it('[W2] callbacks come in the order of the calls and never from within one', async () => {
      const place = await makePlace();
      const { store } = await place.open();
      const order: number[] = [];
      const waits: Promise<void>[] = [];
      for (let call = 1; call <= 50; call++) {
        // Every third batch holds nothing that needs a write; every seventh only a commit hint.
        const list = call % 3 === 0 ? [] : [entry(call - Math.floor(call / 3))];
        const hardState = call % 7 === 0 ? { currentTerm: 0, votedFor: 0, commitIndex: 1 } : null;
        waits.push(
          new Promise((resolve) => {
            store.append(batchOf(list, hardState), () => {
              order.push(call);
              resolve();
            });
          }),
        );
        expect(order).not.toContain(call);
        if (call % 10 === 0) await waits[Math.floor(call / 2)];
      }
      await Promise.all(waits);
      expect(order).toEqual(Array.from({ length: 50 }, (_, at) => at + 1));
      await store.close();
    });

    it('[W3] an entry at an index that the log has replaces it and all behind it', async () => {
      const place = await makePlace();
      const { store } = await place.open();
      await appended(store, batchOf(entries({ from: 1, to: 10 }, 1)));
      const replaced = appended(store, batchOf(entries({ from: 4, to: 5 }, 2)));
      expect(store.status()).toMatchObject({ lastIndex: 5, syncedIndex: 3 });
      await replaced;
      expect(store.status()).toMatchObject({ lastIndex: 5, syncedIndex: 5 });
      await appended(store, batchOf([entry(6, 3)]));
      await store.close();
      const again = await place.open();
      expect(described(again.recovered)).toBe('1:1 2:1 3:1 4:2 5:2 6:3');
      await again.store.close();
    });

    it('[W3] an entry that does not follow is a programmer error', async () => {
      const place = await makePlace();
      const { store } = await place.open();
      await appended(store, batchOf(entries({ from: 1, to: 2 })));
      expect(() => store.append(batchOf([entry(4)]), () => {})).toThrow('does not follow');
      expect(() => store.append(batchOf([entry(3), entry(5)]), () => {})).toThrow('contiguous');
      await store.close();
      expect(() => store.append(batchOf([entry(3)]), () => {})).toThrow('closed');
    });

    it('[W4] batches that arrive during a write share the next one', async () => {
      const place = await makePlace();
      const { store } = await place.open();
      const before = store.status().syncsTotal;
      const waits: Promise<void>[] = [];
      for (let index = 1; index <= 200; index++) waits.push(appended(store, batchOf([entry(index)])));
      await Promise.all(waits);
      // The first alone, all others together.
      expect(store.status().syncsTotal - before).toBe(2);
      expect(store.status()).toMatchObject({ syncedIndex: 200, entriesSyncedTotal: 200, batchesQueued: 0 });
      await store.close();
    });

    it('[W5] compaction drops only what the snapshot covers', async () => {
      const place = await makePlace();
      const { store } = await place.open();
      for (let from = 1; from <= 91; from += 10)
        await appended(store, batchOf(entries({ from, to: from + 9 }, 2)));
      await store.compact(55);
      expect(store.status()).toMatchObject({ firstIndex: 56, lastIndex: 100 });
      await store.close();
      const again = await place.open({ index: 55, term: 2 });
      expect(again.recovered.entries.map((found) => found.index)).toEqual(
        Array.from({ length: 45 }, (_, at) => at + 56),
      );
      await again.store.close();
    });

    it('[W6] a restarted log holds nothing of the old one and goes on behind the snapshot', async () => {
      const place = await makePlace();
      const { store } = await place.open();
      await appended(
        store,
        batchOf(entries({ from: 1, to: 20 }, 1), { currentTerm: 1, votedFor: 1, commitIndex: 9 }),
      );
      const waiting = appended(store, batchOf(entries({ from: 21, to: 30 }, 1)));
      const restarted = store.restartAt({ index: 15, term: 4 });
      const behind = appended(
        store,
        batchOf([entry(16, 4)], { currentTerm: 4, votedFor: 0, commitIndex: 15 }),
      );
      await Promise.all([waiting, restarted, behind]);
      expect(store.status()).toMatchObject({ firstIndex: 16, lastIndex: 16, syncedIndex: 16 });
      await store.close();
      const again = await place.open({ index: 15, term: 4 });
      expect(described(again.recovered)).toBe('16:4');
      expect(again.recovered.hardState).toEqual({ currentTerm: 4, votedFor: 0, commitIndex: 15 });
      await again.store.close();
    });

    it('[W6] compaction behind the end of the log is a restart', async () => {
      const place = await makePlace();
      const { store } = await place.open();
      await appended(store, batchOf(entries({ from: 1, to: 3 }, 1)));
      await store.compact(1000);
      await appended(store, batchOf([entry(1001, 5)]));
      await store.close();
      const again = await place.open({ index: 1000, term: 5 });
      expect(described(again.recovered)).toBe('1001:5');
      await again.store.close();
    });
  });
}
