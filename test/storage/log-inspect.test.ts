// What `quorumlab wal dump`, `verify`, `repair` and `snapshot inspect` are made of.
import { beforeEach, describe, expect, it } from 'vitest';
import { openFileLog } from '../../engine/storage/file-log-store.ts';
import { hexView, type InspectedRecord, inspectLog, verifyLog } from '../../engine/storage/log-inspect.ts';
import { corruptRecord, repairLog } from '../../engine/storage/log-repair.ts';
import { createMemoryFileSystem, type MemoryFileSystem } from '../../engine/storage/memory-file-system.ts';
import { seededRandom } from '../../engine/storage/seeded-random.ts';
import { segmentName } from '../../engine/storage/segment-format.ts';
import { inspectSnapshot } from '../../engine/storage/snapshot-inspect.ts';
import { SnapshotStore } from '../../engine/storage/snapshot-store.ts';
import type { LogStore, Recovered } from '../../engine/storage/types.ts';
import { appended, batchOf, described, entries, entry } from './log-store-contract.ts';

const FOLDER = '/log';
let fs: MemoryFileSystem;

function open(disk: MemoryFileSystem): Promise<{ store: LogStore; recovered: Recovered }> {
  return openFileLog({
    fs: disk,
    folder: FOLDER,
    segmentBytes: 2048,
    idleMarkMs: 0,
    onFatal: (error) => {
      throw error;
    },
  });
}

async function dump(disk: MemoryFileSystem): Promise<InspectedRecord[]> {
  const records: InspectedRecord[] = [];
  for await (const record of inspectLog(disk, FOLDER)) records.push(record);
  return records;
}

beforeEach(async () => {
  fs = createMemoryFileSystem();
  const { store } = await open(fs);
  for (let index = 1; index <= 20; index++) {
    const hardState = index === 5 ? { currentTerm: 4, votedFor: 2, commitIndex: 3 } : null;
    await appended(store, batchOf([entry(index, index < 5 ? 1 : 4, 100)], hardState));
  }
  await store.close();
  fs = fs.afterKill();
});

describe('dump', () => {
  it('lists every byte of every segment once, and every entry', async () => {
    const records = await dump(fs);
    expect(records.filter((record) => record.kind === 'entry').map((record) => record.index)).toEqual(
      Array.from({ length: 20 }, (_, at) => at + 1),
    );
    expect(records.filter((record) => record.kind === 'bad')).toEqual([]);
    const ends = new Map<string, number>();
    for (const record of records) {
      expect(record.offsetBytes, record.file).toBe(ends.get(record.file) ?? 0);
      ends.set(record.file, record.offsetBytes + record.lengthBytes);
    }
    for (const [file, end] of ends) expect(fs.contentOf(`${FOLDER}/${file}`)?.length).toBe(end);
    expect(
      records.find((record) => record.kind === 'batch' && record.hardState.currentTerm === 4),
    ).toMatchObject({
      hardState: { currentTerm: 4, votedFor: 2, commitIndex: 3 },
    });
  });

  it('shows a bad record with its bytes, and goes on behind it', async () => {
    const damage = await corruptRecord(fs, FOLDER, { index: 7, random: seededRandom(1) });
    expect(damage).toMatchObject({ index: 7 });
    const records = await dump(fs);
    const bad = records.filter((record) => record.kind === 'bad');
    expect(bad).toHaveLength(1);
    expect(bad[0]?.reason).toMatch(/^CRC is [0-9a-f]{8}, but [0-9a-f]{8} is written$/);
    expect(bad[0]?.lengthBytes).toBe(124);
    expect(records.filter((record) => record.kind === 'entry')).toHaveLength(19);
  });

  it('has a hex view with offsets', () => {
    const lines = hexView(new TextEncoder().encode('Quorumlab keeps what it promised.'), 0x1f0, 2);
    expect(lines).toEqual([
      '000001f0  51 75 6f 72 75 6d 6c 61 62 20 6b 65 65 70 73 20  Quorumlab keeps ',
      '00000200  77 68 61 74 20 69 74 20 70 72 6f 6d 69 73 65 64  what it promised',
      '… 1 bytes more',
    ]);
  });
});

