// The values that cross the border of the Raft core: entries, messages, states and events.
// Names are the Raft paper's; where a message is not in the paper, its source is named.

/** A positive integer, unique in the cluster. */
export type NodeId = number;

/** `preCandidate` asks for votes without raising its term (Raft thesis §9.6). */
export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader';

/** What an entry carries. The numbers stand on disk and on the wire. */
export const EntryKind = { command: 1, noop: 2, configuration: 3 } as const;
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind];

/**
 * One entry of the replicated log. Immutable once it has an index, but for `frame`.
 * `data` is opaque to the core.
 */
export interface Entry {
  /** From 1, without gaps. 0 while it is only proposed. */
  index: number;
  /** The term of the leader that received it. 0 while it is only proposed. */
  term: number;
  kind: EntryKind;
  data: Uint8Array;
  /**
   * The entry as it stands in the log file and on the wire, header included: the host's cache, so
   * that an entry is encoded once.
   */
  frame?: Uint8Array | undefined;
  /** Length of the frame, where that is known without making a view of it. */
  frameBytes?: number;
}

/** What must be on disk before any message that depends on it leaves: Raft paper, figure 2. */
export interface HardState {
  /** Latest term this node has seen. Never goes back. [E1] */
  currentTerm: number;
  /** Candidate that received this node's vote in `currentTerm`; 0 for none. [E3] */
  votedFor: NodeId;
  /** Highest index known committed when this was written: a hint that may lag. [C1] */
  commitIndex: number;
}

/** Where a member is: its ports for clients and for peers, `host:port`. Opaque to the core. */
export interface MemberAddress {
  id: NodeId;
  client: string;
  peer: string;
}

/** The members of the cluster, *joint* while the voters change (Raft paper §6). No voters: not known yet. [M9] */
export interface Configuration {
  voters: readonly NodeId[];
  /** The outgoing voters during joint consensus; empty otherwise. */
  votersOutgoing: readonly NodeId[];
  /** Replicated to, but neither voting nor counted (thesis §4.2.1). */
  learners: readonly NodeId[];
  /** Travels with the configuration, so that every node learns where the others are; may lack some. [M10] */
  addresses?: readonly MemberAddress[];
  /** Were members once: an id is used for one life only. [M9] */
  former?: readonly NodeId[];
}

/** How a configuration is written into the data of its entry: the host's format, like all others. */
export interface ConfigurationCodec {
  encode(configuration: Configuration): Uint8Array;
  /** Null for what cannot be read. */
  decode(data: Uint8Array): Configuration | null;
}

interface Addressed {
  from: NodeId;
  to: NodeId;
  /** The sender's `currentTerm`; for PreVote and its granted response, the term it would campaign in. */
  term: number;
}

export interface PreVote extends Addressed {
  type: 'PreVote';
  lastLogIndex: number;
  lastLogTerm: number;
  /** The sender wants no vote: it has lost its memory, and asks for the term and the members. [E14] */
  hasLostMemory?: boolean;
}

export interface PreVoteResponse extends Addressed {
  type: 'PreVoteResponse';
  voteGranted: boolean;
  /** For a sender without memory. Absent while there is nothing that a restart would still know. [E14] */
  committed?: CommittedMembers;
}

/** What was committed up to `index`, as far as members go. */
export interface CommittedMembers {
  index: number;
  configuration: Configuration;
}

export interface RequestVote extends Addressed {
  type: 'RequestVote';
  lastLogIndex: number;
  lastLogTerm: number;
  /** The leader asked for this election, so the receiver does not protect that leader (thesis §4.2.3). */
  leadershipTransfer: boolean;
}

export interface RequestVoteResponse extends Addressed {
  type: 'RequestVoteResponse';
  voteGranted: boolean;
}

export interface AppendEntries extends Addressed {
  type: 'AppendEntries';
  prevLogIndex: number;
  prevLogTerm: number;
  entries: readonly Entry[];
  leaderCommit: number;
}

/**
 * `success`: the log matches the leader's up to `matchIndex`, synced.
 * Otherwise the follower's log differs at `prevLogIndex`, and the leader may continue at or before
 * `conflictIndex`, where the follower's entry has `conflictTerm` (paper §5.3, the last paragraphs).
 */
