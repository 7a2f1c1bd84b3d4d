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
  /** Every whole entry after `lastIncludedIndex`, contiguous. Their `data` may share one buffer; `frame` may be absent. */
  entries: Entry[];
  /** The newest sound snapshot; index 0 when there is none. */
  lastIncludedIndex: number;
  lastIncludedTerm: number;
  configuration: Configuration | null;
  /**
   * Highest index that this node may have acknowledged. Above the last entry, entries were lost to
   * corruption: the node must neither vote nor campaign before it has refetched up to here.
   */
  lastDurableIndexKnown: number;
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

/** What is looked at many times a second: counters, no arithmetic. */
export interface LogHealth {
  /** Counted since start. */
  bytesSyncedTotal: number;
  /** How long the sync in flight has lasted, 0 when none is. A hung disk shows here. */
  syncInFlightMs: number;
  /** The disk is full: nothing is acknowledged, nothing is lost, and it clears itself when there is room. */
  noSpace: boolean;
}

export interface LogStoreStatus extends LogHealth {
  firstIndex: number;
  lastIndex: number;
  /** Everything up to here is durable. */
  syncedIndex: number;
  segments: number;
  bytes: number;
  /** Counted since start. */
  syncsTotal: number;
  entriesSyncedTotal: number;
  /** Of the latest few thousand syncs, in milliseconds; 0 before the first. */
  syncP50Ms: number;
  syncP99Ms: number;
  batchesQueued: number;
}

export interface LogStore {
  /**
   * Takes a batch; `onDurable` is called when it and all earlier batches survive a power cut, never from
   * within `append`. Callbacks come in the order of the calls. At most one sync is in flight; batches that
   * arrive meanwhile share the next one (group commit). A `hardState` that differs by `commitIndex` alone
   * asks for no write of its own: it is a hint, and rides with the next one.
   */
  append(batch: LogBatch, onDurable: () => void): void;
  /**
   * Entries up to and including `index` are covered by a durable snapshot and may be dropped. An index
   * behind the log's last one is as `restartAt` with an unknown term.
   */
  compact(index: number): Promise<void>;
  /**
   * The log, with all batches so far, is replaced by a durable snapshot that ends here (InstallSnapshot on
   * a log that does not match: Raft paper, figure 13, rule 7). The next entry is `index + 1`.
   */
  restartAt(point: { index: number; term: number }): Promise<void>;
  /** Nothing of what was lost is missing any more: `lastDurableIndexKnown` is the last index again. */
  markRefetched(): void;
  health(): LogHealth;
  /** Sorts thousands of figures: for pictures, not for every tick. */
  status(): LogStoreStatus;
  /** Waits for what is under way, then releases files. */
  close(): Promise<void>;
}

/** A write or sync that failed. The store is unusable from then on: pages are never retried. */
export class LogStoreError extends Error {
  override readonly name = 'LogStoreError';
  /** The operation that failed, as in the file-system seam: `write`, `sync`, `rename`, … */
  readonly operation: string;
  /** The operating system's code: `EIO`, `ENOSPC`, … */
  readonly code: string;

  constructor(message: string, operation: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.operation = operation;
    this.code = code;
  }
}
