// The write-ahead log on files: group commit with one write in flight, prepared segments, fatal on the first
// failed write. Opening and recovery are in file-log-store.ts and recovery.ts, the bytes in FORMAT.md.
import type { HardState } from '../raft/types.ts';
import { BatchQueue, type Group, WriteLayout } from './batch-queue.ts';
import { type FileSystem, FileSystemError, type FolderLock, joinPath } from './file-system.ts';
import type { KeptSegment } from './recovery.ts';
import {
  BATCH_HEAD_BYTES,
  SEGMENT_HEADER_BYTES,
  writeBatchHead,
  writeSegmentHeader,
} from './segment-format.ts';
import type { PreparedSegment, SegmentPool } from './segment-pool.ts';
import { SyncFigures } from './sync-figures.ts';
import { type LogBatch, type LogHealth, type LogStore, LogStoreError, type LogStoreStatus } from './types.ts';

/** Where a log stands when it is opened. */
export interface OpenedLog {
  logId: Uint8Array;
  active: PreparedSegment & { positionBytes: number; maxIndex: number };
  older: KeptSegment[];
  /** Files that a recovery put aside; removed with the first compaction of a whole log. */
  setAside: string[];
  hardState: HardState;
  firstIndex: number;
  lastIndex: number;
  lastTerm: number;
  refetchIndex: number;
  nextBatch: number;
}

export interface WriterOptions {
  fs: FileSystem;
  folder: string;
  lock: FolderLock;
  pool: SegmentPool;
  onFatal: (error: LogStoreError) => void;
  /** A write takes no more batches than fit in here, or one. */
  groupBytesMax: number;
  /** After so long without a write, an empty batch proves the last one durable; 0: never. */
  idleMarkMs: number;
  /** How often a full disk is tried again. */
  retryMs: number;
  now: () => number;
  wait: (ms: number) => Promise<void>;
}

interface Restart {
  point: { index: number; term: number };
  /** How many waiting batches are older than it. */
  batchesBefore: number;
  resolve: () => void;
}

export class LogWriter implements LogStore {
  readonly #options: WriterOptions;
  readonly #log: OpenedLog;
  readonly #queue = new BatchQueue();
  readonly #layout = new WriteLayout();
  readonly #figures = new SyncFigures();
  #state: 'open' | 'dead' | 'closed' = 'open';
  /** With everything that waits. `#log` has what was written. */
  #appended: { hardState: HardState; lastIndex: number };
  #syncedIndex: number;
  /** Lowest index that waiting batches cut the log to; Infinity when none does. */
  #truncation = Number.POSITIVE_INFINITY;
  #inFlight: Group | null = null;
  #inFlightBuffers: readonly Uint8Array[] = [];
  #inFlightBytes = 0;
  #startedAt = 0;
  #restart: Restart | null = null;
  /** Callbacks that are due, in order. */
  #due: (() => void)[] = [];
  /** Two that can find the disk full: the write in flight, and the preparation of the next segment. */
  #writeFull = false;
  #poolFull = false;
  #lastWriteAt = 0;
  /** The log ends in an empty batch. */
  #marked = true;
  #markScheduled = false;
  #idle: (() => void) | null = null;
  #syncsTotal = 0;
  #entriesSyncedTotal = 0;
  #bytesSyncedTotal = 0;

  constructor(log: OpenedLog, options: WriterOptions) {
    this.#log = log;
    this.#options = options;
    this.#appended = { hardState: log.hardState, lastIndex: log.lastIndex };
    this.#syncedIndex = log.lastIndex;
  }

