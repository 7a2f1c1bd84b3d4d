// The bytes on disk: golden files that must never change without a new version, and readers that no bytes can
// break. GOLDEN=write npx vitest run --project unit test/storage/format.test.ts writes the files anew.
import { readFile, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openFileLog } from '../../engine/storage/file-log-store.ts';
import { LogReplay } from '../../engine/storage/log-replay.ts';
import { createMemoryFileSystem, type MemoryFileSystem } from '../../engine/storage/memory-file-system.ts';
import {
  BATCH_HEAD_BYTES,
  readBatchHead,
  readSegmentHeader,
  segmentName,
  writeBatchHead,
  writeSegmentHeader,
} from '../../engine/storage/segment-format.ts';
import { scanSegment } from '../../engine/storage/segment-scan.ts';
import {
  decodeHeaderBlock,
  encodeHeaderBlock,
  readBlock,
  snapshotName,
} from '../../engine/storage/snapshot-format.ts';
import { verifySnapshot } from '../../engine/storage/snapshot-reader.ts';
import { SnapshotStore } from '../../engine/storage/snapshot-store.ts';
import type { LogStore, Recovered } from '../../engine/storage/types.ts';
import { checkProperty } from './check-property.ts';
import { appended, batchOf, described, entries, entry } from './log-store-contract.ts';

const GOLDEN = new URL('golden/', import.meta.url);
const FOLDER = '/log';
const THIS_FILE = 'test/storage/format.test.ts';

function open(fs: MemoryFileSystem): Promise<{ store: LogStore; recovered: Recovered }> {
  return openFileLog({
    fs,
    folder: FOLDER,
    segmentBytes: 1024,
    idleMarkMs: 0,
    newLogId: () => Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    onFatal: (error) => {
      throw error;
    },
  });
}

async function matchesGolden(name: string, bytes: Uint8Array | null): Promise<void> {
  if (bytes === null) throw new Error(`${name} was not written`);
  if (process.env.GOLDEN === 'write') await writeFile(new URL(`${name}.golden`, GOLDEN), bytes);
  const golden = await readFile(new URL(`${name}.golden`, GOLDEN));
  expect(Buffer.from(bytes).toString('hex')).toBe(golden.toString('hex'));
}

describe('golden files', () => {
  it('[F1] the log is written byte for byte as ever', async () => {
    const fs = createMemoryFileSystem();
    const { store } = await open(fs);
    await appended(store, batchOf([], { currentTerm: 2, votedFor: 3, commitIndex: 0 }));
    await appended(
      store,
      batchOf(entries({ from: 1, to: 3 }, 2), { currentTerm: 2, votedFor: 3, commitIndex: 2 }),
    );
    await appended(
      store,
      batchOf([entry(3, 2 ** 40, 300)], { currentTerm: 2 ** 40, votedFor: 0, commitIndex: 2 }),
    );
    await appended(store, batchOf([entry(4, 2 ** 40, 300)]));
    await store.close();
    for (const sequence of [1, 2]) {
      await matchesGolden(segmentName(sequence), fs.contentOf(`${FOLDER}/${segmentName(sequence)}`));
    }
  });

  it('[F1] a log of version 1 is read', async () => {
    const fs = createMemoryFileSystem();
    for (const sequence of [1, 2]) {
      const name = segmentName(sequence);
      fs.plant(`${FOLDER}/${name}`, new Uint8Array(await readFile(new URL(`${name}.golden`, GOLDEN))));
    }
    const { store, recovered } = await open(fs);
    expect(described(recovered)).toBe(`1:2 2:2 3:${2 ** 40} 4:${2 ** 40}`);
    expect(recovered.hardState).toEqual({ currentTerm: 2 ** 40, votedFor: 0, commitIndex: 2 });
    expect(recovered.verdicts).toEqual([]);
    await store.close();
  });

  it('[F2] a snapshot is written byte for byte as ever, and read', async () => {
    const fs = createMemoryFileSystem();
    await fs.mkdir(FOLDER);
    const configuration = { voters: [1, 2, 3], votersOutgoing: [1, 2], learners: [2 ** 33] };
    const identity = { lastIncludedIndex: 2 ** 35, lastIncludedTerm: 9, configuration };
    const store = await SnapshotStore.open({ fs, folder: FOLDER });
    const writer = await store.begin(identity);
    await writer.write(Uint8Array.from({ length: 500 }, (_, at) => at & 0xff));
    await writer.finish();
    const name = snapshotName(identity);
    await matchesGolden(name, fs.contentOf(`${FOLDER}/${name}`));
    const other = createMemoryFileSystem();
    other.plant(`${FOLDER}/${name}`, new Uint8Array(await readFile(new URL(`${name}.golden`, GOLDEN))));
    expect(await verifySnapshot(other, `${FOLDER}/${name}`)).toEqual(identity);
  });
});

