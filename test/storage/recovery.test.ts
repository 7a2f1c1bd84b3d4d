// What recovery says of a damaged log: cut at every byte, flipped at every byte, with segments lost.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFileLog } from '../../engine/storage/file-log-store.ts';
import { createMemoryFileSystem, type MemoryFileSystem } from '../../engine/storage/memory-file-system.ts';
import { segmentName } from '../../engine/storage/segment-format.ts';
import type { LogStore, Recovered } from '../../engine/storage/types.ts';
import { appended, batchOf, described, entries, entry } from './log-store-contract.ts';

const FOLDER = '/log';
let fs: MemoryFileSystem;

beforeEach(() => {
  fs = createMemoryFileSystem();
});

/** Without idle marks and without the mark of `close`: what a process leaves that was killed. */
async function open(
  disk: MemoryFileSystem,
  options: { segmentBytes?: number; snapshot?: { index: number; term: number } } = {},
): Promise<{ store: LogStore; recovered: Recovered }> {
  return openFileLog({
    fs: disk,
    folder: FOLDER,
    segmentBytes: options.segmentBytes ?? 8192,
    idleMarkMs: 0,
    snapshot: options.snapshot === undefined ? undefined : { ...options.snapshot, configuration: null },
    onFatal: (error) => {
      throw error;
    },
  });
}

function pathOf(sequence: number): string {
  return `${FOLDER}/${segmentName(sequence)}`;
}

function content(disk: MemoryFileSystem, sequence: number): Uint8Array {
  const bytes = disk.contentOf(pathOf(sequence));
  if (bytes === null) throw new Error(`no segment ${sequence}`);
  return bytes;
}

function endOf(bytes: Uint8Array): number {
  return bytes.findLastIndex((byte) => byte !== 0) + 1;
}

/** The log of three batches, 1–3, 4–6 and 7–9, killed; and where the last batch begins and ends. */
async function threeBatches(): Promise<{ start: number; end: number }> {
  const { store } = await open(fs);
  await appended(
    store,
    batchOf(entries({ from: 1, to: 3 }, 1), { currentTerm: 1, votedFor: 1, commitIndex: 0 }),
  );
  await appended(
    store,
    batchOf(entries({ from: 4, to: 6 }, 2), { currentTerm: 2, votedFor: 3, commitIndex: 3 }),
  );
  const start = endOf(content(fs, 1));
  await appended(
    store,
    batchOf(entries({ from: 7, to: 9 }, 4), { currentTerm: 4, votedFor: 2, commitIndex: 6 }),
  );
  const end = endOf(content(fs, 1));
  fs = fs.afterKill();
  return { start, end };
}

/** A copy of the disk in which one file is changed. */
function changed(sequence: number, change: (bytes: Uint8Array) => void): MemoryFileSystem {
  const copy = fs.afterKill();
  const bytes = content(copy, sequence);
  change(bytes);
  copy.plant(pathOf(sequence), bytes);
  return copy;
}

