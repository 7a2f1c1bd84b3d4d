// Snapshots: written in slices, received in chunks, damaged at every byte, crashed after every call.
import { beforeEach, describe, expect, it } from 'vitest';
import { createFaultyFileSystem } from '../../engine/storage/faulty-file-system.ts';
import { createMemoryFileSystem, type MemoryFileSystem } from '../../engine/storage/memory-file-system.ts';
import { openStorage } from '../../engine/storage/open-storage.ts';
import { seededRandom } from '../../engine/storage/seeded-random.ts';
import {
  BLOCK_DATA_BYTES,
  type SnapshotIdentity,
  snapshotName,
} from '../../engine/storage/snapshot-format.ts';
import { SnapshotCorruptError } from '../../engine/storage/snapshot-reader.ts';
import { type SnapshotOnDisk, SnapshotStore } from '../../engine/storage/snapshot-store.ts';
import { appended, batchOf, described, entries } from './log-store-contract.ts';

const FOLDER = '/data';
let fs: MemoryFileSystem;

beforeEach(async () => {
  fs = createMemoryFileSystem();
  await fs.mkdir(FOLDER);
});

function identity(index: number, term = 1): SnapshotIdentity {
  const configuration = { voters: [1, 2, 3], votersOutgoing: [], learners: [2 ** 40] };
  return { lastIncludedIndex: index, lastIncludedTerm: term, configuration };
}

/** Different for each index; no two blocks alike. */
function dataOf(index: number, length: number): Uint8Array {
  const random = seededRandom(index);
  const data = new Uint8Array(length);
  for (let at = 0; at < length; at++) data[at] = random() * 256;
  return data;
}

async function write(store: SnapshotStore, index: number, data: Uint8Array, slice = 1000): Promise<void> {
  const writer = await store.begin(identity(index));
  for (let at = 0; at < data.length; at += slice) await writer.write(data.subarray(at, at + slice));
  await writer.finish();
}

async function readAll(store: SnapshotStore, snapshot: SnapshotOnDisk): Promise<Uint8Array> {
  const reader = await store.read(snapshot);
  const slices: Uint8Array[] = [];
  try {
    for (let slice = await reader.read(); slice !== null; slice = await reader.read()) slices.push(slice);
  } finally {
    await reader.close();
  }
  return new Uint8Array(Buffer.concat(slices));
}

function newest(store: SnapshotStore): SnapshotOnDisk {
  const [snapshot] = store.snapshots;
  if (snapshot === undefined) throw new Error('no snapshot');
  return snapshot;
}

describe('a snapshot that is written', () => {
  for (const length of [0, 1, BLOCK_DATA_BYTES, BLOCK_DATA_BYTES + 1, 5 * BLOCK_DATA_BYTES + 77]) {
    it(`[S1] of ${length} bytes is read back as it was, also after a power cut`, async () => {
      const store = await SnapshotStore.open({ fs, folder: FOLDER });
      const data = dataOf(7, length);
      await write(store, 7, data, 40_000);
      const again = await SnapshotStore.open({ fs: fs.afterPowerCut(seededRandom(1)), folder: FOLDER });
      expect(newest(again)).toMatchObject({ ...identity(7), dataBytes: length });
      expect(Buffer.compare(await readAll(again, newest(again)), data)).toBe(0);
      expect(again.verdicts).toEqual([]);
    });
  }

  it('[S1] two are kept, and the log may be cut up to the older one', async () => {
    const store = await SnapshotStore.open({ fs, folder: FOLDER });
    expect(store.compactableIndex).toBe(0);
    for (const index of [10, 20, 30]) await write(store, index, dataOf(index, 100));
    expect(store.snapshots.map((snapshot) => snapshot.lastIncludedIndex)).toEqual([30, 20]);
    expect(store.compactableIndex).toBe(20);
    expect(fs.paths()).toEqual([20, 30].map((index) => `${FOLDER}/${snapshotName(identity(index))}`));
  });

  it('[S1] one that is held is removed only after it was let go', async () => {
    const store = await SnapshotStore.open({ fs, folder: FOLDER });
    await write(store, 10, dataOf(10, 100));
    const letGo = store.hold(newest(store));
    for (const index of [20, 30]) await write(store, index, dataOf(index, 100));
    expect(store.snapshots.map((snapshot) => snapshot.lastIncludedIndex)).toEqual([30, 20, 10]);
    letGo();
    letGo();
    await write(store, 40, dataOf(40, 100));
    expect(store.snapshots.map((snapshot) => snapshot.lastIncludedIndex)).toEqual([40, 30]);
  });

  it('[S2] given up half-way, or never finished, it leaves nothing behind', async () => {
    const store = await SnapshotStore.open({ fs, folder: FOLDER });
    await write(store, 10, dataOf(10, 100));
    const aborted = await store.begin(identity(20));
    await aborted.write(dataOf(20, BLOCK_DATA_BYTES * 2));
    await aborted.abort();
    await aborted.abort();
    expect(fs.paths()).toHaveLength(1);
    const unfinished = await store.begin(identity(30));
    await unfinished.write(dataOf(30, BLOCK_DATA_BYTES * 2));
    const disk = fs.afterKill();
    const again = await SnapshotStore.open({ fs: disk, folder: FOLDER });
    expect(again.verdicts).toMatchObject([{ kind: 'leftover' }]);
    expect(disk.paths()).toHaveLength(1);
    expect(newest(again).lastIncludedIndex).toBe(10);
  });

  for (const operation of ['open', 'write', 'sync', 'rename', 'syncFolder'] as const) {
    for (const code of ['EIO', 'ENOSPC'] as const) {
      it(`[S2] ${code} on ${operation} changes nothing, and the next one succeeds`, async () => {
        const faulty = createFaultyFileSystem(fs, { random: seededRandom(1) });
        const store = await SnapshotStore.open({ fs: faulty, folder: FOLDER });
        await write(store, 10, dataOf(10, 100));
        faulty.setFaults([
          { id: 'f', operations: [operation], effect: { kind: 'error', code }, countMax: 1 },
        ]);
        const attempt = async (): Promise<void> => {
          const writer = await store.begin(identity(20));
          try {
            await writer.write(dataOf(20, BLOCK_DATA_BYTES * 2));
            await writer.finish();
          } catch (error) {
            await writer.abort();
            throw error;
          }
        };
        await expect(attempt()).rejects.toMatchObject({ code });
        expect(store.snapshots.map((snapshot) => snapshot.lastIncludedIndex)).toEqual([10]);
        await attempt();
        expect(store.snapshots.map((snapshot) => snapshot.lastIncludedIndex)).toEqual([20, 10]);
      });
    }
  }
});

