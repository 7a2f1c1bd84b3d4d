// Puts a NodeStatus together from the parts' own figures. Runs ten times a second, never per operation.

import type { NodeFaults } from '../protocol/faults.ts';
import type { RequestId } from '../protocol/json-line.ts';
import { statusReply } from '../protocol/json-reply.ts';
import {
  type Alarm,
  type KeyspaceStatus,
  type LinkStatus,
  type MemberStatus,
  NODE_STATUS_VERSION,
  type NodeStatus,
  type RaftStatus,
} from '../protocol/node-status.ts';
import { VERSION } from '../protocol/version.ts';
import type { RaftPicture } from '../raft/picture.ts';
import type { LogStoreStatus } from '../storage/types.ts';
import type { ClientCounters } from './client-counters.ts';
import type { FollowerLag } from './follower-lag.ts';
import type { NodeConfig } from './node-config.ts';
import type { NodeSnapshots } from './node-snapshots.ts';
import { residentBytes } from './resident-memory.ts';

export interface StatusSources {
  config: NodeConfig;
  tickIntervalMs: number;
  startedAt: number;
  raft: RaftPicture;
  members: readonly MemberStatus[];
  store: LogStoreStatus;
  links: readonly LinkStatus[];
  keyspace: KeyspaceStatus;
  connections: number;
  counters: ClientCounters;
  lag: FollowerLag;
  snapshots: NodeSnapshots;
  faults: NodeFaults;
  alarms: readonly Alarm[];
  clientAddress: string;
  peerAddress: string;
}

export function buildStatus(sources: StatusSources): NodeStatus {
  const now = Date.now();
  const { config, counters } = sources;
  const { store } = sources;
  const write = counters.writeLatency.read(now);
  const read = counters.readLatency.read(now);
  return {
    version: NODE_STATUS_VERSION,
    nodeId: config.nodeId,
    clusterId: config.clusterId,
    at: now,
    raft: buildRaftStatus(sources, now),
    members: sources.members,
    disk: {
      segments: store.segments,
      bytes: store.bytes,
      syncedIndex: store.syncedIndex,
      syncsTotal: store.syncsTotal,
      entriesSyncedTotal: store.entriesSyncedTotal,
      syncP50Ms: store.syncP50Ms,
      syncP99Ms: store.syncP99Ms,
      syncInFlightMs: store.syncInFlightMs,
      snapshots: sources.snapshots.onDisk,
      snapshotWrittenBytes: sources.snapshots.writtenBytes,
    },
    links: sources.links,
    clients: {
      connections: sources.connections,
      readsTotal: counters.readsTotal,
      writesTotal: counters.writesTotal,
      errorsTotal: counters.errorsTotal,
      redirectsTotal: counters.redirectsTotal,
      writeP50Ms: write.p50Ms,
      writeP99Ms: write.p99Ms,
      readP50Ms: read.p50Ms,
      readP99Ms: read.p99Ms,
    },
    keyspace: sources.keyspace,
    process: {
      pid: process.pid,
      uptimeMs: now - sources.startedAt,
      residentBytes: residentBytes(now),
      clientAddress: sources.clientAddress,
      peerAddress: sources.peerAddress,
      dataDir: config.dataDir,
    },
    faults: sources.faults,
    alarms: sources.alarms,
  };
}

function buildRaftStatus(sources: StatusSources, now: number): RaftStatus {
  const picture = sources.raft;
  sources.lag.observe(picture, now);
  const { lastIndex } = picture;
  return {
    role: picture.role,
    currentTerm: picture.currentTerm,
    votedFor: picture.votedFor,
    leaderId: picture.leaderId,
    firstIndex: picture.firstIndex,
    lastIndex,
    lastLogTerm: picture.lastLogTerm,
    commitIndex: picture.commitIndex,
    lastApplied: picture.lastApplied,
    lastIncludedIndex: picture.lastIncludedIndex,
    electionElapsedMs: picture.electionElapsedTicks * sources.tickIntervalMs,
    electionTimeoutMs: picture.electionTimeoutTicks * sources.tickIntervalMs,
    votes: picture.votes,
    configuration: picture.configuration,
    configurationIndex: picture.configurationIndex,
    leadTransferee: picture.leadTransferee,
    refetching: picture.refetching,
    progress: picture.progress.map((follower) => ({
      ...follower,
      lagEntries: Math.max(0, lastIndex - follower.matchIndex),
      lagMs: sources.lag.lagMs(follower, lastIndex, now),
      snapshot: sources.snapshots.progressOf(follower.id),
      learner: picture.configuration.learners.includes(follower.id),
    })),
  };
}

/** What the `status` command answers: the same facts in the words of the JSON line protocol. */
export function statusReplyOf(id: RequestId, status: NodeStatus): string {
  const { raft, links, keyspace, members } = status;
  return statusReply(id, {
    version: VERSION,
    node_id: status.nodeId,
    cluster_id: status.clusterId,
    role: raft.role,
    currentTerm: raft.currentTerm,
    leader_id: raft.leaderId === 0 ? null : raft.leaderId,
    leader: members.find((member) => member.id === raft.leaderId)?.client ?? null,
    commitIndex: raft.commitIndex,
    lastApplied: raft.lastApplied,
    lastIndex: raft.lastIndex,
    keys: keyspace.keys,
    alarms: status.alarms,
    members,
    peers: links.map((link) => ({
      id: link.peer,
      address: members.find((member) => member.id === link.peer)?.peer ?? '',
      connected: link.connected,
      matchIndex: raft.progress.find((follower) => follower.id === link.peer)?.matchIndex ?? null,
    })),
  });
}