const u48 = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const logId = fc.uint8Array({ minLength: 8, maxLength: 8 });

describe('codecs', () => {
  it('[F3] a segment header comes back as it was written', async () => {
    await checkProperty(
      fc.property(
        fc.record({
          logId,
          sequence: u48,
          previousSequence: u48,
          previousEndBytes: u48,
          baseIndex: u48,
          baseTerm: u48,
          firstBatch: u48,
        }),
        (header) => {
          const bytes = new Uint8Array(200);
          writeSegmentHeader(bytes, header);
          expect(readSegmentHeader(bytes)).toEqual({ status: 'whole', header });
        },
      ),
      THIS_FILE,
    );
  });

  it('[F3] a batch head comes back as it was written, at any offset', async () => {
    const hardState = fc.record({ currentTerm: u48, votedFor: u48, commitIndex: u48 });
    await checkProperty(
      fc.property(
        fc.record({
          logId,
          segmentSequence: u48,
          batchSequence: u48,
          batchBytes: fc.integer({ min: BATCH_HEAD_BYTES, max: 2 ** 32 - 1 }),
          lastIndexBefore: u48,
          hardState,
          refetchIndex: u48,
        }),
        fc.integer({ min: 0, max: 50 }),
        (head, at) => {
          const bytes = new Uint8Array(at + BATCH_HEAD_BYTES);
          writeBatchHead(bytes, at, head);
          expect(readBatchHead(bytes, at)).toEqual(head);
        },
      ),
      THIS_FILE,
    );
  });

  it('[F3] a snapshot header comes back as it was written', async () => {
    const ids = fc.array(u48, { maxLength: 9 });
    const configuration = fc.record({ voters: ids, votersOutgoing: ids, learners: ids });
    await checkProperty(
      fc.property(fc.record({ lastIncludedIndex: u48, lastIncludedTerm: u48, configuration }), (identity) => {
        const block = readBlock(encodeHeaderBlock(identity), 0);
        expect(block === null ? null : decodeHeaderBlock(block)).toEqual(identity);
      }),
      THIS_FILE,
    );
  });

  it('[F4] no bytes make a reader throw or loop, and none become an entry without a CRC', async () => {
    await checkProperty(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (noise, keepPartial) => {
        const header = { logId: new Uint8Array(8), sequence: 1, previousSequence: 0, previousEndBytes: 0 };
        const replay = new LogReplay({ index: 0, term: 0 }, { index: 0, term: 0 });
        const of = { header: { ...header, baseIndex: 0, baseTerm: 0, firstBatch: 1 }, offset: 0, batch: 1 };
        const end = scanSegment(noise, { ...of, endBytes: noise.length, keepPartial }, replay);
        expect(end.endBytes).toBeLessThanOrEqual(noise.length);
        expect(replay.entries).toEqual([]);
        readSegmentHeader(noise);
        readBlock(noise, 0);
      }),
      THIS_FILE,
    );
  });

  it('[F4] a folder of noise opens or is refused, never half', async () => {
    await checkProperty(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 3 }), async (files) => {
        const fs = createMemoryFileSystem();
        await fs.mkdir(FOLDER);
        for (const [at, bytes] of files.entries()) fs.plant(`${FOLDER}/${segmentName(at + 1)}`, bytes);
        const { store, recovered } = await open(fs);
        expect(recovered.entries).toEqual([]);
        await appended(store, batchOf([entry(1)]));
        await store.close();
        const again = await open(fs.afterKill());
        expect(described(again.recovered)).toBe('1:1');
        await again.store.close();
      }),
      THIS_FILE,
    );
  });
});