  append(batch: LogBatch, onDurable: () => void): void {
    if (this.#state === 'closed') throw new Error('append on a closed log');
    if (this.#state === 'dead') return;
    const [first] = batch.entries;
    const last = batch.entries.at(-1);
    if (first !== undefined && last !== undefined) {
      this.#checkRange(first.index, last.index, batch.entries.length);
      if (first.index <= this.#appended.lastIndex) this.#cutTo(first.index - 1);
      this.#appended.lastIndex = last.index;
    }
    const hintOnly = first === undefined && !this.#changesVote(batch.hardState);
    if (batch.hardState !== null) this.#appended.hardState = batch.hardState;
    this.#queue.push(batch, hintOnly, onDurable);
    // A hint alone asks for no write; whatever else comes in this turn takes it along.
    if (hintOnly && this.#inFlight === null && this.#queue.batches === 1) queueMicrotask(() => this.#turn());
    else this.#pump();
    if (this.#due.length > 0) queueMicrotask(() => this.#deliver());
  }

  async compact(index: number): Promise<void> {
    if (index > this.#appended.lastIndex) return this.restartAt({ index, term: 0 });
    const { older, setAside } = this.#log;
    this.#log.firstIndex = Math.max(this.#log.firstIndex, index + 1);
    const keepFrom = older.findIndex((segment) => segment.maxIndex > index);
    const names = older.splice(0, keepFrom === -1 ? older.length : keepFrom).map((segment) => segment.name);
    if (this.#log.refetchIndex === 0) names.push(...setAside.splice(0));
    await this.#remove(names);
  }

  async restartAt(point: { index: number; term: number }): Promise<void> {
    if (this.#state !== 'open') return;
    if (this.#restart !== null) throw new Error('one restart of the log at a time');
    await new Promise<void>((resolve) => {
      this.#restart = { point, batchesBefore: this.#queue.batches, resolve };
      this.#appended.lastIndex = point.index;
      this.#log.firstIndex = point.index + 1;
      this.#pump();
    });
    const { older } = this.#log;
    await this.#remove(older.splice(0).map((segment) => segment.name));
  }

  markRefetched(): void {
    this.#log.refetchIndex = 0;
    // Not worth a write of its own: until the next one, a restart refetches once more.
    this.#marked = false;
    this.#scheduleMark();
  }

  health(): LogHealth {
    return {
      bytesSyncedTotal: this.#bytesSyncedTotal,
      syncInFlightMs: this.#inFlight === null ? 0 : this.#options.now() - this.#startedAt,
      noSpace: this.#writeFull || this.#poolFull,
    };
  }

  status(): LogStoreStatus {
    const { p50Ms, p99Ms } = this.#figures.percentiles();
    const { active, older, firstIndex } = this.#log;
    return {
      firstIndex,
      lastIndex: this.#appended.lastIndex,
      syncedIndex: this.#syncedIndex,
      segments: older.length + 1,
      bytes: older.reduce((sum, segment) => sum + segment.sizeBytes, active.sizeBytes),
      syncsTotal: this.#syncsTotal,
      entriesSyncedTotal: this.#entriesSyncedTotal,
      syncP50Ms: p50Ms,
      syncP99Ms: p99Ms,
      batchesQueued: this.#queue.batches,
      ...this.health(),
    };
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    if (this.#state === 'open') {
      await this.#untilIdle();
      if (!this.#marked && this.#fitsActive(0)) {
        this.#write(emptyGroup(), 0);
        await this.#untilIdle();
      }
    }
    this.#state = 'closed';
    await this.#options.pool.close();
    await this.#log.active.handle.close();
    await this.#options.lock.release();
  }

  /** There is no room for the next segment, or there is again. */
  setPoolFull(full: boolean): void {
    this.#poolFull = full;
  }

  /** The one end of a log after a failure: nothing is acknowledged any more, nothing is tried again. */
  die(error: unknown): void {
    if (this.#state !== 'open') return;
    this.#state = 'dead';
    const known = error instanceof FileSystemError;
    const message = error instanceof Error ? error.message : String(error);
    const operation = known ? error.operation : 'write';
    this.#options.onFatal(
      new LogStoreError(`the log failed: ${message}`, operation, known ? error.code : 'UNKNOWN', {
        cause: error,
      }),
    );
    this.#idle?.();
  }

  #checkRange(firstIndex: number, lastIndex: number, length: number): void {
    if (lastIndex - firstIndex !== length - 1) throw new Error('entries of a batch must be contiguous');
    if (firstIndex < 1 || firstIndex > this.#appended.lastIndex + 1) {
      throw new Error(`entry ${firstIndex} does not follow ${this.#appended.lastIndex}`);
    }
  }

  #cutTo(lastIndex: number): void {
    this.#truncation = Math.min(this.#truncation, lastIndex);
    this.#syncedIndex = Math.min(this.#syncedIndex, lastIndex);
  }

  #changesVote(hardState: HardState | null): boolean {
    if (hardState === null) return false;
    const { currentTerm, votedFor } = this.#appended.hardState;
    return hardState.currentTerm !== currentTerm || hardState.votedFor !== votedFor;
  }

  #turn(): void {
    this.#pump();
    this.#deliver();
  }

  /** Starts the next write unless one is in flight. */
  #pump(): void {
    while (this.#inFlight === null && this.#state === 'open') {
      if (this.#restart?.batchesBefore === 0) {
        this.#beginRestart(this.#restart);
        return;
      }
      if (this.#queue.batches === 0) return;
      const group = this.#queue.take(
        this.#options.groupBytesMax,
        this.#restart?.batchesBefore ?? Number.POSITIVE_INFINITY,
      );
      if (this.#restart !== null) this.#restart.batchesBefore -= group.callbacks.length;
      if (this.#queue.batches === 0) this.#truncation = Number.POSITIVE_INFINITY;
      if (group.hardState !== null) this.#log.hardState = group.hardState;
      if (!group.needsWrite) {
        for (const callback of group.callbacks) this.#due.push(callback);
        this.#marked = false;
        this.#scheduleMark();
      } else if (this.#fitsActive(group.bytes)) {
        this.#write(group, 0);
      } else {
        const { sequence, positionBytes } = this.#log.active;
        this.#rotate(group, { sequence, endBytes: positionBytes });
      }
    }
  }

  #fitsActive(groupBytes: number): boolean {
    const { active } = this.#log;
    return active.positionBytes + BATCH_HEAD_BYTES + groupBytes <= active.sizeBytes;
  }

  #beginRestart(restart: Restart): void {
    this.#restart = null;
    this.#log.lastIndex = restart.point.index;
    this.#log.lastTerm = restart.point.term;
    this.#syncedIndex = Math.min(this.#syncedIndex, restart.point.index);
    const group = emptyGroup();
    group.lastIndex = restart.point.index;
    group.lastTerm = restart.point.term;
    group.callbacks.push(restart.resolve);
    this.#rotate(group, { sequence: 0, endBytes: 0 });
  }

  /** Goes on in the next segment: at once when it is ready, else when it is. */
  #rotate(group: Group, previous: { sequence: number; endBytes: number }): void {
    this.#inFlight = group;
    this.#startedAt = this.#options.now();
    const { pool } = this.#options;
    const sizeBytesMin = SEGMENT_HEADER_BYTES + BATCH_HEAD_BYTES + group.bytes;
    const ready = pool.takeReady(sizeBytesMin);
    if (ready !== null) {
      this.#begin(ready, { group, previous });
      return;
    }
    pool.take(sizeBytesMin).then(
      (segment) => this.#begin(segment, { group, previous }),
      (error: unknown) => this.die(error),
    );
  }

  #begin(
    segment: PreparedSegment,
    { group, previous }: { group: Group; previous: { sequence: number; endBytes: number } },
  ): void {
    if (this.#state !== 'open') {
      segment.handle.close().catch(() => undefined);
      return;
    }
    const { active, older, logId, lastIndex, lastTerm, nextBatch } = this.#log;
    const { name, sequence, sizeBytes, maxIndex } = active;
    older.push({ name, sequence, sizeBytes, maxIndex });
    active.handle.close().catch((error: unknown) => this.die(error));
    this.#log.active = { ...segment, positionBytes: 0, maxIndex: 0 };
    this.#options.pool.prepare();
    this.#write(group, SEGMENT_HEADER_BYTES, {
      logId,
      sequence: segment.sequence,
      previousSequence: previous.sequence,
      previousEndBytes: previous.endBytes,
      baseIndex: lastIndex,
      baseTerm: lastTerm,
      firstBatch: nextBatch,
    });
  }