describe('a torn tail', () => {
  it('[W7] a last batch cut at any byte is dropped as a whole, and said so', async () => {
    const { start, end } = await threeBatches();
    for (let cut = start; cut < end; cut++) {
      const disk = changed(1, (bytes) => bytes.fill(0, cut));
      const { store, recovered } = await open(disk);
      expect(described(recovered), `cut at ${cut}`).toBe('1:1 2:1 3:1 4:2 5:2 6:2');
      expect(recovered.hardState).toEqual({ currentTerm: 2, votedFor: 3, commitIndex: 3 });
      expect(recovered.lastDurableIndexKnown).toBe(6);
      if (
        endOf(
          content(
            changed(1, (bytes) => bytes.fill(0, cut)),
            1,
          ),
        ) > start
      ) {
        expect(recovered.verdicts).toMatchObject([
          { kind: 'tornTail', file: segmentName(1), offsetBytes: start },
        ]);
        expect(recovered.verdicts[0]?.lostBytes).toBeGreaterThan(0);
      } else {
        expect(recovered.verdicts).toEqual([]);
      }
      // The torn bytes are gone for good, and what is written now is found.
      await appended(store, batchOf(entries({ from: 7, to: 8 }, 5)));
      const again = await open(disk.afterKill());
      expect(described(again.recovered)).toBe('1:1 2:1 3:1 4:2 5:2 6:2 7:5 8:5');
      expect(again.recovered.verdicts).toEqual([]);
    }
  });

  it('[W7] any sector lost of the last batch makes it torn, not corrupt', async () => {
    const { store } = await open(fs, { segmentBytes: 64 * 1024 });
    await appended(store, batchOf(entries({ from: 1, to: 3 }, 1)));
    const start = endOf(content(fs, 1));
    await appended(store, batchOf(entries({ from: 4, to: 63 }, 1, 100)));
    const end = endOf(content(fs, 1));
    fs = fs.afterKill();
    for (let sector = Math.floor(start / 512) * 512; sector < end; sector += 512) {
      const disk = changed(1, (bytes) => bytes.fill(0, Math.max(start, sector), sector + 512));
      const { recovered } = await open(disk);
      expect(described(recovered), `sector ${sector}`).toBe('1:1 2:1 3:1');
      expect(recovered.verdicts).toMatchObject([{ kind: 'tornTail' }]);
    }
  });

  it('[W7] a log that was closed has no torn tail: its last batch is proved by the mark behind it', async () => {
    const { store } = await open(fs);
    await appended(store, batchOf(entries({ from: 1, to: 3 }, 1)));
    const start = endOf(content(fs, 1));
    await appended(store, batchOf(entries({ from: 4, to: 6 }, 1)));
    const end = endOf(content(fs, 1));
    await store.close();
    const disk = changed(1, (bytes) => {
      bytes[end - 5] = (bytes[end - 5] as number) ^ 4;
    });
    expect(start).toBeLessThan(end);
    const { recovered } = await open(disk);
    expect(described(recovered)).toBe('1:1 2:1 3:1 4:1 5:1');
    expect(recovered.verdicts).toMatchObject([{ kind: 'corruption' }]);
    expect(recovered.lastDurableIndexKnown).toBe(6);
  });

  it('[W7] so has an idle log, after a while', async () => {
    const waits: (() => void)[] = [];
    let nowMs = 0;
    const options = { fs, folder: FOLDER, segmentBytes: 8192, idleMarkMs: 500, now: () => nowMs };
    const wait = (): Promise<void> => new Promise((resolve) => void waits.push(resolve));
    const { store } = await openFileLog({ ...options, wait, onFatal: () => {} });
    await appended(store, batchOf(entries({ from: 1, to: 3 }, 1)));
    const before = store.status().syncsTotal;
    nowMs = 499;
    for (const resolve of waits.splice(0)) resolve();
    await expect.poll(() => waits.length).toBe(1);
    expect(store.status().syncsTotal).toBe(before);
    nowMs = 600;
    for (const resolve of waits.splice(0)) resolve();
    await expect.poll(() => store.status().syncsTotal).toBe(before + 1);
    // Once is enough: nothing is due until the next write.
    expect(waits).toEqual([]);
    await store.close();
    expect(store.status().syncsTotal).toBe(before + 1);
  });
});

