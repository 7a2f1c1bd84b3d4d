// Takes snapshots of the running state: of a view that does not change, in slices, beside the loop; then lets
// the log forget what they cover. A failure changes nothing. [S1] [S9]

import type { KeyspaceView } from '../kv/key-record.ts';
import { dumpKeyspace } from '../kv/keyspace-dump.ts';
import type { Raft } from '../raft/raft.ts';
import type { SnapshotStore } from '../storage/snapshot-store.ts';
import type { LogStore } from '../storage/types.ts';

export interface SnapshotTakerOptions {
  raft: Raft;
  store: LogStore;
  snapshots: SnapshotStore;
  /** Read once, then released. */
  view: () => KeyspaceView;
  /** A snapshot is due when the log has grown by so many bytes since the last one. 0: only on demand. */
  logBytes: number;
  /** Entries kept behind the applied index, so that a follower that is a little behind needs no snapshot. */
  trailingEntries: number;
  onTaken: (taken: { index: number; sizeBytes: number; elapsedMs: number }) => void;
  onFailed: (error: unknown) => void;
}

/** One slice of work; a write passes several turns of several nodes, and waits for a slice in each. */
const SLICE_MS_MAX = 1;
/** Between two slices the loop belongs to the clients: nodes often take their snapshots at the same time. */
const REST_MS = 5;

export class SnapshotTaker {
  readonly #options: SnapshotTakerOptions;
  #running: Promise<void> | null = null;
  #bytesAtLast = 0;
  #writtenBytes = 0;

  constructor(options: SnapshotTakerOptions) {
    this.#options = options;
    this.#bytesAtLast = options.store.health().bytesSyncedTotal;
  }

  /** Bytes written of the snapshot under way; null when none is. */
  get writtenBytes(): number | null {
    return this.#running === null ? null : this.#writtenBytes;
  }

  /** Called now and then: takes one when it is due. */
  watch(): void {
    const { logBytes, store } = this.#options;
    if (logBytes === 0 || this.#running !== null) return;
    if (store.health().bytesSyncedTotal - this.#bytesAtLast >= logBytes) void this.take();
  }

  /** Resolves when it is durable and the log is cut, or when it has failed and `onFailed` has been told. Joins one under way. */
  take(): Promise<void> {
    this.#running ??= this.#take().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #take(): Promise<void> {
    const { raft, store, snapshots, onTaken, onFailed } = this.#options;
    const startedAt = performance.now();
    const point = raft.appliedPoint();
    if (point.index === 0 || snapshots.snapshots[0]?.lastIncludedIndex === point.index) return;
    this.#bytesAtLast = store.health().bytesSyncedTotal;
    this.#writtenBytes = 0;
    const view = this.#options.view();
    try {
      const { index: lastIncludedIndex, term: lastIncludedTerm, configuration } = point;
      const writer = await snapshots.begin({ lastIncludedIndex, lastIncludedTerm, configuration });
      try {
        await this.#write(view, (bytes) => writer.write(bytes));
        view.records.release();
        await writer.finish();
      } catch (error) {
        await writer.abort();
        throw error;
      }
      await this.#cutLog();
      const sizeBytes = snapshots.snapshots[0]?.sizeBytes ?? 0;
      onTaken({ index: lastIncludedIndex, sizeBytes, elapsedMs: performance.now() - startedAt });
    } catch (error) {
      onFailed(error);
    } finally {
      view.records.release();
    }
  }

  async #write(view: KeyspaceView, write: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    let sliceStartedAt = performance.now();
    for (const block of dumpKeyspace(view)) {
      this.#writtenBytes += block.length;
      await write(block);
      if (performance.now() - sliceStartedAt < SLICE_MS_MAX) continue;
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
      sliceStartedAt = performance.now();
    }
  }

  /** The log must reach back to the oldest snapshot that is kept, in case the newer one turns out corrupt. [S1] */
  async #cutLog(): Promise<void> {
    const { raft, store, snapshots, trailingEntries } = this.#options;
    const index = Math.min(snapshots.compactableIndex, raft.lastApplied - trailingEntries);
    if (index <= 0) return;
    raft.compact(index);
    await store.compact(index);
  }
}
