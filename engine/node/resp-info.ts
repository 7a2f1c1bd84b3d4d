// The text of INFO. Fields keep Redis's names where they mean the same; what does not exist here is left out.
import { VERSION } from '../protocol/version.ts';
import type { RespNode } from './resp-node.ts';
import { REDIS_VERSION } from './resp-settings.ts';

type Fields = Record<string, string | number>;

function human(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  const units = ['K', 'M', 'G', 'T'];
  let value = bytes;
  let unit = -1;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(2)}${units[unit]}`;
}

const SECTIONS: Readonly<Record<string, (node: RespNode) => Fields>> = {
  Server(node) {
    const uptime = Math.floor((Date.now() - node.startedAt) / 1000);
    return {
      redis_version: REDIS_VERSION,
      redis_mode: 'standalone',
      quorumlab_version: VERSION,
      os: `${process.platform} ${process.arch}`,
      arch_bits: 64,
      multiplexing_api: 'libuv',
      node_version: process.version,
      process_id: process.pid,
      run_id: node.runId,
      tcp_port: node.config.client.port,
      server_time_usec: Math.floor((performance.timeOrigin + performance.now()) * 1000),
      uptime_in_seconds: uptime,
      uptime_in_days: Math.floor(uptime / 86_400),
    };
  },
  Clients(node) {
    const { connections, heldBytes } = node.clientStatus();
    let watching = 0;
    for (const session of node.sessions.values()) if (session.watched !== null) watching++;
    return {
      connected_clients: connections,
      maxclients: node.limits.connectionsMax,
      resp_clients: node.sessions.size,
      clients_in_transaction: [...node.sessions.values()].filter((session) => session.transaction !== null)
        .length,
      watching_clients: watching,
      client_held_bytes: heldBytes,
    };
  },
  Memory(node) {
    const { rss, heapUsed, heapTotal, arrayBuffers } = process.memoryUsage();
    return {
      used_memory: heapUsed + arrayBuffers,
      used_memory_human: human(heapUsed + arrayBuffers),
      used_memory_rss: rss,
      used_memory_rss_human: human(rss),
      used_memory_dataset: node.keyspace.status().bytes,
      heap_total: heapTotal,
      maxmemory: 0,
      maxmemory_human: '0B',
      maxmemory_policy: 'noeviction',
    };
  },
  Persistence(node) {
    const { disk, raft } = node.status();
    const snapshot = disk.snapshots[disk.snapshots.length - 1];
    return {
      loading: 0,
      aof_enabled: 1,
      aof_current_size: disk.bytes,
      rdb_bgsave_in_progress: disk.snapshotWrittenBytes === null ? 0 : 1,
      wal_segments: disk.segments,
      wal_syncs_total: disk.syncsTotal,
      wal_sync_p50_ms: disk.syncP50Ms.toFixed(3),
      wal_sync_p99_ms: disk.syncP99Ms.toFixed(3),
      snapshots: disk.snapshots.length,
      last_snapshot_index: snapshot === undefined ? 0 : raft.lastIncludedIndex,
    };
  },
  Stats(node) {
    const { acceptedTotal, refusedTotal, slowReadersCutTotal } = node.clientStatus();
    const base = node.statsResetAt;
    const now = node.snapshotOfStats();
    return {
      total_connections_received: acceptedTotal,
      total_commands_processed: now.commands - base.commands,
      rejected_connections: refusedTotal,
      client_output_buffer_limit_disconnections: slowReadersCutTotal,
      total_reads_processed: now.reads - base.reads,
      total_writes_processed: now.writes - base.writes,
      total_error_replies: now.errors - base.errors,
    };
  },
  Replication(node) {
    const status = node.raft.status();
    const fields: Fields = { role: status.role === 'leader' ? 'master' : 'slave' };
    if (status.role === 'leader') {
      fields.connected_slaves = status.progress.length;
      for (const [at, { id, matchIndex }] of status.progress.entries()) {
        const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(node.clientAddressOf(id) ?? '') ?? [];
        fields[`slave${at}`] = `ip=${host},port=${port},state=online,offset=${matchIndex},lag=0`;
      }
    } else {
      const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(node.clientAddressOf(status.leaderId) ?? '') ?? [];
      fields.master_host = host;
      fields.master_port = port;
      fields.master_link_status = status.leaderId === 0 ? 'down' : 'up';
      fields.slave_repl_offset = status.lastApplied;
      fields.slave_read_only = 1;
      fields.connected_slaves = 0;
    }
    fields.master_replid = node.runId;
    fields.master_repl_offset = status.commitIndex;
    return fields;
  },
  CPU() {
    const { user, system } = process.cpuUsage();
    return { used_cpu_sys: (system / 1e6).toFixed(6), used_cpu_user: (user / 1e6).toFixed(6) };
  },
  Raft(node) {
    const { raft, alarms, nodeId, clusterId } = node.status();
    return {
      node_id: nodeId,
      cluster_id: clusterId,
      raft_role: raft.role,
      current_term: raft.currentTerm,
      leader_id: raft.leaderId,
      leader: node.clientAddressOf(raft.leaderId) ?? '',
      commit_index: raft.commitIndex,
      last_applied: raft.lastApplied,
      first_index: raft.firstIndex,
      last_index: raft.lastIndex,
      voters: raft.configuration.voters.join(','),
      alarms: alarms.join(','),
    };
  },
  Keyspace(node) {
    const { keys } = node.keyspace.status();
    return keys === 0 ? {} : { db0: `keys=${keys},expires=0,avg_ttl=0` };
  },
};

/** Names in any case; none of them, `default`, `all` and `everything` mean all. */
export function infoText(node: RespNode, wanted: readonly string[]): string {
  const names = new Set(wanted.map((name) => name.toLowerCase()));
  const all = names.size === 0 || ['default', 'all', 'everything'].some((name) => names.has(name));
  const sections: string[] = [];
  for (const [name, fieldsOf] of Object.entries(SECTIONS)) {
    if (!all && !names.has(name.toLowerCase())) continue;
    const lines = Object.entries(fieldsOf(node)).map(([field, value]) => `${field}:${value}\r\n`);
    sections.push(`# ${name}\r\n${lines.join('')}`);
  }
  return sections.join('\r\n');
}
