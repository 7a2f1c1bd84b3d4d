// For how long each follower has been behind. The core knows indexes only; this keeps, per follower, when the
// leader's log reached the first index that the follower still lacks.
import type { RaftPicture } from '../raft/picture.ts';
import type { NodeId } from '../raft/types.ts';

/** Milestones kept: at ten a second, enough for ten minutes; beyond that the lag reads "at least". */
const MILESTONES_MAX = 6000;

export class FollowerLag {
  /** (index, at): by `at` the leader's log had grown to `index`. Rising in both. */
  #milestones: { index: number; at: number }[] = [];

  /** Called now and then, with the picture of a leader. */
  observe(picture: RaftPicture, now: number): void {
    if (picture.role !== 'leader') {
      this.#milestones = [];
      return;
    }
    const newest = this.#milestones[this.#milestones.length - 1];
    if (newest === undefined || picture.lastIndex > newest.index) {
      this.#milestones.push({ index: picture.lastIndex, at: now });
    }
    const slowest = Math.min(picture.lastIndex, ...picture.progress.map((follower) => follower.matchIndex));
    let done = 0;
    while (
      done < this.#milestones.length - 1 &&
      (this.#milestones[done] as { index: number }).index <= slowest
    )
      done++;
    done = Math.max(done, this.#milestones.length - MILESTONES_MAX);
    if (done > 0) this.#milestones.splice(0, done);
  }

  /** Milliseconds since the leader's log passed `matchIndex`; 0 for a follower that is level. */
  lagMs(follower: { id: NodeId; matchIndex: number }, lastIndex: number, now: number): number {
    if (follower.matchIndex >= lastIndex) return 0;
    const missed = this.#milestones.find((milestone) => milestone.index > follower.matchIndex);
    return missed === undefined ? 0 : Math.max(0, now - missed.at);
  }
}
