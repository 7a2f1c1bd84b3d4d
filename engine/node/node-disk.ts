// A node's folder: the real file system, the layer of injected faults over it, and the log in it.
import type { ChangeHistory } from '../kv/change-history.ts';
import type { Keyspace } from '../kv/keyspace.ts';
import type { DiskFault } from '../protocol/faults.ts';
import { entryBytes } from '../raft/log.ts';
import type { Entry } from '../raft/types.ts';
import { createFaultyFileSystem } from '../storage/faulty-file-system.ts';
import { createNodeFileSystem } from '../storage/node-file-system.ts';
import { openStorage } from '../storage/open-storage.ts';
import type { SnapshotStore } from '../storage/snapshot-store.ts';
import type { LogStore, LogStoreError, Recovered } from '../storage/types.ts';
import { forgetLoss, hasLostMemory } from './memory-mark.ts';
import { readKeyspace } from './snapshot-receiver.ts';

export interface NodeDisk {
  store: LogStore;
  snapshots: SnapshotStore;
  recovered: Recovered;
  /** Nothing of what this member once said and stored is here. [E14] */
  hasLostMemory: boolean;
  /** It has caught up. */
  forgetLoss(): void;
  /** Replaces the faults in force. */
  setFaults(faults: readonly DiskFault[]): void;
  /** Drops and tears what was not synced; the process must die right after. Says what it did. */
  powerCut(seed: number): Promise<string>;
  close(): Promise<void>;
}

export interface NodeDiskOptions {
  folder: string;
  /** See NodeConfig.wasMember. */
  wasMember: boolean;
  segmentBytes: number;
  /** Gets the newest sound snapshot's state. */
  keyspace: Keyspace;
  /** The log is dead; nothing after the failure was acknowledged. */
  onFatal: (error: LogStoreError) => void;
  /** Also when a fault has run out by itself. */
  onFaultsChanged: (faults: readonly DiskFault[]) => void;
}

export async function openNodeDisk(options: NodeDiskOptions): Promise<NodeDisk> {
  const { folder, wasMember, segmentBytes, keyspace, onFatal, onFaultsChanged } = options;
  const fs = createFaultyFileSystem(createNodeFileSystem(), { random: Math.random, onFaultsChanged });
  const lost = await hasLostMemory(fs, { folder, wasMember });
  const { log, snapshots, recovered } = await openStorage({
    fs,
    folder,
    segmentBytes,
    onFatal,
    load: async (_snapshot, reader) => keyspace.restore(await readKeyspace(reader)),
    reset: () => keyspace.reset(),
  });
  return {
    store: log,
    snapshots,
    recovered,
    hasLostMemory: lost,
    forgetLoss: () => void forgetLoss(fs, folder),
    setFaults: (faults) => fs.setFaults(faults),
    powerCut: async (seed) => JSON.stringify(await fs.powerCut(seed)),
    close: () => log.close(),
  };
}

/**
 * The history keeps nothing of entries behind which more follows, known to be committed, than it holds: it would forget
 * them again. What is not committed may be replaced, and its indexes used again.
 */
export function beginHistory(history: ChangeHistory, entries: readonly Entry[], commitIndex: number): void {
  let bytes = 0;
  for (let at = entries.length - 1; at >= 0; at--) {
    const entry = entries[at] as Entry;
    if (entry.index > commitIndex) continue;
    if (bytes > history.bytesMax) {
      history.beginAfter(entry.index);
      return;
    }
    bytes += entryBytes(entry);
  }
}
