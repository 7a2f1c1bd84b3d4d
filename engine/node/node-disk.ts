// A node's folder: the real file system, the layer of injected faults over it, and the log in it.
import type { DiskFault } from '../protocol/faults.ts';
import { createFaultyFileSystem } from '../storage/faulty-file-system.ts';
import { openFileLog } from '../storage/file-log-store.ts';
import { createNodeFileSystem } from '../storage/node-file-system.ts';
import type { LogStore, LogStoreError, Recovered } from '../storage/types.ts';

export interface NodeDisk {
  store: LogStore;
  recovered: Recovered;
  /** Replaces the faults in force. */
  setFaults(faults: readonly DiskFault[]): void;
  /** Drops and tears what was not synced; the process must die right after. Says what it did. */
  powerCut(seed: number): Promise<string>;
  close(): Promise<void>;
}

export interface NodeDiskOptions {
  folder: string;
  /** The log is dead; nothing after the failure was acknowledged. */
  onFatal: (error: LogStoreError) => void;
  /** Also when a fault has run out by itself. */
  onFaultsChanged: (faults: readonly DiskFault[]) => void;
}

export async function openNodeDisk({ folder, onFatal, onFaultsChanged }: NodeDiskOptions): Promise<NodeDisk> {
  const fs = createFaultyFileSystem(createNodeFileSystem(), { random: Math.random, onFaultsChanged });
  const { store, recovered } = await openFileLog({ fs, folder, onFatal });
  return {
    store,
    recovered,
    setFaults: (faults) => fs.setFaults(faults),
    powerCut: async (seed) => JSON.stringify(await fs.powerCut(seed)),
    // A hung or failed file must not keep the process from ending: everything to be kept is synced.
    close: () => store.close(),
  };
}
