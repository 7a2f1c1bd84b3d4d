// The picture of the cluster that the window draws, and the batches that change it. Plain data.
// A reducer (reduce-batch.ts) turns view + batch into the next view; live and replay share it.
import type { DiskFault, LinkFault } from '../../engine/protocol/faults.ts';
import type { NodeEvent, NodeStatus } from '../../engine/protocol/node-status.ts';
import type { NodeId } from '../../engine/raft/types.ts';
import type { ConsoleLine } from './console-line-view.ts';

/** The life of a node's process. `crashed`: it ended without being asked to. */
export type ProcessState = 'starting' | 'running' | 'paused' | 'crashed' | 'stopped';

export interface ProcessView {
  nodeId: NodeId;
  state: ProcessState;
  /** 0 while there is no process. */
  pid: number;
  clientAddress: string;
  peerAddress: string;
  dataDir: string;
  /** How often this node was started again in this session. */
  restarts: number;
  /** Why the last process ended, in words ("killed by SIGKILL", "disk failed: EIO on sync"); null while none has. */
  exit: { code: number | null; signal: string | null; reason: string; at: number } | null;
  /** Milliseconds since the epoch of the last change of `state`. */
  at: number;
}

/** Acknowledged work of one client-side second slice, as the panel's own clients saw it. */
export interface WorkloadStatus {
  running: boolean;
  ratePerSecond: number;
  valueBytes: number;
  clients: number;
  /** Share of writes, 0 to 1. */
  writeRatio: number;
  /** Since the start of this run. */
  acknowledged: number;
  failed: number;
  unknown: number;
}

/** What a client saw during a failover. All times in milliseconds since the epoch, main's clock. */
export interface FailoverGap {
  id: number;
  /** Last write that was acknowledged before. */
  lastAcknowledgedAt: number;
  /** First write that was acknowledged after; null while clients still cannot write. */
  firstAcknowledgedAt: number | null;
  gapMs: number | null;
  /**
   * Where the watch started. `acknowledgement`: at a real client's last acknowledged write. `loss`: no client
   * wrote in the quarter second before, so it started when the leader was known to be gone.
   */
  measuredFrom: 'acknowledgement' | 'loss';
  cause: string;
  fromLeader: NodeId;
  fromTerm: number;
  toLeader: NodeId | null;
  toTerm: number | null;
}

/** One point of the live charts: counters of one interval over the whole cluster. */
export interface RateSample {
  at: number;
  intervalMs: number;
  writesPerSecond: number;
  readsPerSecond: number;
  writeP50Ms: number;
  writeP99Ms: number;
  /** Per node that follows: entries and milliseconds behind the leader. */
  lag: readonly { nodeId: NodeId; entries: number; ms: number }[];
  /** Per node: sync p50 and p99. */
  sync: readonly { nodeId: NodeId; p50Ms: number; p99Ms: number }[];
}

/** How far a change of the members is, in the order in which it goes. */
export type MemberStage =
  | 'starting'
  | 'joining'
  | 'catchingUp'
  | 'promoting'
  | 'handingOver'
  | 'removing'
  | 'stopping'
  | 'done';

/** One change of the members that a person asked the panel for. */
export interface MemberChangeView {
  nodeId: NodeId;
  kind: 'add' | 'promote' | 'remove';
  /** `done`: nothing is left to show. */
  stage: MemberStage;
  /** Milliseconds since the epoch. */
  since: number;
  /** Why it stopped at `stage`, in words; null while it goes on. */
  failure: string | null;
}

export type ClusterItem =
  | { type: 'process'; process: ProcessView }
  | { type: 'status'; status: NodeStatus }
  | { type: 'event'; event: NodeEvent }
  | { type: 'sample'; sample: RateSample }
  | { type: 'workload'; workload: WorkloadStatus }
  | { type: 'failover'; failover: FailoverGap }
  /** What a watch of the console has seen; no part of the picture. `ended`: nothing follows. */
  | { type: 'watch'; watchId: number; lines: readonly ConsoleLine[]; ended: boolean }
  | { type: 'memberChange'; change: MemberChangeView }
  /** Its process has ended, and the panel has no such node any more. */
  | { type: 'nodeGone'; nodeId: NodeId }
  /** The folders were emptied and the nodes start as a new cluster: charts and failovers begin anew. */
  | { type: 'cluster'; clusterId: string; at: number }
  /** Something a person did through the panel: shown in the feed beside what the nodes say. */
  | { type: 'deed'; at: number; text: string; nodeId: NodeId | null };

export interface ClusterBatch {
  /** Rises by one; a hole means that the receiver must ask for a new picture. */
  sequence: number;
  at: number;
  /** Items thrown away since the last batch because they outran the window. */
  dropped: number;
  items: readonly ClusterItem[];
}

export type FeedItem =
  | { id: number; at: number; source: 'node'; nodeId: NodeId; event: NodeEvent['event'] }
  | { id: number; at: number; source: 'process'; nodeId: NodeId; process: ProcessView }
  | { id: number; at: number; source: 'failover'; nodeId: null; failover: FailoverGap }
  | { id: number; at: number; source: 'deed'; nodeId: NodeId | null; text: string };

export interface NodeView {
  process: ProcessView;
  /**
   * The last thing this process said; null before its first status and once the process is dead, so that no
   * dead node can be drawn as a leader. A paused node keeps it: ask leaderOf (leader.ts) who leads.
   */
  status: NodeStatus | null;
  /** What a dead process said last: for looking back at its indexes, never for who leads. Null while it lives. */
  lastWords: NodeStatus | null;
  disk: readonly DiskFault[];
  links: readonly LinkFault[];
  /** What the last start found on the disk that was not as it should be; kept until the next start. */
  recovery: readonly RecoveryNote[];
}

export interface RecoveryNote {
  at: number;
  message: string;
  lostBytes: number;
  rule: string;
}

export interface ClusterView {
  /** Sequence of the last batch in it. */
  sequence: number;
  at: number;
  clusterId: string;
  /** By id. */
  nodes: readonly NodeView[];
  /** Changes of the members under way, and those that failed until the next one of the same node. */
  changes: readonly MemberChangeView[];
  workload: WorkloadStatus;
  /** Newest last, bounded by SAMPLES_MAX. */
  samples: readonly RateSample[];
  /** Newest last, bounded by FEED_MAX. */
  feed: readonly FeedItem[];
  /** Newest last, bounded by FAILOVERS_MAX. */
  failovers: readonly FailoverGap[];
  dropped: number;
}

export const SAMPLES_MAX = 600;
export const FEED_MAX = 1000;
export const FAILOVERS_MAX = 100;
export const RECOVERY_NOTES_MAX = 20;
