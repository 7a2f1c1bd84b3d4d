// What a node tells its parent process and its /status page about itself: a picture ten times a second,
// built from counters, and events at once. Plain data, versioned, structured-clone and JSON safe.
import type { Configuration, MessageType, NodeId, RaftEvent, Role } from '../raft/types.ts';
import type { NodeFaults } from './faults.ts';

export const NODE_STATUS_VERSION = 1;

export type Alarm = 'noSpace' | 'diskHung' | 'refetching' | 'noQuorum';

/** A leader's view of one follower: Raft paper figure 2, with etcd's flow states. */
export interface FollowerProgress {
  id: NodeId;
  /** `probe` sends one message and waits, `replicate` streams, `snapshot` waits for an installation. */
  state: 'probe' | 'replicate' | 'snapshot';
  matchIndex: number;
  nextIndex: number;
  inflightMessages: number;
  inflightBytes: number;
  /** Heard from within the last election timeout. */
  recentActive: boolean;
  /** Entries that the leader has and the follower has not acknowledged. */
  lagEntries: number;
  /** For how long the follower has been behind the leader's last index; 0 when it is level. */
  lagMs: number;
  learner: boolean;
  /** While a snapshot is sent to it: bytes that it has. */
  snapshot: { sentBytes: number; totalBytes: number } | null;
}

export interface DiskSnapshot {
  /** The last entry in it. */
  index: number;
  term: number;
  sizeBytes: number;
}

/** Traffic on the link to one peer, counted since this process started. */
export interface LinkStatus {
  peer: NodeId;
  /** This node's own outgoing connection to the peer stands. */
  connected: boolean;
  queuedBytes: number;
  sent: Partial<Record<MessageType, number>>;
  received: Partial<Record<MessageType, number>>;
  entriesSent: number;
  bytesSent: number;
  /** Messages thrown away: no connection, a full queue or an injected fault. */
  dropped: number;
  /** Smoothed round trip of heartbeats in milliseconds; null before the first. */
  roundTripMs: number | null;
}

export interface RaftStatus {
  role: Role;
  currentTerm: number;
  /** 0: no vote in this term. */
  votedFor: NodeId;
  /** 0: nobody leads as far as this node knows. */
  leaderId: NodeId;
  firstIndex: number;
  lastIndex: number;
  lastLogTerm: number;
  commitIndex: number;
  lastApplied: number;
  lastIncludedIndex: number;
  /** Milliseconds since the election timer was last reset, and the timeout drawn for it. */
  electionElapsedMs: number;
  electionTimeoutMs: number;
  /** While campaigning: who answered what. */
  votes: readonly { id: NodeId; granted: boolean }[];
  configuration: Configuration;
  /** Of the configuration's entry: above `commitIndex` it may still be replaced. 0: the node was started with it. */
  configurationIndex: number;
  /** The successor while leadership is being handed over, else 0. */
  leadTransferee: NodeId;
  /** Entries still missing before this node has a vote again, both ends included; `to` 0 while unknown. */
  refetching: { from: number; to: number } | null;
  progress: readonly FollowerProgress[];
}

export interface DiskStatus {
  segments: number;
  bytes: number;
  syncedIndex: number;
  syncsTotal: number;
  entriesSyncedTotal: number;
  syncP50Ms: number;
  syncP99Ms: number;
  syncInFlightMs: number;
  /** Newest first. */
  snapshots: readonly DiskSnapshot[];
  /** Bytes written of the snapshot that is being taken; null when none is. */
  snapshotWrittenBytes: number | null;
}

/** Counted since this process started. */
export interface ClientStatus {
  connections: number;
  readsTotal: number;
  writesTotal: number;
  errorsTotal: number;
  redirectsTotal: number;
  /** Acknowledged writes of about the last second: from the request's arrival to its reply, milliseconds. */
  writeP50Ms: number;
  writeP99Ms: number;
  readP50Ms: number;
  readP99Ms: number;
}

export interface ProcessStatus {
  pid: number;
  uptimeMs: number;
  residentBytes: number;
  /** `host:port` */
  clientAddress: string;
  peerAddress: string;
  dataDir: string;
}

export interface KeyspaceStatus {
  keys: number;
  /** Keys and values together. */
  bytes: number;
  /** Index of the last entry that changed a key. */
  revision: number;
}

/** A member of the cluster, as this node knows it now. */
export interface MemberStatus {
  id: NodeId;
  /** `outgoing`: still counted until the change under way is done, and gone then. */
  role: 'voter' | 'learner' | 'outgoing';
  /** `host:port` for clients and for peers; empty while nobody has told this node. */
  client: string;
  peer: string;
}

export interface NodeStatus {
  version: typeof NODE_STATUS_VERSION;
  nodeId: NodeId;
  clusterId: string;
  /** Milliseconds since the epoch, this node's clock. */
  at: number;
  raft: RaftStatus;
  /** By id. Without this node: it has left, or has not been taken in yet. */
  members: readonly MemberStatus[];
  disk: DiskStatus;
  links: readonly LinkStatus[];
  clients: ClientStatus;
  keyspace: KeyspaceStatus;
  process: ProcessStatus;
  faults: NodeFaults;
  alarms: readonly Alarm[];
}

/** Events of the host around the core. */
export type HostEvent =
  | { type: 'started'; clientAddress: string; peerAddress: string; lastIndex: number; recoveryMs: number }
  | { type: 'recovery'; message: string; lostBytes: number; rule: string }
  | { type: 'stopping'; reason: string }
  | { type: 'diskFailed'; operation: string; code: string; message: string; rule: string }
  | { type: 'snapshotTaken'; index: number; sizeBytes: number; elapsedMs: number; rule: string }
  | { type: 'snapshotInstalled'; index: number; sizeBytes: number; from: NodeId; rule: string }
  /** Nothing has changed by it. */
  | { type: 'snapshotFailed'; message: string; rule: string }
  | { type: 'alarmRaised'; alarm: Alarm; message: string }
  | { type: 'alarmCleared'; alarm: Alarm }
  | { type: 'faultsChanged'; faults: NodeFaults }
  | { type: 'peerConnected'; peer: NodeId }
  | { type: 'peerDisconnected'; peer: NodeId; reason: string }
  /** An election message left for or came from a peer; replication is only counted, in LinkStatus. */
  | { type: 'messageSent'; message: MessageType; peer: NodeId; term: number }
  | { type: 'messageReceived'; message: MessageType; peer: NodeId; term: number; granted: boolean | null };

export interface NodeEvent {
  nodeId: NodeId;
  /** Rises by one with each event of this process. */
  sequence: number;
  /** Milliseconds since the epoch with a fraction, this node's clock. */
  at: number;
  event: RaftEvent | HostEvent;
}
