// What the node asks of a log store. Implemented on files and in memory; both keep one contract.
import type { Configuration, Entry, HardState } from '../raft/types.ts';

/** One step's worth of persistence: all of it becomes durable together with everything before it. */
export interface LogBatch {
  /** Null when unchanged. */
  hardState: HardState | null;
  /** Contiguous and rising. The first may be at or before the log's last index: it then replaces that entry and all behind it. */
  entries: readonly Entry[];
}

/** What a node finds on its disk. */
export interface Recovered {
  hardState: HardState;
  /** Every whole entry after `lastIncludedIndex`, contiguous. Their `data` and `frame` may share one buffer. */
  entries: Entry[];
  /** The newest sound snapshot; index 0 when there is none. */
  lastIncludedIndex: number;
  lastIncludedTerm: number;
  configuration: Configuration | null;
  verdicts: RecoveryVerdict[];
}

/** What recovery had to decide, in plain words for people and in figures for programs. */
export interface RecoveryVerdict {
  kind: 'tornTail' | 'corruption' | 'snapshotCorrupt' | 'folderEmpty' | 'leftover';
  file: string;
  offsetBytes: number;
  lostBytes: number;
  message: string;
}

export interface LogStoreStatus {
  firstIndex: number;
  lastIndex: number;
  /** Everything up to here is durable. */
  syncedIndex: number;
  segments: number;
  bytes: number;
  /** Counted since start. */
  syncsTotal: number;
  entriesSyncedTotal: number;
  bytesSyncedTotal: number;
  /** Of the latest few thousand syncs, in milliseconds; 0 before the first. */
  syncP50Ms: number;
  syncP99Ms: number;
  /** How long the sync in flight has lasted, 0 when none is. A hung disk shows here. */
  syncInFlightMs: number;
  batchesQueued: number;
}

export interface LogStore {
  /**
   * Takes a batch; `onDurable` is called when it and all earlier batches survive a power cut. Callbacks
   * come in the order of the calls. At most one sync is in flight; batches that arrive meanwhile share
   * the next one (group commit).
   */
  append(batch: LogBatch, onDurable: () => void): void;
  /** Entries up to and including `index` are covered by a durable snapshot and may be dropped. */
  compact(index: number): Promise<void>;
  status(): LogStoreStatus;
  /** Waits for what is under way, then releases files. */
  close(): Promise<void>;
}

/** A write or sync that failed. The store is unusable from then on: pages are never retried. */
export class LogStoreError extends Error {
  override readonly name = 'LogStoreError';
  constructor(
    message: string,
    /** The operation that failed, as in the file-system seam: `write`, `sync`, `rename`, … */
    readonly operation: string,
    /** The operating system's code: `EIO`, `ENOSPC`, … */
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