describe('corruption in the middle', () => {
  it('[W8] a bit flipped at any byte before the last batch is never served and always told', async () => {
    const { start } = await threeBatches();
    const whole = ['1:1', '2:1', '3:1', '4:2', '5:2', '6:2', '7:4', '8:4', '9:4'];
    for (let at = 0; at < start; at++) {
      const disk = changed(1, (bytes) => {
        bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
      });
      const { store, recovered } = await open(disk);
      const found = described(recovered);
      const kept = recovered.entries.length;
      expect(found, `byte ${at}`).toBe(whole.slice(0, kept).join(' '));
      expect(kept).toBeLessThan(7);
      expect(recovered.verdicts.map((verdict) => verdict.kind)).toEqual(['corruption']);
      // The vote of before the crash is not forgotten, nor how far the log had come.
      expect(recovered.hardState).toEqual({ currentTerm: 4, votedFor: 2, commitIndex: 6 });
      expect(recovered.lastDurableIndexKnown).toBe(9);
      await store.close();
      // A restart still knows what is missing, and has nothing new to complain about.
      const again = await open(disk.afterKill());
      expect(described(again.recovered)).toBe(found);
      expect(again.recovered.lastDurableIndexKnown).toBe(9);
      expect(again.recovered.hardState).toEqual({ currentTerm: 4, votedFor: 2, commitIndex: 6 });
      expect(again.recovered.verdicts).toEqual([]);
      await again.store.close();
    }
  });

  it('[W8] once everything is refetched the log is whole again', async () => {
    const { start } = await threeBatches();
    const disk = changed(1, (bytes) => {
      bytes[start - 3] = (bytes[start - 3] as number) ^ 1;
    });
    const { store, recovered } = await open(disk);
    expect(described(recovered)).toBe('1:1 2:1 3:1 4:2 5:2');
    await appended(store, batchOf(entries({ from: 6, to: 8 }, 4)));
    const during = await open(disk.afterKill());
    expect(during.recovered.lastDurableIndexKnown).toBe(9);
    await appended(store, batchOf([entry(9, 4), entry(10, 4)]));
    await store.close();
    const later = disk.afterKill();
    const after = await open(later);
    expect(described(after.recovered)).toBe('1:1 2:1 3:1 4:2 5:2 6:4 7:4 8:4 9:4 10:4');
    expect(after.recovered.lastDurableIndexKnown).toBe(10);
    // And it may be cut shorter by a leader without looking as if something were lost.
    await appended(after.store, batchOf([entry(8, 6)]));
    await after.store.close();
    expect((await open(later.afterKill())).recovered.lastDurableIndexKnown).toBe(8);
  });

  it('[W8] a shorter log of the leader counts as whole when the node says so', async () => {
    const { start } = await threeBatches();
    const disk = changed(1, (bytes) => {
      bytes[start - 3] = (bytes[start - 3] as number) ^ 1;
    });
    const { store } = await open(disk);
    await appended(store, batchOf(entries({ from: 6, to: 7 }, 5)));
    store.markRefetched();
    await store.close();
    expect((await open(disk.afterKill())).recovered.lastDurableIndexKnown).toBe(7);
  });

  it('[W8] a hole that the snapshot covers loses nothing', async () => {
    const { start } = await threeBatches();
    for (let at = 0; at < start; at += 7) {
      const disk = changed(1, (bytes) => {
        bytes[at] = (bytes[at] as number) ^ 0x10;
      });
      const { store, recovered } = await open(disk, { snapshot: { index: 6, term: 2 } });
      // Without its header a sole segment cannot be followed; everywhere else the log goes on.
      if (at > 200) expect(described(recovered), `byte ${at}`).toBe('7:4 8:4 9:4');
      expect(recovered.verdicts.map((verdict) => verdict.kind)).toEqual(['corruption']);
      expect(recovered.lastDurableIndexKnown).toBe(9);
      await store.close();
    }
  });

  it('[W8] a missing or headless segment ends the log before it', async () => {
    const { store } = await open(fs, { segmentBytes: 1024 });
    for (let index = 1; index <= 40; index++) await appended(store, batchOf([entry(index, 1, 100)]));
    const segments = store.status().segments;
    expect(segments).toBeGreaterThan(5);
    fs = fs.afterKill();
    for (let sequence = 1; sequence < segments; sequence++) {
      for (const damage of ['missing', 'headless'] as const) {
        let disk = fs.afterKill();
        if (damage === 'missing') {
          await disk.unlink(pathOf(sequence));
          disk = disk.afterKill();
        } else {
          disk = changed(sequence, (bytes) => bytes.fill(0, 0, 100));
        }
        const { store: damaged, recovered } = await open(disk, { segmentBytes: 1024 });
        const kept = recovered.entries.length;
        expect(described(recovered)).toBe(Array.from({ length: kept }, (_, at) => `${at + 1}:1`).join(' '));
        expect(kept).toBeLessThan(40);
        if (sequence === 1) expect(kept).toBe(0);
        else expect(kept).toBeGreaterThan(0);
        expect(recovered.verdicts.map((verdict) => verdict.kind)).toContain('corruption');
        expect(recovered.lastDurableIndexKnown, `${damage} ${sequence}`).toBe(40);
        await appended(damaged, batchOf(entries({ from: kept + 1, to: 41 }, 2)));
        await damaged.close();
        const again = await open(disk.afterKill(), { segmentBytes: 1024 });
        expect(again.recovered.entries).toHaveLength(41);
        expect(again.recovered.lastDurableIndexKnown).toBe(41);
      }
    }
  });

  it('[W8] a value that looks like a batch of this log is not taken for one', async () => {
    const { store } = await open(fs);
    await appended(store, batchOf(entries({ from: 1, to: 3 }, 1)));
    const bytes = content(fs, 1);
    // A client cannot know the log's id; here it copies a head and guesses all but the id.
    const head = bytes.slice(88, 160);
    head.fill(0x55, 24, 32);
    head[38] = 99;
    const forged = entry(4, 1, 300);
    forged.data.set(head, 100);
    await appended(store, batchOf([forged]));
    const end = endOf(content(fs, 1));
    fs = fs.afterKill();
    const { recovered } = await open(
      changed(1, (damaged) => {
        damaged[end - 1] = (damaged[end - 1] as number) ^ 1;
      }),
    );
    expect(recovered.verdicts).toMatchObject([{ kind: 'tornTail' }]);
    expect(described(recovered)).toBe('1:1 2:1 3:1');
  });
});