describe('verify and repair', () => {
  it('a sound log is said to be, and left alone', async () => {
    const before = fs.paths().map((path) => Buffer.from(fs.contentOf(path) ?? []).toString('hex'));
    expect(await verifyLog(fs, FOLDER)).toMatchObject({
      sound: true,
      firstIndex: 1,
      lastIndex: 20,
      lastDurableIndexKnown: 20,
      hardState: { currentTerm: 4, votedFor: 2 },
    });
    expect(await repairLog({ fs, folder: FOLDER, loseAcknowledged: false })).toEqual({ outcome: 'sound' });
    expect(fs.paths().map((path) => Buffer.from(fs.contentOf(path) ?? []).toString('hex'))).toEqual(before);
  });

  it('a torn tail is cut', async () => {
    const { store } = await open(fs);
    await appended(store, batchOf(entries({ from: 21, to: 22 }, 4)));
    fs = fs.afterKill();
    const file = (await dump(fs)).filter((record) => record.kind === 'entry').at(-1)?.file ?? '';
    const bytes = fs.contentOf(`${FOLDER}/${file}`) ?? new Uint8Array(0);
    bytes.fill(0, bytes.findLastIndex((byte) => byte !== 0) - 9);
    fs.plant(`${FOLDER}/${file}`, bytes);
    expect((await verifyLog(fs, FOLDER)).verdicts).toMatchObject([{ kind: 'tornTail', file }]);
    expect(await repairLog({ fs, folder: FOLDER, loseAcknowledged: false })).toMatchObject({
      outcome: 'repaired',
    });
    expect(await verifyLog(fs, FOLDER)).toMatchObject({ sound: true, lastIndex: 20 });
  });

  it('acknowledged entries are not given up unless told so', async () => {
    await corruptRecord(fs, FOLDER, { index: 7, random: seededRandom(1) });
    const before = fs.paths();
    const lost = { from: 7, to: 21 };
    expect(await repairLog({ fs, folder: FOLDER, loseAcknowledged: false })).toMatchObject({
      outcome: 'refused',
      lost,
    });
    expect(fs.paths()).toEqual(before);
    expect(await repairLog({ fs, folder: FOLDER, loseAcknowledged: true })).toMatchObject({
      outcome: 'repaired',
      lost,
    });
    expect(await verifyLog(fs, FOLDER)).toMatchObject({
      sound: true,
      lastIndex: 6,
      lastDurableIndexKnown: 6,
    });
  });

  it('a node that still refetches is not sound, and says how far', async () => {
    await corruptRecord(fs, FOLDER, { index: 7, random: seededRandom(1) });
    const { store } = await open(fs);
    await store.close();
    expect(await verifyLog(fs, FOLDER)).toMatchObject({
      sound: false,
      lastIndex: 6,
      lastDurableIndexKnown: 20,
      verdicts: [],
    });
    expect(await repairLog({ fs, folder: FOLDER, loseAcknowledged: false })).toMatchObject({
      outcome: 'refused',
    });
  });

  it('bits flipped anywhere, 200 seeds: never served, always told', async () => {
    const whole = described((await open(fs.afterKill())).recovered).split(' ');
    for (let seed = 1; seed <= 200; seed++) {
      const disk = fs.afterKill();
      const damage = await corruptRecord(disk, FOLDER, { random: seededRandom(seed) });
      const { recovered } = await open(disk);
      const kept = recovered.entries.length;
      expect(described(recovered), `seed ${seed}`).toBe(whole.slice(0, kept).join(' '));
      expect(kept, `seed ${seed}`).toBe((damage?.index ?? 0) - 1);
      expect(recovered.verdicts, `seed ${seed}`).toMatchObject([{ kind: 'corruption', file: damage?.file }]);
      expect(recovered.lastDurableIndexKnown, `seed ${seed}`).toBe(20);
    }
  });

  it('a segment that lost its header is told of even where the snapshot covers all of it', async () => {
    const path = `${FOLDER}/${segmentName(1)}`;
    const bytes = fs.contentOf(path) ?? new Uint8Array(0);
    bytes[65] = (bytes[65] as number) ^ 8;
    fs.plant(path, bytes);
    const { sound, verdicts, lastIndex, lastDurableIndexKnown } = await verifyLog(fs, FOLDER, {
      index: 18,
      term: 4,
    });
    expect(verdicts).toMatchObject([{ kind: 'leftover', file: segmentName(1), offsetBytes: 0 }]);
    expect(verdicts[0]?.message).toContain('nothing is lost');
    expect({ sound, lastIndex, lastDurableIndexKnown }).toEqual({
      sound: false,
      lastIndex: 20,
      lastDurableIndexKnown: 20,
    });
  });

  it('there is nothing to damage in an index that is not there', async () => {
    expect(await corruptRecord(fs, FOLDER, { index: 99, random: seededRandom(1) })).toBeNull();
    expect(fs.paths()).toContain(`${FOLDER}/${segmentName(1)}`);
  });
});

describe('snapshot inspect', () => {
  it('tells a sound one from a damaged one, and where', async () => {
    const store = await SnapshotStore.open({ fs, folder: FOLDER });
    const configuration = { voters: [1], votersOutgoing: [], learners: [] };
    const writer = await store.begin({ lastIncludedIndex: 9, lastIncludedTerm: 4, configuration });
    await writer.write(new Uint8Array(600_000).fill(7));
    await writer.finish();
    const path = `${FOLDER}/${store.snapshots[0]?.name}`;
    expect(await inspectSnapshot(fs, path)).toMatchObject({
      identity: { lastIncludedIndex: 9, configuration },
      dataBlocks: 3,
      dataBytes: 600_000,
      problem: null,
    });
    const bytes = fs.contentOf(path) ?? new Uint8Array(0);
    bytes[300_000] = 8;
    fs.plant(path, bytes);
    const { dataBlocks, problem } = await inspectSnapshot(fs, path);
    expect(dataBlocks).toBe(1);
    expect(problem?.message).toContain('no whole block stands here');
    expect(problem?.offsetBytes).toBeGreaterThan(262_144);
  });
});
