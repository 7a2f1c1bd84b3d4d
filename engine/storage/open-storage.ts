// Opens everything that a node keeps on its disk, in the only safe order: lock, snapshots, the newest sound one
// loaded, then the log behind it.
import { type FileLogOptions, openFileLog } from './file-log-store.ts';
import { type FileSystem, FileSystemError } from './file-system.ts';
import { SnapshotCorruptError, type SnapshotReader } from './snapshot-reader.ts';
import { type SnapshotOnDisk, SnapshotStore } from './snapshot-store.ts';
import { type LogStore, LogStoreError, type Recovered } from './types.ts';

export interface StorageOptions extends Omit<FileLogOptions, 'snapshot' | 'lostSnapshot' | 'lock'> {
  fs: FileSystem;
  /**
   * Builds the state from a snapshot's data, reading to its end. Called again, with an older one, when a
   * snapshot turns out corrupt on the way: it must then begin from nothing.
   */
  load: (snapshot: SnapshotOnDisk, reader: SnapshotReader) => Promise<void>;
  /** No snapshot could be loaded after one was begun: the state must be emptied. */
  reset: () => void;
}

export interface OpenedStorage {
  log: LogStore;
  snapshots: SnapshotStore;
  recovered: Recovered;
}

/** Rejects with a LogStoreError. Closing the log lets go of the folder. */
export async function openStorage(options: StorageOptions): Promise<OpenedStorage> {
  const { fs, folder } = options;
  try {
    await fs.mkdir(folder);
    const lock = await fs.lockFolder(folder);
    try {
      const snapshots = await SnapshotStore.open({ fs, folder });
      const loaded = await loadNewest(snapshots, options);
      const snapshot =
        loaded === null
          ? undefined
          : {
              index: loaded.lastIncludedIndex,
              term: loaded.lastIncludedTerm,
              configuration: loaded.configuration,
            };
      const { store, recovered } = await openFileLog({
        ...options,
        lock,
        snapshot,
        lostSnapshot: snapshots.newestCorrupt,
      });
      return {
        log: store,
        snapshots,
        recovered: { ...recovered, verdicts: [...snapshots.verdicts, ...recovered.verdicts] },
      };
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    if (!(error instanceof FileSystemError)) throw error;
    const message = `cannot open the storage: ${error.message}`;
    throw new LogStoreError(message, error.operation, error.code, { cause: error });
  }
}

async function loadNewest(snapshots: SnapshotStore, options: StorageOptions): Promise<SnapshotOnDisk | null> {
  for (const snapshot of [...snapshots.snapshots]) {
    try {
      const reader = await snapshots.read(snapshot);
      try {
        await options.load(snapshot, reader);
        if ((await reader.read()) !== null) throw new Error('the snapshot was not read to its end');
      } finally {
        await reader.close();
      }
      return snapshot;
    } catch (error) {
      if (!(error instanceof SnapshotCorruptError)) throw error;
      await snapshots.reject(snapshot, error.message);
      options.reset();
    }
  }
  return null;
}