describe('files', () => {
  let opened: LogStore | null = null;

  afterEach(async () => {
    await opened?.close();
    opened = null;
  });

  it('[W9] prepared segments that were never used leave no trace and no complaint', async () => {
    const { store } = await open(fs, { segmentBytes: 1024 });
    await appended(store, batchOf([entry(1)]));
    await expect.poll(() => fs.paths().length).toBe(2);
    fs = fs.afterKill();
    const again = await open(fs, { segmentBytes: 1024 });
    opened = again.store;
    expect(again.recovered.verdicts).toEqual([]);
    expect(described(again.recovered)).toBe('1:1');
  });

  it('[W9] compaction removes segments, and what corruption put aside', async () => {
    const { store } = await open(fs, { segmentBytes: 1024 });
    for (let index = 1; index <= 40; index++) await appended(store, batchOf([entry(index, 1, 100)]));
    fs = changed(3, (bytes) => bytes.fill(1, 300, 310));
    const again = await open(fs, { segmentBytes: 1024 });
    expect(fs.paths().filter((path) => path.endsWith('.bad')).length).toBeGreaterThan(3);
    const from = again.recovered.entries.length + 1;
    await appended(again.store, batchOf(entries({ from, to: 60 }, 2)));
    await again.store.compact(60);
    expect(fs.paths().filter((path) => path.endsWith('.bad'))).toEqual([]);
    expect(again.store.status().segments).toBeLessThanOrEqual(2);
    opened = again.store;
  });

  it('[W9] a format of a later version is refused, not guessed at', async () => {
    const { store } = await open(fs);
    await store.close();
    const { sealFrame } = await import('../../engine/protocol/frame.ts');
    const disk = changed(1, (bytes) => {
      bytes[32] = 2;
      sealFrame(bytes.subarray(0, 88), { index: 0, term: 0, kind: 65 });
    });
    await expect(open(disk)).rejects.toThrow('log format 2');
  });
});
