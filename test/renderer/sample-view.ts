// Views, processes and statuses as nodes would say them, with only what a test cares about spelled out.

import { NO_FAULTS } from '../../engine/protocol/faults.ts';
import type { FollowerProgress, LinkStatus, NodeStatus } from '../../engine/protocol/node-status.ts';
import type { NodeId } from '../../engine/raft/types.ts';
import type { ClusterItem, ClusterView, ProcessView } from '../../src/shared/cluster-view.ts';
import { initialView, reduceBatch } from '../../src/shared/reduce-batch.ts';

export const NODES: readonly NodeId[] = [1, 2, 3];
export const START = 1_800_000_000_000;

export function processOf(nodeId: NodeId, changes: Partial<ProcessView> = {}): ProcessView {
  return {
    nodeId,
    state: 'running',
    pid: 1000 + nodeId,
    clientAddress: `127.0.0.1:700${nodeId}`,
    peerAddress: `127.0.0.1:710${nodeId}`,
    dataDir: `/data/n${nodeId}`,
    restarts: 0,
    exit: null,
    at: START,
    ...changes,
  };
}

export function killed(nodeId: NodeId, at = START): ProcessView {
  return processOf(nodeId, {
    state: 'crashed',
    pid: 0,
    at,
    exit: { code: null, signal: 'SIGKILL', reason: 'killed by SIGKILL', at },
  });
}

export interface StatusChanges {
  raft?: Partial<NodeStatus['raft']>;
  disk?: Partial<NodeStatus['disk']>;
  links?: readonly LinkStatus[];
  faults?: NodeStatus['faults'];
  alarms?: NodeStatus['alarms'];
  at?: number;
  pid?: number;
}

export function statusOf(nodeId: NodeId, changes: StatusChanges = {}): NodeStatus {
  const process = processOf(nodeId);
  return {
    version: 1,
    nodeId,
    clusterId: 'sample',
    at: changes.at ?? START,
    raft: {
      role: 'follower',
      currentTerm: 4,
      votedFor: 1,
      leaderId: 1,
      firstIndex: 1,
      lastIndex: 120,
      lastLogTerm: 4,
      commitIndex: 118,
      lastApplied: 118,
      lastIncludedIndex: 0,
      electionElapsedMs: 30,
      electionTimeoutMs: 200,
      votes: [],
      configuration: { voters: NODES, votersOutgoing: [], learners: [] },
      configurationIndex: 0,
      leadTransferee: 0,
      refetching: null,
      progress: [],
      ...changes.raft,
    },
    members: [1, 2, 3].map((id) => ({
      id,
      role: 'voter',
      client: `127.0.0.1:${7000 + id}`,
      peer: `127.0.0.1:${7100 + id}`,
    })),
    disk: {
      segments: 2,
      bytes: 4096,
      syncedIndex: 120,
      syncsTotal: 10,
      entriesSyncedTotal: 120,
      syncP50Ms: 0.4,
      syncP99Ms: 1.9,
      syncInFlightMs: 0,
      snapshots: [],
      snapshotWrittenBytes: null,
      ...changes.disk,
    },
    links: changes.links ?? NODES.filter((peer) => peer !== nodeId).map((peer) => linkOf(peer)),
    clients: {
      connections: 0,
      readsTotal: 0,
      writesTotal: 0,
      errorsTotal: 0,
      redirectsTotal: 0,
      writeP50Ms: 0,
      writeP99Ms: 0,
      readP50Ms: 0,
      readP99Ms: 0,
    },
    keyspace: { keys: 3, bytes: 90, revision: 118 },
    process: {
      pid: changes.pid ?? process.pid,
      uptimeMs: 5000,
      residentBytes: 60_000_000,
      clientAddress: process.clientAddress,
      peerAddress: process.peerAddress,
      dataDir: process.dataDir,
    },
    faults: changes.faults ?? NO_FAULTS,
    alarms: changes.alarms ?? [],
  };
}

export function linkOf(peer: NodeId, changes: Partial<LinkStatus> = {}): LinkStatus {
  return {
    peer,
    connected: true,
    queuedBytes: 0,
    sent: {},
    received: {},
    entriesSent: 0,
    bytesSent: 0,
    dropped: 0,
    roundTripMs: null,
    ...changes,
  };
}

export function progressOf(id: NodeId, changes: Partial<FollowerProgress> = {}): FollowerProgress {
  return {
    id,
    state: 'replicate',
    matchIndex: 120,
    nextIndex: 121,
    inflightMessages: 0,
    inflightBytes: 0,
    recentActive: true,
    lagEntries: 0,
    lagMs: 0,
    learner: false,
    snapshot: null,
    ...changes,
  };
}

export function statusItem(nodeId: NodeId, changes: StatusChanges = {}): ClusterItem {
  return { type: 'status', status: statusOf(nodeId, changes) };
}

/** Three running nodes of which n1 leads in term 4, and then whatever happened, reduced as the window does. */
export function viewAfter(...items: readonly ClusterItem[]): ClusterView {
  return [healthyItems(), items].reduce(
    (view, batch, position) =>
      reduceBatch(view, { sequence: position + 1, at: START, dropped: 0, items: batch }),
    initialView({ clusterId: 'sample', at: START, processes: NODES.map((id) => processOf(id)) }),
  );
}

function healthyItems(): readonly ClusterItem[] {
  return [
    statusItem(1, { raft: { role: 'leader', progress: [progressOf(2), progressOf(3)] } }),
    statusItem(2),
    statusItem(3),
  ];
}
