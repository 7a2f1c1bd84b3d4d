// The log on a disk that fails, hangs, fills up or lies; and the layer that makes it so.
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DiskFault } from '../../engine/protocol/faults.ts';
import { createFaultyFileSystem, type FaultyFileSystem } from '../../engine/storage/faulty-file-system.ts';
import { openFileLog } from '../../engine/storage/file-log-store.ts';
import { createMemoryFileSystem, type MemoryFileSystem } from '../../engine/storage/memory-file-system.ts';
import { createNodeFileSystem } from '../../engine/storage/node-file-system.ts';
import { seededRandom } from '../../engine/storage/seeded-random.ts';
import type { LogStore, LogStoreError, Recovered } from '../../engine/storage/types.ts';
import { appended, batchOf, described, entries, entry } from './log-store-contract.ts';

const FOLDER = '/log';
let memory: MemoryFileSystem;
let fs: FaultyFileSystem;
let fatal: LogStoreError[];
let nowMs: number;

beforeEach(() => {
  memory = createMemoryFileSystem();
  fs = createFaultyFileSystem(memory, { random: seededRandom(1) });
  fatal = [];
  nowMs = 0;
});

function open(segmentBytes = 4096): Promise<{ store: LogStore; recovered: Recovered }> {
  return openFileLog({
    fs,
    folder: FOLDER,
    segmentBytes,
    idleMarkMs: 0,
    retryMs: 1,
    now: () => nowMs,
    onFatal: (error) => fatal.push(error),
  });
}

function fault(
  effect: DiskFault['effect'],
  operations: DiskFault['operations'],
  more: Partial<DiskFault> = {},
): DiskFault {
  return { id: 'fault', operations, effect, ...more };
}

describe('a disk that fails', () => {
  for (const operation of ['write', 'sync'] as const) {
    it(`[W10] a failed ${operation} kills the log at once, once, and for good`, async () => {
      const { store } = await open();
      await appended(store, batchOf([entry(1)]));
      let durable = 0;
      fs.setFaults([fault({ kind: 'error', code: 'EIO' }, [operation], { countMax: 1 })]);
      store.append(batchOf([entry(2)]), () => durable++);
      store.append(batchOf([entry(3)]), () => durable++);
      await expect.poll(() => fatal.length).toBe(1);
      expect(fatal[0]).toMatchObject({ operation, code: 'EIO' });
      // The disk works again, and it does not matter.
      expect(fs.faults()).toEqual([]);
      store.append(batchOf([entry(4)]), () => durable++);
      await store.close();
      expect(durable).toBe(0);
      expect(fatal).toHaveLength(1);
      fs = createFaultyFileSystem(memory.afterKill(), { random: seededRandom(1) });
      const { recovered } = await open();
      expect(['1:1', '1:1 2:1']).toContain(described(recovered));
    });
  }

  it('[W10] a short write is a failed write', async () => {
    const { store } = await open();
    await appended(store, batchOf([entry(1)]));
    fs.setFaults([fault({ kind: 'shortWrite' }, ['write'])]);
    store.append(batchOf(entries({ from: 2, to: 9 })), () => expect.unreachable());
    await expect.poll(() => fatal.length).toBe(1);
    fs = createFaultyFileSystem(memory.afterKill(), { random: seededRandom(1) });
    const { recovered } = await open();
    expect(described(recovered)).toBe('1:1');
    expect(recovered.verdicts).toMatchObject([{ kind: 'tornTail' }]);
  });

  it('[W10] a segment that cannot be prepared for another reason than space is fatal', async () => {
    const { store } = await open();
    fs.setFaults([fault({ kind: 'error', code: 'EIO' }, ['open'])]);
    for (let index = 1; index <= 60 && fatal.length === 0; index++) {
      store.append(batchOf([entry(index, 1, 200)]), () => {});
    }
    await expect.poll(() => fatal.length).toBe(1);
    expect(fatal[0]).toMatchObject({ operation: 'open', code: 'EIO' });
  });

  it('[W10] a failure while opening rejects with the operation and the code', async () => {
    fs.setFaults([fault({ kind: 'error', code: 'EIO' }, ['readdir'])]);
    await expect(open()).rejects.toMatchObject({ name: 'LogStoreError', operation: 'readdir', code: 'EIO' });
    // And it lets go of the folder.
    fs.setFaults([]);
    const { store } = await open();
    await store.close();
  });
});