describe('a damaged snapshot', () => {
  it('[S3] a bit flipped at any byte is never served', async () => {
    const store = await SnapshotStore.open({ fs, folder: FOLDER });
    await write(store, 7, dataOf(7, 400));
    const path = `${FOLDER}/${snapshotName(identity(7))}`;
    const whole = fs.contentOf(path) ?? new Uint8Array(0);
    for (let at = 0; at < whole.length; at++) {
      const disk = fs.afterKill();
      const bytes = whole.slice();
      bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
      disk.plant(path, bytes);
      const again = await SnapshotStore.open({ fs: disk, folder: FOLDER });
      const [snapshot] = again.snapshots;
      if (snapshot === undefined) expect(again.verdicts).toMatchObject([{ kind: 'snapshotCorrupt' }]);
      else await expect(readAll(again, snapshot), `byte ${at}`).rejects.toBeInstanceOf(SnapshotCorruptError);
    }
  });

  it('[S3] cut off at any byte, or with something behind it, it is never served', async () => {
    const store = await SnapshotStore.open({ fs, folder: FOLDER });
    await write(store, 7, dataOf(7, 400));
    const path = `${FOLDER}/${snapshotName(identity(7))}`;
    const whole = fs.contentOf(path) ?? new Uint8Array(0);
    const damaged = Array.from({ length: whole.length }, (_, length) => whole.slice(0, length));
    damaged.push(new Uint8Array([...whole, 0]), new Uint8Array([...whole, ...whole.slice(-32)]));
    for (const bytes of damaged) {
      const disk = fs.afterKill();
      disk.plant(path, bytes);
      const again = await SnapshotStore.open({ fs: disk, folder: FOLDER });
      for (const snapshot of again.snapshots) {
        await expect(readAll(again, snapshot)).rejects.toBeInstanceOf(SnapshotCorruptError);
      }
    }
  });

  it('[S3] blocks that changed places are found', async () => {
    const store = await SnapshotStore.open({ fs, folder: FOLDER });
    await write(store, 7, dataOf(7, 3 * BLOCK_DATA_BYTES));
    const path = `${FOLDER}/${snapshotName(identity(7))}`;
    const bytes = fs.contentOf(path) ?? new Uint8Array(0);
    const block = BLOCK_DATA_BYTES + 16;
    const start = bytes.length - 32 - 3 * block;
    const first = bytes.slice(start, start + block);
    bytes.copyWithin(start, start + block, start + 2 * block);
    bytes.set(first, start + block);
    fs.plant(path, bytes);
    await expect(readAll(store, newest(store))).rejects.toThrow('block 2 instead of 1');
  });

  it('[S4] the older one takes its place, and the log reaches back to it', async () => {
    const open = (disk: MemoryFileSystem, loaded: number[]): ReturnType<typeof openStorage> =>
      openStorage({
        fs: disk,
        folder: FOLDER,
        segmentBytes: 1024,
        idleMarkMs: 0,
        onFatal: (error) => {
          throw error;
        },
        load: async (snapshot, reader) => {
          loaded.push(snapshot.lastIncludedIndex);
          while ((await reader.read()) !== null);
        },
        reset: () => loaded.push(0),
      });
    const { log, snapshots } = await open(fs, []);
    await appended(log, batchOf(entries({ from: 1, to: 40 }, 1)));
    for (const index of [10, 30]) {
      await write(snapshots, index, dataOf(index, 1000));
      await log.compact(snapshots.compactableIndex);
    }
    await log.close();
    const whole: number[] = [];
    const first = await open(fs.afterKill(), whole);
    expect(whole).toEqual([30]);
    expect(described(first.recovered).split(' ')[0]).toBe('31:1');
    expect(first.recovered.lastIncludedIndex).toBe(30);

    const disk = fs.afterKill();
    const path = `${FOLDER}/${snapshotName(identity(30))}`;
    const bytes = disk.contentOf(path) ?? new Uint8Array(0);
    bytes[500] = (bytes[500] as number) ^ 1;
    disk.plant(path, bytes);
    const loaded: number[] = [];
    const second = await open(disk, loaded);
    expect(loaded).toEqual([30, 0, 10]);
    expect(second.recovered.verdicts).toMatchObject([{ kind: 'snapshotCorrupt' }]);
    expect(second.recovered.entries.map((entry) => entry.index)).toEqual(
      Array.from({ length: 30 }, (_, at) => at + 11),
    );
    expect(second.recovered.lastDurableIndexKnown).toBe(40);
    await second.log.close();

    // With no sound snapshot left at all, what the log has lost is known.
    const older = `${FOLDER}/${snapshotName(identity(10))}`;
    const worse = disk.afterKill();
    worse.plant(older, new Uint8Array(100));
    const third = await open(worse, []);
    if (third.recovered.entries.length === 0) expect(third.recovered.lastDurableIndexKnown).toBe(40);
    else expect(third.recovered.entries[0]?.index).toBe(1);
    await third.log.close();
  });

  it('[W8] that is corrupt, before a log of another history could give way to it, takes that log along', async () => {
    const open = (disk: MemoryFileSystem) =>
      openStorage({
        fs: disk,
        folder: FOLDER,
        onFatal: () => {},
        load: async (_snapshot, reader) => {
          while ((await reader.read()) !== null);
        },
        reset: () => {},
      });
    const { log, snapshots } = await open(fs);
    await appended(log, batchOf(entries({ from: 1, to: 20 }, 1)));
    await write(snapshots, 10, dataOf(10, 500));
    await appended(log, batchOf(entries({ from: 21, to: 40 }, 2)));
    // From the leader of term 4; the log has not given way to it yet when the power fails.
    const writer = await snapshots.begin(identity(30, 4));
    await writer.write(dataOf(30, 1000));
    await writer.finish();
    const disk = fs.afterKill();
    const path = `${FOLDER}/${snapshotName(identity(30, 4))}`;
    const bytes = disk.contentOf(path) ?? new Uint8Array(0);
    bytes[500] = (bytes[500] as number) ^ 1;
    disk.plant(path, bytes);

    for (let start = 1; start <= 2; start++) {
      const again = await open(disk);
      expect(again.recovered.lastIncludedIndex).toBe(10);
      expect(again.recovered.entries, 'nothing of the other history is believed').toEqual([]);
      expect(again.recovered.lastDurableIndexKnown).toBe(40);
      if (start === 1) expect(again.recovered.verdicts.map(({ kind }) => kind)).toContain('corruption');
      if (start === 2) {
        // The leader's entries, up to where the corrupt snapshot reached and further: whole again.
        await appended(again.log, batchOf(entries({ from: 11, to: 45 }, 4)));
      }
      await again.log.close();
    }
    const whole = await open(disk);
    expect(whole.recovered.entries.map((entry) => entry.index).at(-1)).toBe(45);
    expect(whole.recovered.lastDurableIndexKnown).toBe(45);
    expect(whole.recovered.verdicts.filter(({ kind }) => kind === 'corruption')).toEqual([]);
    await whole.log.close();
  });
});

