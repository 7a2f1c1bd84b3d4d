// The log as it grows out of its records, read in the order in which they were written. Pure: no file here.
import type { Entry, EntryKind, HardState } from '../raft/types.ts';

/** What a durable snapshot stands for: the log only matters behind it. Index 0: there is none. */
export interface SnapshotPoint {
  index: number;
  term: number;
}

export class LogReplay {
  /** Entries behind `snapshot`, contiguous from `#entriesBase + 1`. */
  entries: Entry[] = [];
  lastIndex: number;
  /** Term of the entry at `lastIndex`; 0 when unknown or none. */
  lastTerm: number;
  hardState: HardState = { currentTerm: 0, votedFor: 0, commitIndex: 0 };
  refetchIndex = 0;
  /** Term of the log's own entry at the snapshot's index; 0 when it has none. */
  termAtSnapshot = 0;
  readonly #snapshot: SnapshotPoint;
  #entriesBase: number;

  constructor(snapshot: SnapshotPoint, base: { index: number; term: number }) {
    this.#snapshot = snapshot;
    this.lastIndex = base.index;
    this.lastTerm = base.term;
    this.#entriesBase = Math.max(base.index, snapshot.index);
    if (base.index === snapshot.index) this.termAtSnapshot = base.term;
  }

  /** Index before the first of `entries`. */
  get entriesBase(): number {
    return this.#entriesBase;
  }

  /** The entry at an index that the log has already replaces it and all behind it. `index <= lastIndex + 1`. */
  add(index: number, term: number, kind: EntryKind, data: Uint8Array): void {
    if (index <= this.lastIndex) this.#truncateTo(index - 1);
    this.lastIndex = index;
    this.lastTerm = term;
    if (index > this.#snapshot.index) {
      // No `frame`: it would double the objects of a start, and only what a follower lacks is ever sent again.
      this.entries.push({ index, term, kind, data });
    } else if (index === this.#snapshot.index) {
      this.termAtSnapshot = term;
    }
  }

  /** A hole that the snapshot covers: the log goes on behind `lastIndex`, whose entry is unknown. */
  resumeAt(lastIndex: number): void {
    this.entries = [];
    this.lastIndex = lastIndex;
    this.lastTerm = 0;
    this.termAtSnapshot = 0;
    this.#entriesBase = Math.max(lastIndex, this.#snapshot.index);
  }

  #truncateTo(lastIndex: number): void {
    if (lastIndex < this.#snapshot.index) this.termAtSnapshot = 0;
    const kept = Math.max(0, lastIndex - this.#entriesBase);
    if (kept < this.entries.length) this.entries.length = kept;
    // Replaced from before the oldest segment that is left: all of it lies in front of the snapshot.
    if (lastIndex < this.#entriesBase) this.#entriesBase = Math.max(lastIndex, this.#snapshot.index);
  }
}