  #write(group: Group, headerBytes: number, header?: Parameters<typeof writeSegmentHeader>[1]): void {
    const log = this.#log;
    const { head, buffers } = this.#layout.lay(group.chunks, headerBytes + BATCH_HEAD_BYTES);
    if (header !== undefined) writeSegmentHeader(head, header);
    writeBatchHead(head, headerBytes, {
      logId: log.logId,
      segmentSequence: log.active.sequence,
      batchSequence: log.nextBatch,
      batchBytes: BATCH_HEAD_BYTES + group.bytes,
      lastIndexBefore: log.lastIndex,
      hardState: log.hardState,
      refetchIndex: log.refetchIndex,
    });
    log.nextBatch++;
    if (group.lastIndex !== null) {
      log.lastIndex = group.lastIndex;
      log.lastTerm = group.lastTerm;
    }
    if (group.maxIndex > log.active.maxIndex) log.active.maxIndex = group.maxIndex;
    this.#inFlight = group;
    this.#inFlightBuffers = buffers;
    this.#inFlightBytes = headerBytes + BATCH_HEAD_BYTES + group.bytes;
    this.#startedAt = this.#options.now();
    log.active.handle.writeDurable(buffers, log.active.positionBytes, this.#onWritten);
  }

  readonly #onWritten = (error: FileSystemError | null): void => {
    const group = this.#inFlight;
    if (group === null || this.#state !== 'open') return;
    if (error !== null) {
      if (error.code === 'ENOSPC') this.#writeAgainLater();
      else this.die(error);
      return;
    }
    const now = this.#options.now();
    this.#figures.record(now - this.#startedAt);
    this.#lastWriteAt = now;
    this.#writeFull = false;
    this.#log.active.positionBytes += this.#inFlightBytes;
    this.#syncsTotal++;
    this.#entriesSyncedTotal += group.entries;
    this.#bytesSyncedTotal += this.#inFlightBytes;
    if (group.lastIndex !== null) this.#syncedIndex = Math.min(group.lastIndex, this.#truncation);
    if (this.#log.refetchIndex !== 0 && this.#syncedIndex >= this.#log.refetchIndex)
      this.#log.refetchIndex = 0;
    this.#marked = group.chunks.length === 0 && group.lastIndex === null && this.#queue.batches === 0;
    this.#inFlight = null;
    this.#inFlightBuffers = [];
    // The disk gets its next write before the callbacks take their time.
    for (const callback of group.callbacks) this.#due.push(callback);
    this.#pump();
    this.#deliver();
    if (!this.#marked) this.#scheduleMark();
    if (this.#inFlight === null && this.#queue.batches === 0) this.#idle?.();
  };

  /**
   * A full disk is no failed page: nothing was taken, or a part that nobody relies on. The same bytes are
   * written anew to the same place, from memory and not from the page cache, until there is room. Until then
   * nothing is acknowledged.
   */
  #writeAgainLater(): void {
    this.#writeFull = true;
    void this.#options.wait(this.#options.retryMs).then(() => {
      if (this.#state !== 'open') return;
      const { active } = this.#log;
      active.handle.writeDurable(this.#inFlightBuffers, active.positionBytes, this.#onWritten);
    });
  }

  #deliver(): void {
    while (this.#due.length > 0) {
      const due = this.#due;
      this.#due = [];
      for (const callback of due) callback();
    }
  }

  #scheduleMark(): void {
    const { idleMarkMs, wait } = this.#options;
    if (idleMarkMs === 0 || this.#markScheduled || this.#state !== 'open') return;
    this.#markScheduled = true;
    void wait(idleMarkMs).then(() => {
      this.#markScheduled = false;
      if (this.#state !== 'open' || this.#marked) return;
      const resting = this.#inFlight === null && this.#queue.batches === 0 && this.#restart === null;
      if (resting && this.#options.now() - this.#lastWriteAt >= idleMarkMs && this.#fitsActive(0)) {
        this.#write(emptyGroup(), 0);
      } else {
        this.#scheduleMark();
      }
    });
  }

  /** Also resolves when the log dies. */
  async #untilIdle(): Promise<void> {
    while (this.#state === 'open' && (this.#inFlight !== null || this.#queue.batches > 0)) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
      this.#idle = null;
    }
  }

  /** Oldest first: should the power fail half-way, what is left is still one chain. */
  async #remove(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const { fs, folder } = this.#options;
    try {
      for (const name of names) await fs.unlink(joinPath(folder, name));
      await fs.syncFolder(folder);
    } catch (error) {
      this.die(error);
    }
  }
}

function emptyGroup(): Group {
  return {
    chunks: [],
    bytes: 0,
    entries: 0,
    hardState: null,
    needsWrite: true,
    lastIndex: null,
    lastTerm: 0,
    maxIndex: 0,
    callbacks: [],
  };
}
