// A leader's book about one follower: Raft paper figure 2 (nextIndex, matchIndex) and the flow states of
// etcd's tracker. `probe` sends one message and waits for its answer, `replicate` streams ahead of the
// answers within a window, `snapshot` waits until an installation ends.
import type { NodeId } from './types.ts';

export interface WindowLimits {
  messagesMax: number;
  bytesMax: number;
}

/** Sent and unacknowledged AppendEntries: a ring of (last index, bytes). [L6] */
class Inflights {
  #lastIndexes: number[] = [];
  #bytes: number[] = [];
  #head = 0;
  #bytesTotal = 0;

  get count(): number {
    return this.#lastIndexes.length - this.#head;
  }

  get bytesTotal(): number {
    return this.#bytesTotal;
  }

  add(lastIndex: number, bytes: number): void {
    this.#lastIndexes.push(lastIndex);
    this.#bytes.push(bytes);
    this.#bytesTotal += bytes;
  }

  freeTo(index: number): void {
    while (this.#head < this.#lastIndexes.length && (this.#lastIndexes[this.#head] as number) <= index) {
      this.#bytesTotal -= this.#bytes[this.#head] as number;
      this.#head++;
    }
    // The arrays stay as short as twice the window.
    if (this.#head > 64 && this.#head * 2 > this.#lastIndexes.length) {
      this.#lastIndexes.splice(0, this.#head);
      this.#bytes.splice(0, this.#head);
      this.#head = 0;
    }
  }

  clear(): void {
    this.#lastIndexes = [];
    this.#bytes = [];
    this.#head = 0;
    this.#bytesTotal = 0;
  }
}

export class Progress {
  readonly id: NodeId;
  state: 'probe' | 'replicate' | 'snapshot' = 'probe';
  /** Highest index known to be on the follower, synced. Rises within a leader's term, but for L10. */
  matchIndex = 0;
  /** Next index to send. matchIndex < nextIndex. */
  nextIndex: number;
  /** The core's tick at which the follower was last heard from. [E8] */
  heardAtTick: number;
  /** The core's tick at which the last AppendEntries left for it. [L9] */
  sentAtTick = 0;
  /** In `probe`: a message is out and unanswered. */
  probeSent = false;
  /** Index of the snapshot being installed; only in `snapshot`. */
  pendingSnapshotIndex = 0;
  /** Newest read round that the follower has confirmed. [R2] */
  readRound = 0;
  /** Newest round that it has answered with a promise. [R5] */
  promisedRound = 0;
  readonly inflights = new Inflights();
  readonly #limits: WindowLimits;

  constructor(start: { id: NodeId; nextIndex: number; heardAtTick: number }, limits: WindowLimits) {
    this.id = start.id;
    this.nextIndex = start.nextIndex;
    this.heardAtTick = start.heardAtTick;
    this.#limits = limits;
  }

  /** May no entries be sent now? */
  get isPaused(): boolean {
    if (this.state === 'probe') return this.probeSent;
    if (this.state === 'snapshot') return true;
    return (
      this.inflights.count >= this.#limits.messagesMax || this.inflights.bytesTotal >= this.#limits.bytesMax
    );
  }

  becomeProbe(): void {
    const afterSnapshot = this.state === 'snapshot' ? this.pendingSnapshotIndex + 1 : 0;
    this.#reset('probe');
    this.nextIndex = Math.max(this.matchIndex + 1, afterSnapshot);
  }

  becomeReplicate(): void {
    this.#reset('replicate');
    this.nextIndex = this.matchIndex + 1;
  }

  becomeSnapshot(index: number): void {
    this.#reset('snapshot');
    this.pendingSnapshotIndex = index;
  }

  #reset(state: Progress['state']): void {
    this.state = state;
    this.probeSent = false;
    this.pendingSnapshotIndex = 0;
    this.inflights.clear();
  }

  /** Entries up to `lastIndex` left for the follower. */
  sent(lastIndex: number, entries: number, bytes: number): void {
    if (this.state === 'replicate') {
      if (entries > 0) {
        this.nextIndex = lastIndex + 1;
        this.inflights.add(lastIndex, bytes);
      }
    } else if (this.state === 'probe') {
      this.probeSent = true;
    }
  }

  /** The follower has everything up to `index`. True when that is news. */
  acknowledge(index: number): boolean {
    const isNews = index > this.matchIndex;
    if (isNews) {
      this.matchIndex = index;
      this.probeSent = false;
    }
    this.nextIndex = Math.max(this.nextIndex, index + 1);
    return isNews;
  }

  /** The follower's log differs at `prevLogIndex`; it may agree at `hintIndex`. False for a stale refusal. */
  refuse(prevLogIndex: number, hintIndex: number): boolean {
    if (this.state === 'replicate') {
      if (prevLogIndex <= this.matchIndex) return false;
      this.nextIndex = this.matchIndex + 1;
      return true;
    }
    if (this.nextIndex - 1 !== prevLogIndex) return false;
    // It has lost what it once acknowledged (a corrupt log). The commit index never follows it down. [L10]
    if (prevLogIndex <= this.matchIndex) this.matchIndex = Math.max(0, Math.min(prevLogIndex - 1, hintIndex));
    this.nextIndex = Math.max(Math.min(prevLogIndex, hintIndex + 1), this.matchIndex + 1);
    this.probeSent = false;
    return true;
  }
}