describe('a disk that hangs', () => {
  it('[W11] a hung sync shows in the status, and everything goes on when it ends', async () => {
    const { store } = await open();
    await appended(store, batchOf([entry(1)]));
    fs.setFaults([fault({ kind: 'hang' }, ['sync'])]);
    let durable = 0;
    for (let index = 2; index <= 5; index++) store.append(batchOf([entry(index)]), () => durable++);
    nowMs = 700;
    expect(store.status()).toMatchObject({
      syncInFlightMs: 700,
      syncedIndex: 1,
      lastIndex: 5,
      batchesQueued: 3,
    });
    expect(durable).toBe(0);
    fs.setFaults([]);
    await expect.poll(() => durable).toBe(4);
    expect(store.status()).toMatchObject({ syncInFlightMs: 0, syncedIndex: 5, batchesQueued: 0 });
    expect(fatal).toEqual([]);
    await store.close();
  });

  it('[W11] a slow disk delays the callbacks by as much', async () => {
    const waited: number[] = [];
    fs = createFaultyFileSystem(memory, {
      random: seededRandom(1),
      wait: async (ms) => void waited.push(ms),
    });
    const { store } = await open();
    fs.setFaults([fault({ kind: 'delay', delayMs: 40 }, ['sync'], { pathContains: 'segment-000000000001' })]);
    await appended(store, batchOf([entry(1)]));
    await appended(store, batchOf([entry(2)]));
    expect(waited).toEqual([40, 40]);
    await store.close();
  });
});

describe('a disk that is full', () => {
  it('[W12] nothing is acknowledged and nothing lost; when there is room again it goes on', async () => {
    const { store } = await open();
    await appended(store, batchOf([entry(1)]));
    fs.setFaults([fault({ kind: 'error', code: 'ENOSPC' }, ['write', 'open'])]);
    let durable = 0;
    for (let index = 2; index <= 60; index++) store.append(batchOf([entry(index, 1, 200)]), () => durable++);
    await expect.poll(() => store.status().noSpace).toBe(true);
    expect(durable).toBe(0);
    fs.setFaults([]);
    await expect.poll(() => durable).toBe(59);
    expect(store.status()).toMatchObject({ noSpace: false, syncedIndex: 60 });
    expect(fatal).toEqual([]);
    await store.close();
    const { recovered } = await open();
    expect(recovered.entries).toHaveLength(60);
    expect(recovered.verdicts).toEqual([]);
  });

  it('[W12] a full disk is told while the current segment still has room: that is the reserve', async () => {
    const { store } = await open(4096);
    // Room for what is there already, none for a new file.
    await expect.poll(() => memory.paths().length).toBe(2);
    fs.setFaults([fault({ kind: 'error', code: 'ENOSPC' }, ['open'])]);
    let index = 0;
    while (!store.status().noSpace) {
      index++;
      await appended(store, batchOf([entry(index, 1, 200)]));
    }
    const before = index;
    for (let more = 0; more < 8; more++) {
      index++;
      await appended(store, batchOf([entry(index, 1, 200)]));
    }
    expect(store.status()).toMatchObject({ noSpace: true, syncedIndex: before + 8 });
    fs.setFaults([]);
    await expect.poll(() => store.status().noSpace).toBe(false);
    await store.close();
  });
});

describe('a disk that lies', () => {
  it('[W13] a bit flipped on its way to the disk is found at the next start', async () => {
    const { store } = await open();
    await appended(store, batchOf([entry(1)]));
    fs.setFaults([fault({ kind: 'bitFlip' }, ['write'], { countMax: 1 })]);
    await appended(store, batchOf(entries({ from: 2, to: 6 })));
    await appended(store, batchOf([entry(7)]));
    fs = createFaultyFileSystem(memory.afterKill(), { random: seededRandom(1) });
    const { recovered } = await open();
    expect(recovered.entries.length).toBeLessThan(6);
    described(recovered);
    expect(recovered.verdicts).toMatchObject([{ kind: 'corruption' }]);
    expect(recovered.lastDurableIndexKnown).toBe(7);
  });

  it('[W13] a sync that lies loses what a power cut takes, and honest syncs lose nothing', async () => {
    let lost = 0;
    for (let seed = 1; seed <= 40; seed++) {
      memory = createMemoryFileSystem();
      fs = createFaultyFileSystem(memory, { random: seededRandom(seed) });
      const { store } = await open();
      await appended(store, batchOf(entries({ from: 1, to: 3 })));
      fs.setFaults([fault({ kind: 'lyingSync' }, ['sync'])]);
      await appended(store, batchOf(entries({ from: 4, to: 6 })));
      await fs.powerCut(seed);
      fs = createFaultyFileSystem(memory.afterKill(), { random: seededRandom(seed) });
      const { recovered } = await open();
      const found = described(recovered);
      expect(['1:1 2:1 3:1', '1:1 2:1 3:1 4:1 5:1 6:1']).toContain(found);
      if (recovered.entries.length === 3) lost++;
    }
    expect(lost).toBeGreaterThan(10);
    expect(lost).toBeLessThan(40);
  });
});

