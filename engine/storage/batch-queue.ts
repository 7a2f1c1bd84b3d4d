// Batches that wait for the next write, and the bytes of the one in flight. Arrays side by side rather than
// an object per batch: this is the hot path of every write.
import { appendFrames } from '../protocol/frame.ts';
import type { HardState } from '../raft/types.ts';
import type { LogBatch } from './types.ts';

/** What one write takes: the batches of several `append` calls. */
export interface Group {
  /** The frames of all entries, in order: those that stand side by side in memory are one chunk. */
  chunks: readonly Uint8Array[];
  /** Of the chunks. */
  bytes: number;
  entries: number;
  /** Null when the group does not change it. */
  hardState: HardState | null;
  needsWrite: boolean;
  /** Null when the group has no entries. */
  lastIndex: number | null;
  lastTerm: number;
  /** Highest index in the group, replaced within it or not; 0 without entries. */
  maxIndex: number;
  callbacks: (() => void)[];
}

export class BatchQueue {
  #chunks: Uint8Array[] = [];
  #entries = 0;
  #callbacks: (() => void)[] = [];
  #hardStates: (HardState | null)[] = [];
  /** For each batch: how many chunks, entries and bytes the queue holds up to its end, and its last entry (0: none). */
  #chunkEnds: number[] = [];
  #entryEnds: number[] = [];
  #byteEnds: number[] = [];
  #lastIndexes: number[] = [];
  #lastTerms: number[] = [];
  #hintOnly: boolean[] = [];
  #bytes = 0;

  get batches(): number {
    return this.#callbacks.length;
  }

  /** Of all frames that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** `hintOnly`: nothing in the batch asks for a write. */
  push(batch: LogBatch, hintOnly: boolean, onDurable: () => void): void {
    this.#bytes += appendFrames(batch.entries, this.#chunks);
    this.#entries += batch.entries.length;
    this.#callbacks.push(onDurable);
    this.#hardStates.push(batch.hardState);
    this.#chunkEnds.push(this.#chunks.length);
    this.#entryEnds.push(this.#entries);
    this.#byteEnds.push(this.#bytes);
    const last = batch.entries.at(-1);
    this.#lastIndexes.push(last?.index ?? 0);
    this.#lastTerms.push(last?.term ?? 0);
    this.#hintOnly.push(hintOnly);
  }

  /** The oldest batches: at least one, at most `batchesMax`, and no more than fit into `bytesMax`. */
  take(bytesMax: number, batchesMax: number): Group {
    let count = Math.min(batchesMax, this.batches);
    while (count > 1 && (this.#byteEnds[count - 1] as number) > bytesMax) count--;
    const chunkCount = this.#chunkEnds[count - 1] ?? 0;
    const entries = this.#entryEnds[count - 1] ?? 0;
    const bytes = this.#byteEnds[count - 1] ?? 0;
    const group: Group = {
      chunks: [],
      bytes,
      entries,
      hardState: null,
      needsWrite: false,
      lastIndex: null,
      lastTerm: 0,
      maxIndex: 0,
      callbacks: [],
    };
    for (let at = 0; at < count; at++) {
      group.hardState = this.#hardStates[at] ?? group.hardState;
      if (this.#hintOnly[at] === false) group.needsWrite = true;
      const lastIndex = this.#lastIndexes[at] as number;
      if (lastIndex === 0) continue;
      group.lastIndex = lastIndex;
      group.lastTerm = this.#lastTerms[at] as number;
      // A batch's own indexes rise, so its last is its highest.
      group.maxIndex = Math.max(group.maxIndex, lastIndex);
    }
    if (count === this.batches) {
      group.chunks = this.#chunks;
      group.callbacks = this.#callbacks;
      this.#clear();
      return group;
    }
    group.chunks = this.#chunks.splice(0, chunkCount);
    group.callbacks = this.#callbacks.splice(0, count);
    this.#hardStates.splice(0, count);
    this.#lastIndexes.splice(0, count);
    this.#lastTerms.splice(0, count);
    this.#hintOnly.splice(0, count);
    this.#chunkEnds = this.#chunkEnds.slice(count).map((end) => end - chunkCount);
    this.#entryEnds = this.#entryEnds.slice(count).map((end) => end - entries);
    this.#byteEnds = this.#byteEnds.slice(count).map((end) => end - bytes);
    this.#entries -= entries;
    this.#bytes -= bytes;
    return group;
  }

  #clear(): void {
    this.#chunks = [];
    this.#entries = 0;
    this.#callbacks = [];
    this.#hardStates = [];
    this.#chunkEnds = [];
    this.#entryEnds = [];
    this.#byteEnds = [];
    this.#lastIndexes = [];
    this.#lastTerms = [];
    this.#hintOnly = [];
    this.#bytes = 0;
  }
}

/** Chunks below this are copied together; an entry of a write's buffer list costs more than such a copy. */
const COPIED_BYTES_MAX = 4096;
const STAGING_BYTES = 512 * 1024;

/**
 * Lays out one write: room for the records in front, then the chunks; small ones copied side by side, large
 * ones as they are. One write at a time: the staging room is used again by the next.
 */
export class WriteLayout {
  readonly #staging = new Uint8Array(STAGING_BYTES);

  /** The first bytes of `buffers[0]` are for the caller to fill. */
  lay(
    chunks: readonly Uint8Array[],
    headBytes: number,
  ): { head: Uint8Array; buffers: readonly Uint8Array[] } {
    let staging = this.#staging;
    const head = staging.subarray(0, headBytes);
    const buffers: Uint8Array[] = [];
    let start = 0;
    let end = headBytes;
    for (const chunk of chunks) {
      const copied = chunk.length <= COPIED_BYTES_MAX;
      if (!copied || end + chunk.length > staging.length) {
        if (end > start) buffers.push(staging.subarray(start, end));
        start = end;
      }
      if (!copied) {
        buffers.push(chunk);
        continue;
      }
      if (end + chunk.length > staging.length) {
        // A system call takes no more than some thousand buffers: beyond the standing room, borrow some.
        staging = new Uint8Array(STAGING_BYTES);
        start = 0;
        end = 0;
      }
      staging.set(chunk, end);
      end += chunk.length;
    }
    if (end > start) buffers.push(staging.subarray(start, end));
    return { head, buffers };
  }
}