describe('a snapshot that is received', () => {
  async function leaderFile(length: number): Promise<{ store: SnapshotStore; snapshot: SnapshotOnDisk }> {
    const disk = createMemoryFileSystem();
    await disk.mkdir(FOLDER);
    const store = await SnapshotStore.open({ fs: disk, folder: FOLDER });
    await write(store, 50, dataOf(50, length), 100_000);
    return { store, snapshot: newest(store) };
  }

  it('[S5] chunk by chunk it becomes the snapshot that was sent', async () => {
    const leader = await leaderFile(700_000);
    const store = await SnapshotStore.open({ fs, folder: FOLDER });
    const intake = await store.beginIntake({ ...leader.snapshot, totalBytes: leader.snapshot.sizeBytes });
    while (!intake.isComplete) {
      const { offset } = intake;
      const chunk = await leader.store.readChunk(leader.snapshot, { offset, bytesMax: 65_000 });
      expect(await intake.take(offset + 1, chunk)).toBe(offset);
      const taking = intake.take(offset, chunk);
      // A duplicate that arrives meanwhile is not taken twice.
      expect(await intake.take(offset, chunk)).toBe(offset);
      expect(await taking).toBe(offset + chunk.length);
    }
    await intake.finish();
    expect(newest(store)).toMatchObject({ ...identity(50), dataBytes: 700_000 });
    const again = await SnapshotStore.open({ fs: fs.afterPowerCut(seededRandom(3)), folder: FOLDER });
    expect(Buffer.compare(await readAll(again, newest(again)), dataOf(50, 700_000))).toBe(0);
  });

  it('[S5] after a power cut at any chunk it goes on from what is whole', async () => {
    const leader = await leaderFile(4_000_000);
    const point = { ...leader.snapshot, totalBytes: leader.snapshot.sizeBytes };
    let resumedAbove = 0;
    for (let seed = 1; seed <= 12; seed++) {
      const disk = createMemoryFileSystem();
      await disk.mkdir(FOLDER);
      const store = await SnapshotStore.open({ fs: disk, folder: FOLDER });
      const intake = await store.beginIntake(point);
      for (let chunk = 0; chunk < seed * 5; chunk++) {
        const { offset } = intake;
        await intake.take(
          offset,
          await leader.store.readChunk(leader.snapshot, { offset, bytesMax: 65_000 }),
        );
      }
      await disk.syncFolder(FOLDER);
      const survivor = disk.afterPowerCut(seededRandom(seed));
      const again = await SnapshotStore.open({ fs: survivor, folder: FOLDER });
      const resumed = await again.beginIntake(point);
      if (resumed.offset > 0) resumedAbove++;
      while (!resumed.isComplete) {
        const { offset } = resumed;
        await resumed.take(
          offset,
          await leader.store.readChunk(leader.snapshot, { offset, bytesMax: 300_000 }),
        );
      }
      await resumed.finish();
      expect(Buffer.compare(await readAll(again, newest(again)), dataOf(50, 4_000_000))).toBe(0);
    }
    expect(resumedAbove).toBeGreaterThan(3);
  });

  it('[S5] chunks of two different files are refused at the end, and all is dropped', async () => {
    const leader = await leaderFile(700_000);
    const store = await SnapshotStore.open({ fs, folder: FOLDER });
    const intake = await store.beginIntake({ ...leader.snapshot, totalBytes: leader.snapshot.sizeBytes });
    const bytes = await leader.store.readChunk(leader.snapshot, { offset: 0, bytesMax: 800_000 });
    bytes[600_000] = (bytes[600_000] as number) ^ 1;
    await intake.take(0, bytes);
    await expect(intake.finish()).rejects.toBeInstanceOf(SnapshotCorruptError);
    expect(fs.paths()).toEqual([]);
    expect((await store.beginIntake({ ...leader.snapshot, totalBytes: 9 })).offset).toBe(0);
  });
});