export interface AppendEntriesResponse extends Addressed {
  type: 'AppendEntriesResponse';
  success: boolean;
  matchIndex: number;
  /** Echo of the refused `prevLogIndex`; tells a stale refusal from a current one. */
  prevLogIndex: number;
  conflictIndex: number;
  conflictTerm: number;
}

/** An AppendEntries without entries that waits for no disk; confirms the leader for reads (thesis §6.4). */
export interface Heartbeat extends Addressed {
  type: 'Heartbeat';
  leaderCommit: number;
  /** The newest quorum round for reads; 0 for none. Rises within a term. */
  readRound: number;
}

export interface HeartbeatResponse extends Addressed {
  type: 'HeartbeatResponse';
  readRound: number;
  /** The sender sticks to this leader for the smallest election timeout. Absent: it does not. [R6] */
  promise?: boolean;
}

/** A chunk of a snapshot file (paper §7, figure 13). `data` is opaque; `offset` in bytes. */
export interface InstallSnapshot extends Addressed {
  type: 'InstallSnapshot';
  lastIncludedIndex: number;
  lastIncludedTerm: number;
  configuration: Configuration;
  offset: number;
  data: Uint8Array;
  done: boolean;
  /** Size of the whole snapshot in bytes, for a progress figure. */
  totalBytes: number;
}

export interface InstallSnapshotResponse extends Addressed {
  type: 'InstallSnapshotResponse';
  lastIncludedIndex: number;
  /** Bytes received so far; the leader continues here. */
  offset: number;
  /** The snapshot is in force and synced. */
  installed: boolean;
}

/** The leader asks its successor to campaign at once (thesis §3.10). */
export interface TimeoutNow extends Addressed {
  type: 'TimeoutNow';
}

/** A follower asks the leader for a read index on behalf of its own clients (thesis §6.4). */
export interface ReadIndex extends Addressed {
  type: 'ReadIndex';
  /** Chosen by the follower, echoed in the response. */
  requestId: number;
}

export interface ReadIndexResponse extends Addressed {
  type: 'ReadIndexResponse';
  requestId: number;
  /** State applied up to here may be served; 0 when the leader could not say. */
  readIndex: number;
}

export type Message =
  | PreVote
  | PreVoteResponse
  | RequestVote
  | RequestVoteResponse
  | AppendEntries
  | AppendEntriesResponse
  | Heartbeat
  | HeartbeatResponse
  | InstallSnapshot
  | InstallSnapshotResponse
  | TimeoutNow
  | ReadIndex
  | ReadIndexResponse;

export type MessageType = Message['type'];

/**
 * What happened inside the core, for people. Carries the rule of engine/SPEC.md that was at work and,
 * where there is one, the paper's section. Never read by the core itself.
 */
export type RaftEvent =
  | {
      type: 'roleChanged';
      term: number;
      from: Role;
      to: Role;
      leaderId: NodeId;
      reason: string;
      rule: string;
    }
  | { type: 'electionStarted'; term: number; preVote: boolean; reason: string; rule: string }
  | {
      type: 'voteCast';
      term: number;
      candidate: NodeId;
      preVote: boolean;
      granted: boolean;
      reason: string;
      rule: string;
    }
  | { type: 'leaderElected'; term: number; leaderId: NodeId; votes: readonly NodeId[]; rule: string }
  | { type: 'leaderChanged'; term: number; leaderId: NodeId; rule: string }
  | { type: 'logTruncated'; term: number; fromIndex: number; toIndex: number; rule: string }
  | { type: 'quorumLost'; term: number; active: readonly NodeId[]; rule: string }
  | { type: 'transferStarted'; term: number; target: NodeId; rule: string }
  | {
      type: 'configurationChanged';
      term: number;
      /** Of the entry that holds it; 0 for the one that the node was started with. */
      index: number;
      configuration: Configuration;
      /** False: in force here, and may still be replaced. */
      committed: boolean;
      reason: string;
      rule: string;
    }
  | { type: 'transferEnded'; term: number; target: NodeId; completed: boolean; rule: string };
