// /metrics in the Prometheus text format. Names follow etcd's where the meaning is the same.
import { Counter, Gauge, Registry } from 'prom-client';
import type { NodeStatus } from '../protocol/node-status.ts';
import type { NodeId } from '../raft/types.ts';
import type { ClientCounters } from './client-counters.ts';

export interface Metrics {
  read(): Promise<{ contentType: string; body: string }>;
}

/** Values are taken from the node's own counters when the page is read; nothing is measured twice. */
export function createMetrics(nodeId: NodeId, status: () => NodeStatus, counters: ClientCounters): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ node_id: String(nodeId) });
  const gauge = (name: string, help: string, read: (now: NodeStatus) => number): void => {
    new Gauge({
      name: `quorumlab_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read(status()));
      },
    });
  };
  const counter = (name: string, help: string, total: () => number): void => {
    let last = 0;
    new Counter({
      name: `quorumlab_${name}`,
      help,
      registers: [registry],
      collect() {
        const now = total();
        this.inc(Math.max(0, now - last));
        last = now;
      },
    });
  };

  gauge('server_has_leader', '1 when a leader is known', (now) => (now.raft.leaderId === 0 ? 0 : 1));
  gauge('server_is_leader', '1 when this node leads', (now) => (now.raft.role === 'leader' ? 1 : 0));
  counter(
    'server_leader_changes_seen_total',
    'Changes of the leader seen',
    () => counters.leaderChangesTotal,
  );
  counter(
    'server_proposals_committed_total',
    'Entries committed and applied',
    () => counters.entriesAppliedTotal,
  );
  counter(
    'server_proposals_failed_total',
    'Proposals that came to nothing',
    () => counters.proposalsFailedTotal,
  );
  gauge('raft_term', 'Latest term seen', (now) => now.raft.currentTerm);
  gauge('raft_commit_index', 'Highest index known committed', (now) => now.raft.commitIndex);
  gauge('raft_applied_index', 'Highest index applied', (now) => now.raft.lastApplied);
  gauge('raft_last_index', 'Last index in the log', (now) => now.raft.lastIndex);
  gauge('disk_wal_bytes', 'Bytes of log files', (now) => now.disk.bytes);
  counter('disk_wal_fsyncs_total', 'Syncs of the log', () => status().disk.syncsTotal);
  counter(
    'disk_wal_entries_synced_total',
    'Entries made durable; over the syncs, what group commit gathers',
    () => status().disk.entriesSyncedTotal,
  );
  gauge('disk_wal_fsync_duration_seconds_p50', 'Median of recent syncs', (now) => now.disk.syncP50Ms / 1000);
  gauge(
    'disk_wal_fsync_duration_seconds_p99',
    '99th percentile of recent syncs',
    (now) => now.disk.syncP99Ms / 1000,
  );
  gauge('client_connections', 'Open client connections', (now) => now.clients.connections);
  counter('client_reads_total', 'Reads served', () => counters.readsTotal);
  counter('client_writes_total', 'Writes acknowledged', () => counters.writesTotal);
  counter('client_errors_total', 'Requests answered with an error', () => counters.errorsTotal);
  gauge(
    'client_write_duration_seconds_p99',
    '99th percentile of recent writes',
    (now) => now.clients.writeP99Ms / 1000,
  );
  gauge('keyspace_keys', 'Keys stored', (now) => now.keyspace.keys);
  gauge('keyspace_bytes', 'Bytes of keys and values', (now) => now.keyspace.bytes);
  gauge('process_resident_memory_bytes', 'Resident memory', (now) => now.process.residentBytes);
  addMembers(registry, status);
  addRoundTrips(registry, status);

  return {
    read: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}

function addMembers(registry: Registry, status: () => NodeStatus): void {
  new Gauge({
    name: 'quorumlab_cluster_member',
    help: '1 for each member of the cluster, as this node knows them',
    labelNames: ['member', 'role'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { id, role } of status().members) this.set({ member: String(id), role }, 1);
    },
  });
}

function addRoundTrips(registry: Registry, status: () => NodeStatus): void {
  new Gauge({
    name: 'quorumlab_network_peer_round_trip_time_seconds',
    help: 'Smoothed round trip to a peer',
    labelNames: ['to'],
    registers: [registry],
    collect() {
      for (const link of status().links) {
        if (link.roundTripMs !== null) this.set({ to: String(link.peer) }, link.roundTripMs / 1000);
      }
    },
  });
}
