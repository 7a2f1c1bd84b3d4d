// A hole in which the log's tail was replaced: what stands before the hole must not pass for the whole log.
import { expect, it } from 'vitest';
import { openFileLog } from '../../engine/storage/file-log-store.ts';
import { createMemoryFileSystem, type MemoryFileSystem } from '../../engine/storage/memory-file-system.ts';
import { segmentName } from '../../engine/storage/segment-format.ts';
import { appended, batchOf, entries } from './log-store-contract.ts';

const FOLDER = '/log';
const PATH = `${FOLDER}/${segmentName(1)}`;

function open(fs: MemoryFileSystem): ReturnType<typeof openFileLog> {
  return openFileLog({
    fs,
    folder: FOLDER,
    segmentBytes: 16_384,
    idleMarkMs: 0,
    onFatal: (error) => {
      throw error;
    },
  });
}

function endOf(fs: MemoryFileSystem): number {
  return (fs.contentOf(PATH) ?? new Uint8Array(0)).findLastIndex((byte) => byte !== 0) + 1;
}

it.each([
  ['shorter', 12],
  ['as long', 20],
])('[W8] a tail replaced inside the hole by one that is %s is missed', async (_what, lastIndex) => {
  const fs = createMemoryFileSystem();
  const { store } = await open(fs);
  await appended(
    store,
    batchOf(entries({ from: 1, to: 20 }, 2), { currentTerm: 2, votedFor: 2, commitIndex: 7 }),
  );
  const hole = endOf(fs);
  await appended(
    store,
    batchOf(entries({ from: 8, to: lastIndex }, 3), { currentTerm: 3, votedFor: 1, commitIndex: 7 }),
  );
  await appended(store, batchOf([], { currentTerm: 4, votedFor: 0, commitIndex: lastIndex }));
  const disk = fs.afterKill();
  const bytes = disk.contentOf(PATH) ?? new Uint8Array(0);
  bytes[hole + 1] = (bytes[hole + 1] ?? 0) ^ 0xff;
  disk.plant(PATH, bytes);

  const { recovered } = await open(disk);
  expect(recovered.verdicts.map(({ kind }) => kind)).toEqual(['corruption']);
  expect(recovered.hardState).toMatchObject({ currentTerm: 4, votedFor: 0 });
  // Entries 8 and on of term 3 were acknowledged, and 8 to 20 of term 2 stand in their place: no vote. [E11]
  expect(recovered.entries.at(-1)).toMatchObject({ index: 20, term: 2 });
  expect(recovered.lastDurableIndexKnown).toBe(21);
  const again = await open(disk.afterKill());
  expect(again.recovered.lastDurableIndexKnown).toBe(21);
});
