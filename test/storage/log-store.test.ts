// The contract suite on every log store: in memory, on files in memory, on files of this machine.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { openFileLog } from '../../engine/storage/file-log-store.ts';
import type { FileSystem } from '../../engine/storage/file-system.ts';
import { createMemoryFileSystem } from '../../engine/storage/memory-file-system.ts';
import { type MemoryLogStore, openMemoryLog } from '../../engine/storage/memory-log-store.ts';
import { createNodeFileSystem } from '../../engine/storage/node-file-system.ts';
import type { Recovered } from '../../engine/storage/types.ts';
import { type LogPlace, logStoreContract } from './log-store-contract.ts';

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

function placeOn(fs: FileSystem, folder: string, segmentBytes: number): LogPlace {
  return {
    open: (snapshot) =>
      openFileLog({
        fs,
        folder,
        segmentBytes,
        onFatal: (error) => {
          throw error;
        },
        ...(snapshot === undefined ? {} : { snapshot: { ...snapshot, configuration: null } }),
      }),
  };
}

logStoreContract('in memory', async () => {
  let last: MemoryLogStore | null = null;
  return {
    open: async (snapshot) => {
      let recovered: Recovered | undefined = last?.durable();
      if (recovered !== undefined && snapshot !== undefined) {
        // The memory store forgets what is compacted; a snapshot given here is the one it was told of.
        recovered = { ...recovered, lastIncludedIndex: snapshot.index, lastIncludedTerm: snapshot.term };
      }
      const opened = openMemoryLog({ recovered });
      last = opened.store;
      return opened;
    },
  };
});

for (const segmentBytes of [1024, 1024 * 1024]) {
  logStoreContract(`files in memory, segments of ${segmentBytes} bytes`, async () =>
    placeOn(createMemoryFileSystem(), '/log', segmentBytes),
  );
}

for (const durableWrite of ['dsync', 'fdatasync'] as const) {
  logStoreContract(`files on disk, ${durableWrite}`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quorumlab-log-'));
    folders.push(folder);
    return placeOn(createNodeFileSystem({ durableWrite }), join(folder, 'log'), 4096);
  });
}