describe('faults on request', () => {
  it('a fault with a count goes by itself and says so', async () => {
    const changes: number[] = [];
    fs = createFaultyFileSystem(memory, {
      random: seededRandom(1),
      onFaultsChanged: (faults) => changes.push(faults.length),
    });
    await memory.mkdir(FOLDER);
    fs.setFaults([
      fault({ kind: 'error', code: 'EIO' }, ['readdir'], { id: 'a', countMax: 2 }),
      fault({ kind: 'error', code: 'EIO' }, ['rename'], { id: 'b' }),
    ]);
    await expect(fs.readdir(FOLDER)).rejects.toMatchObject({ code: 'EIO' });
    await expect(fs.readdir(FOLDER)).rejects.toMatchObject({ code: 'EIO' });
    expect(changes).toEqual([1]);
    await expect(fs.readdir(FOLDER)).resolves.toEqual([]);
  });

  it('a probability is drawn for each call', async () => {
    await memory.mkdir(FOLDER);
    fs.setFaults([fault({ kind: 'error', code: 'EIO' }, ['readdir'], { probability: 0.25 })]);
    let failed = 0;
    for (let call = 0; call < 400; call++) await fs.readdir(FOLDER).catch(() => failed++);
    expect(failed).toBeGreaterThan(60);
    expect(failed).toBeLessThan(140);
  });

  it('only the paths that are named suffer', async () => {
    await memory.mkdir(FOLDER);
    fs.setFaults([fault({ kind: 'error', code: 'ENOSPC' }, ['open'], { pathContains: 'snapshot' })]);
    await expect(fs.open(`${FOLDER}/snapshot-1`, 'create')).rejects.toMatchObject({ code: 'ENOSPC' });
    await (await fs.open(`${FOLDER}/segment-1`, 'create')).close();
  });
});

describe('on real files', () => {
  let folder = '';

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quorumlab-faults-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  function openReal(layer: FaultyFileSystem): Promise<{ store: LogStore; recovered: Recovered }> {
    return openFileLog({
      fs: layer,
      folder: join(folder, 'log'),
      segmentBytes: 16 * 1024,
      idleMarkMs: 0,
      onFatal: (error) => fatal.push(error),
    });
  }

  it('[W14] files and folder belong to their owner alone', async () => {
    const layer = createFaultyFileSystem(createNodeFileSystem(), { random: seededRandom(1) });
    const { store } = await openReal(layer);
    expect((await stat(join(folder, 'log'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'log/segment-000000000001.log'))).mode & 0o777).toBe(0o600);
    await store.close();
  });

  it('[W14] a power cut in the middle of writing keeps what was acknowledged, 20 seeds in a row', {
    timeout: 60_000,
  }, async () => {
    let acknowledged = 0;
    let torn = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const layer = createFaultyFileSystem(createNodeFileSystem(), { random: seededRandom(seed) });
      const { store, recovered } = await openReal(layer);
      const place = `seed ${seed}`;
      expect(recovered.entries.length, place).toBeGreaterThanOrEqual(acknowledged);
      expect(
        recovered.verdicts.filter((verdict) => verdict.kind === 'corruption'),
        place,
      ).toEqual([]);
      torn += recovered.verdicts.filter((verdict) => verdict.kind === 'tornTail').length;
      described(recovered);
      let next = recovered.entries.length + 1;
      acknowledged = recovered.entries.length;
      await new Promise<void>((resolve) => {
        const writeOn = (): void => {
          const batch = entries({ from: next, to: next + 4 }, 1, 150);
          next += 5;
          const last = next - 1;
          store.append(batchOf(batch), () => {
            acknowledged = last;
            if (acknowledged > seed * 20) return resolve();
            writeOn();
          });
        };
        writeOn();
        writeOn();
      });
      await layer.powerCut(seed);
    }
    expect(torn).toBeGreaterThan(3);
    expect(fatal).toEqual([]);
  });
});
