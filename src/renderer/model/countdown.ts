// The election countdown between two statuses. A node says ten times a second how long its timer has run; this
// fills the gap without inventing: while heartbeats keep resetting the timer it holds the last word.
import type { NodeStatus } from '../../../engine/protocol/node-status.ts';

export interface StatusPair {
  previous: NodeStatus | null;
  latest: NodeStatus;
  /** The window's monotonic clock when `latest` arrived, milliseconds. */
  receivedAtMs: number;
}

/** After this long without a status the countdown is no longer known. */
export const COUNTDOWN_STALE_MS = 600;

export interface Countdown {
  elapsedMs: number;
  timeoutMs: number;
  /** Left of the timeout, 1 to 0. */
  remaining: number;
  /** False while heartbeats keep resetting it: then only the next status changes it. */
  runs: boolean;
}

/** Null for a leader, which has no such timer, and for a node that has not spoken lately. */
export function countdownAt(pair: StatusPair, nowMs: number): Countdown | null {
  const { raft } = pair.latest;
  const sinceMs = Math.max(0, nowMs - pair.receivedAtMs);
  if (raft.role === 'leader' || raft.electionTimeoutMs <= 0 || sinceMs > COUNTDOWN_STALE_MS) return null;
  const held = wasReset(pair);
  const elapsedMs = Math.min(raft.electionTimeoutMs, raft.electionElapsedMs + (held ? 0 : sinceMs));
  return {
    elapsedMs,
    timeoutMs: raft.electionTimeoutMs,
    remaining: 1 - elapsedMs / raft.electionTimeoutMs,
    runs: !held && elapsedMs < raft.electionTimeoutMs,
  };
}

/** Whether something reset the timer between the two statuses: then it will probably be reset again. */
function wasReset({ previous, latest }: StatusPair): boolean {
  if (previous === null || previous.process.pid !== latest.process.pid) return false;
  const passedMs = latest.at - previous.at;
  return latest.raft.electionElapsedMs < previous.raft.electionElapsedMs + passedMs * 0.8;
}
