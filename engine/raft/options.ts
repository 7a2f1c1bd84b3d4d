// What a core is made with. Time is counted in ticks and randomness is passed in, so that a run can be repeated.
import { assert } from './assert.ts';
import type { Configuration, ConfigurationCodec, NodeId } from './types.ts';

export interface RaftOptions {
  nodeId: NodeId;
  /** The members when neither log nor snapshot holds a configuration; without voters for a node that joins. [M1] [M9] */
  configuration: Configuration;
  configurationCodec: ConfigurationCodec;
  /** Draws the election timeout, half open: [min, max). */
  electionTimeoutTicks: readonly [min: number, max: number];
  heartbeatTicks: number;
  /** When the leader's connection breaks, the n-th surviving voter by id campaigns n times this later: no split vote. [E9] */
  leaderLostStaggerTicks: number;
  /** Entries of one AppendEntries, in bytes; a larger single entry still travels, alone. */
  messageBytesMax: number;
  /** Unacknowledged AppendEntries of one follower. [L6] */
  inflightMessagesMax: number;
  inflightBytesMax: number;
  /** Bytes of entries proposed here and not yet committed; more are refused. [L7] */
  uncommittedBytesMax: number;
  /** Bytes of committed entries handed out by one Ready. */
  committedBytesMax: number;
  /**
   * Lease reads: a clock that never stands still, not even while the process does, in ticks with fractions. Null:
   * off. All nodes of a cluster should agree: only those that have it give promises, and a majority is needed. [R5]
   */
  leaseClock: (() => number) | null;
  /** From 0 up to but not 1. */
  random: () => number;
}

export const DEFAULT_RAFT_OPTIONS = {
  electionTimeoutTicks: [15, 30],
  heartbeatTicks: 5,
  leaderLostStaggerTicks: 3,
  messageBytesMax: 1024 * 1024,
  inflightMessagesMax: 256,
  inflightBytesMax: 32 * 1024 * 1024,
  uncommittedBytesMax: 256 * 1024 * 1024,
  committedBytesMax: 4 * 1024 * 1024,
  leaseClock: null,
} as const satisfies Omit<RaftOptions, 'nodeId' | 'configuration' | 'configurationCodec' | 'random'>;

export function checkOptions(options: RaftOptions): void {
  const [min, max] = options.electionTimeoutTicks;
  assert(
    Number.isInteger(options.nodeId) && options.nodeId > 0,
    `nodeId ${options.nodeId} is no positive integer`,
  );
  assert(min >= 1 && max > min, `electionTimeoutTicks [${min}, ${max}) is empty`);
  assert(options.heartbeatTicks >= 1, 'heartbeatTicks must be 1 or more');
  assert(
    options.heartbeatTicks * 2 <= min,
    `heartbeatTicks ${options.heartbeatTicks} must be at most half of ${min}`,
  );
  assert(options.inflightMessagesMax >= 1, 'inflightMessagesMax must be 1 or more');
}