describe('crash points', () => {
  it('[S6] crashed after every call, the newest snapshot is the last finished one or the next', async () => {
    const steps: { disk: MemoryFileSystem; finished: number; begun: number }[] = [];
    const store = await SnapshotStore.open({ fs, folder: FOLDER });
    const random = seededRandom(5);
    let finished = 0;
    let begun = 0;
    fs.onStep(() => {
      steps.push({ disk: fs.afterKill(), finished, begun });
      for (let crash = 0; crash < 8; crash++) steps.push({ disk: fs.afterPowerCut(random), finished, begun });
    });
    for (let index = 10; index <= 120; index += 10) {
      begun = index;
      await write(store, index, dataOf(index, 3000));
      finished = index;
    }
    for (const [at, { disk, ...step }] of steps.entries()) {
      const again = await SnapshotStore.open({ fs: disk, folder: FOLDER });
      const place = `step ${at}, finished ${step.finished}, begun ${step.begun}`;
      expect(
        again.verdicts.filter((verdict) => verdict.kind === 'snapshotCorrupt'),
        place,
      ).toEqual([]);
      const found = again.snapshots[0]?.lastIncludedIndex ?? 0;
      expect([step.finished, step.begun], place).toContain(found);
      for (const snapshot of again.snapshots) {
        const data = await readAll(again, snapshot);
        expect(Buffer.compare(data, dataOf(snapshot.lastIncludedIndex, 3000)), place).toBe(0);
      }
    }
    expect(steps.length).toBeGreaterThan(500);
  });
});
