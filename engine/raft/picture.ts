// A look at the core, for statuses and tests.
import { assert } from './assert.ts';
import type { Core } from './core.ts';
import type { Configuration, NodeId, Role } from './types.ts';

/** Times are in ticks. */
export interface RaftPicture {
  role: Role;
  currentTerm: number;
  votedFor: NodeId;
  leaderId: NodeId;
  firstIndex: number;
  lastIndex: number;
  lastLogTerm: number;
  stableIndex: number;
  commitIndex: number;
  lastApplied: number;
  lastIncludedIndex: number;
  electionElapsedTicks: number;
  electionTimeoutTicks: number;
  votes: readonly { id: NodeId; granted: boolean }[];
  /** In force. [M1] */
  configuration: Configuration;
  /** Of its entry: while above `commitIndex` it may still be replaced. */
  configurationIndex: number;
  leadTransferee: NodeId;
  /** What is missing before this node has a vote again, both ends included; `to` 0 while unknown. [E11] [E14] */
  refetching: { from: number; to: number } | null;
  progress: readonly {
    id: NodeId;
    state: 'probe' | 'replicate' | 'snapshot';
    matchIndex: number;
    nextIndex: number;
    inflightMessages: number;
    inflightBytes: number;
    recentActive: boolean;
  }[];
}

export function pictureOf(core: Core): RaftPicture {
  const { log } = core;
  assert(log.lastApplied <= log.commitIndex, 'applied beyond the commit');
  return {
    role: core.role,
    currentTerm: core.currentTerm,
    votedFor: core.votedFor,
    leaderId: core.leaderId,
    firstIndex: log.firstIndex,
    lastIndex: log.lastIndex,
    lastLogTerm: log.lastTerm,
    stableIndex: log.stableIndex,
    commitIndex: log.commitIndex,
    lastApplied: log.lastApplied,
    lastIncludedIndex: log.lastIncludedIndex,
    electionElapsedTicks: core.electionElapsedTicks,
    electionTimeoutTicks: core.electionTimeoutTicks,
    votes: [...core.votes].map(([id, granted]) => ({ id, granted })),
    configuration: core.configuration,
    configurationIndex: core.configurations.latestIndex,
    leadTransferee: core.leadTransferee,
    refetching: core.isRefetching
      ? { from: log.stableIndex + 1, to: Math.max(core.refetchIndex, core.rejoin?.goalIndex ?? 0) }
      : null,
    progress: [...core.progress.values()].map((progress) => ({
      id: progress.id,
      state: progress.state,
      matchIndex: progress.matchIndex,
      nextIndex: progress.nextIndex,
      inflightMessages: progress.inflights.count,
      inflightBytes: progress.inflights.bytesTotal,
      recentActive: core.isActive(progress),
    })),
  };
}
