// Statuses and processes with every field filled, for tests that care about a few of them.
import type { NodeEvent, NodeStatus } from '../../engine/protocol/node-status.ts';
import type { Role } from '../../engine/raft/types.ts';
import type { ClusterBatch, ClusterItem, ProcessState, ProcessView } from '../../src/shared/cluster-view.ts';

export function sampleProcess(
  nodeId: number,
  state: ProcessState = 'running',
  changes: Partial<ProcessView> = {},
): ProcessView {
  return {
    nodeId,
    state,
    pid: state === 'crashed' || state === 'stopped' ? 0 : 100 + nodeId,
    clientAddress: `127.0.0.1:${7000 + nodeId}`,
    peerAddress: `127.0.0.1:${7100 + nodeId}`,
    dataDir: `/data/n${nodeId}`,
    restarts: 0,
    exit: null,
    at: 1000,
    ...changes,
  };
}

export interface StatusChanges {
  at?: number;
  pid?: number;
  role?: Role;
  term?: number;
  leaderId?: number;
  writesTotal?: number;
  readsTotal?: number;
  faults?: NodeStatus['faults'];
  progress?: NodeStatus['raft']['progress'];
}

export function sampleStatus(nodeId: number, changes: StatusChanges = {}): NodeStatus {
  const { at = 1000, pid = 100 + nodeId, role = 'follower', term = 1, leaderId = 1 } = changes;
  return {
    version: 1,
    nodeId,
    clusterId: 'c',
    at,
    raft: {
      role,
      currentTerm: term,
      votedFor: 0,
      leaderId,
      firstIndex: 1,
      lastIndex: 5,
      lastLogTerm: term,
      commitIndex: 5,
      lastApplied: 5,
      lastIncludedIndex: 0,
      electionElapsedMs: 10,
      electionTimeoutMs: 200,
      votes: [],
      configuration: { voters: [1, 2, 3], votersOutgoing: [], learners: [] },
      configurationIndex: 0,
      leadTransferee: 0,
      refetching: null,
      progress: changes.progress ?? [],
    },
    members: [1, 2, 3].map((id) => ({
      id,
      role: 'voter',
      client: `127.0.0.1:${7000 + id}`,
      peer: `127.0.0.1:${7100 + id}`,
    })),
    disk: {
      segments: 1,
      bytes: 100,
      syncedIndex: 5,
      syncsTotal: 5,
      entriesSyncedTotal: 5,
      syncP50Ms: 1,
      syncP99Ms: 2,
      syncInFlightMs: 0,
      snapshots: [],
      snapshotWrittenBytes: null,
    },
    links: [],
    clients: {
      connections: 0,
      readsTotal: changes.readsTotal ?? 0,
      writesTotal: changes.writesTotal ?? 0,
      errorsTotal: 0,
      redirectsTotal: 0,
      writeP50Ms: 1.5,
      writeP99Ms: 4.5,
      readP50Ms: 1,
      readP99Ms: 1,
    },
    keyspace: { keys: 0, bytes: 0, revision: 0 },
    process: {
      pid,
      uptimeMs: 1000,
      residentBytes: 1,
      clientAddress: '127.0.0.1:1',
      peerAddress: '127.0.0.1:2',
      dataDir: '/data',
    },
    faults: changes.faults ?? { disk: [], links: [] },
    alarms: [],
  };
}

export function roleEvent(
  nodeId: number,
  change: { from: Role; to: Role; term: number; at?: number; leaderId?: number },
): NodeEvent {
  const { from, to, term, at = 1000, leaderId = to === 'leader' ? nodeId : 0 } = change;
  return {
    nodeId,
    sequence: 1,
    at,
    event: { type: 'roleChanged', from, to, term, leaderId, reason: 'a test says so', rule: 'E1' },
  };
}

export function batchOf(
  sequence: number,
  items: readonly ClusterItem[],
  changes: Partial<ClusterBatch> = {},
): ClusterBatch {
  return { sequence, at: 2000, dropped: 0, items, ...changes };
}
