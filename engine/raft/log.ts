// The log as the core knows it: every entry after the last snapshot, in memory, and how far each of its
// marks has come. Not the files: those are engine/storage, which is handed what stands in a Ready.
//
//   lastIncludedIndex <= lastApplied <= commitIndex <= lastIndex
//   stableIndex <= handedIndex <= lastIndex
import { assert } from './assert.ts';
import type { Entry } from './types.ts';

const HEADER_BYTES = 24;

/** Bytes of an entry on the wire and in the log file. */
export function entryBytes(entry: Entry): number {
  return entry.frameBytes ?? entry.data.length + HEADER_BYTES;
}

export interface LogStart {
  lastIncludedIndex: number;
  lastIncludedTerm: number;
  entries: readonly Entry[];
  commitIndex: number;
}

export class RaftLog {
  /** Last entry that the snapshot replaces; 0 for none. */
  lastIncludedIndex: number;
  lastIncludedTerm: number;
  /** Highest index known committed. Never goes back. [C1] */
  commitIndex: number;
  /** Highest index handed to the state machine. */
  lastApplied: number;
  /** Highest index handed to the host for persisting. */
  handedIndex: number;
  /** Highest index known durable on this node. */
  stableIndex: number;
  #entries: Entry[];

  constructor(start: LogStart) {
    this.lastIncludedIndex = start.lastIncludedIndex;
    this.lastIncludedTerm = start.lastIncludedTerm;
    this.#entries = start.entries.slice();
    this.#entries.forEach((entry, position) => {
      assert(
        entry.index === this.lastIncludedIndex + 1 + position,
        `hole in the log before index ${entry.index}`,
      );
    });
    this.handedIndex = this.lastIndex;
    this.stableIndex = this.lastIndex;
    // The hint on disk may run ahead of a log whose tail was torn; it never proves more than is there.
    this.commitIndex = Math.max(this.lastIncludedIndex, Math.min(start.commitIndex, this.lastIndex));
    this.lastApplied = this.lastIncludedIndex;
  }

  get firstIndex(): number {
    return this.lastIncludedIndex + 1;
  }

  get lastIndex(): number {
    return this.lastIncludedIndex + this.#entries.length;
  }

  get lastTerm(): number {
    const last = this.#entries[this.#entries.length - 1];
    return last === undefined ? this.lastIncludedTerm : last.term;
  }

  entryAt(index: number): Entry | undefined {
    return this.#entries[index - this.firstIndex];
  }

  /** The term at `index`, or null when it is compacted away or not there yet. Index 0 has term 0. */
  termAt(index: number): number | null {
    if (index === this.lastIncludedIndex) return this.lastIncludedTerm;
    return this.entryAt(index)?.term ?? null;
  }

  /** Appends what follows `lastIndex`. */
  append(entry: Entry): void {
    assert(entry.index === this.lastIndex + 1, `append of ${entry.index} after ${this.lastIndex}`);
    this.#entries.push(entry);
  }

  /** Removes `fromIndex` and all behind it. Committed entries are never removed. [L4] [C1] */
  truncate(fromIndex: number): void {
    assert(
      fromIndex > this.commitIndex,
      `truncation at ${fromIndex} would remove committed ${this.commitIndex}`,
    );
    this.#entries.length = fromIndex - this.firstIndex;
    this.handedIndex = Math.min(this.handedIndex, fromIndex - 1);
    this.stableIndex = Math.min(this.stableIndex, fromIndex - 1);
  }

  /** Entries from `fromIndex` on, at least one if there is one, stopping before `bytesMax` is passed. */
  slice(fromIndex: number, bytesMax: number, toIndex: number = this.lastIndex): Entry[] {
    assert(fromIndex >= this.firstIndex, `slice from ${fromIndex}, which is compacted`);
    const start = fromIndex - this.firstIndex;
    const stop = toIndex - this.firstIndex + 1;
    let bytes = 0;
    let end = start;
    while (end < stop) {
      bytes += entryBytes(this.#entries[end] as Entry);
      if (bytes > bytesMax && end > start) break;
      end++;
    }
    return this.#entries.slice(start, end);
  }

  /** Entries not yet handed out for persisting; marks them as handed. */
  takeUnhanded(): readonly Entry[] {
    if (this.handedIndex === this.lastIndex) return [];
    const entries = this.#entries.slice(this.handedIndex + 1 - this.firstIndex);
    this.handedIndex = this.lastIndex;
    return entries;
  }

  /** Committed entries not yet handed to the state machine, up to `bytesMax`; marks them as applied. [C6] */
  takeCommitted(bytesMax: number): readonly Entry[] {
    if (this.lastApplied === this.commitIndex) return [];
    const entries = this.slice(this.lastApplied + 1, bytesMax, this.commitIndex);
    this.lastApplied += entries.length;
    return entries;
  }

  /** Everything up to the entry is durable, unless a truncation has overtaken it. */
  markStable(index: number, term: number): void {
    if (this.termAt(index) === term && index > this.stableIndex) this.stableIndex = index;
  }

  commitTo(index: number): boolean {
    if (index <= this.commitIndex) return false;
    assert(index <= this.lastIndex, `commit of ${index} beyond the last index ${this.lastIndex}`);
    this.commitIndex = index;
    return true;
  }

  /** Is a log that ends like this at least as up-to-date as this one? Raft §5.4.1 [E5] */
  isUpToDate(lastLogTerm: number, lastLogIndex: number): boolean {
    return lastLogTerm > this.lastTerm || (lastLogTerm === this.lastTerm && lastLogIndex >= this.lastIndex);
  }

  /**
   * The largest index <= `index` whose term is <= `term`: the last place where a log with `term` at `index`
   * could still agree with this one. Skips whole terms instead of single entries. [L5]
   */
  findConflictByTerm(index: number, term: number): { index: number; term: number } {
    let at = Math.min(index, this.lastIndex);
    for (; at > this.lastIncludedIndex; at--) {
      const termHere = this.termAt(at) as number;
      if (termHere <= term) return { index: at, term: termHere };
    }
    return { index: this.lastIncludedIndex, term: this.lastIncludedTerm };
  }

  /** Drops entries that a snapshot covers; `index` must be applied. */
  compact(index: number): void {
    if (index <= this.lastIncludedIndex) return;
    assert(index <= this.lastApplied, `compaction up to ${index} beyond the applied ${this.lastApplied}`);
    const term = this.termAt(index) as number;
    this.#entries = this.#entries.slice(index - this.lastIncludedIndex);
    this.lastIncludedIndex = index;
    this.lastIncludedTerm = term;
    // What was committed by others may not be synced here yet; the snapshot that covers it is.
    this.stableIndex = Math.max(this.stableIndex, index);
  }

  /** Replaces everything by a snapshot that is ahead of it. */
  restore(snapshot: { index: number; term: number }): void {
    assert(
      snapshot.index > this.commitIndex,
      `snapshot ${snapshot.index} behind the commit ${this.commitIndex}`,
    );
    this.#entries = [];
    this.lastIncludedIndex = snapshot.index;
    this.lastIncludedTerm = snapshot.term;
    this.commitIndex = snapshot.index;
    this.lastApplied = snapshot.index;
    this.handedIndex = snapshot.index;
    this.stableIndex = snapshot.index;
  }
}
