// The HTTP pages of a node: metrics, its status, and the checks behind /livez and /readyz, read off the status.
import type { NodeStatus } from '../protocol/node-status.ts';
import type { NodeId } from '../raft/types.ts';
import type { HealthCheck, HttpPages } from '../transport/http-pages.ts';
import type { ClientCounters } from './client-counters.ts';
import type { Metrics } from './metrics.ts';

interface Health {
  /** Is the process worth keeping? */
  live: readonly HealthCheck[];
  /** Can it serve requests, or send them to a leader? */
  ready: readonly HealthCheck[];
}

function healthChecks(status: NodeStatus): Health {
  const { alarms, raft } = status;
  const disk: HealthCheck = {
    name: 'disk',
    passed: !alarms.includes('diskHung') && !alarms.includes('noSpace'),
    message: alarms.includes('noSpace') ? 'the disk is full' : 'a sync hangs',
  };
  const leader: HealthCheck = { name: 'leader', passed: raft.leaderId !== 0, message: 'no leader is known' };
  const applied: HealthCheck = {
    name: 'applied',
    passed: raft.lastApplied === raft.commitIndex || raft.commitIndex - raft.lastApplied < 10_000,
    message: `applied up to ${raft.lastApplied}, committed up to ${raft.commitIndex}`,
  };
  return { live: [{ name: 'loop', passed: true }], ready: [leader, disk, applied] };
}

export function createPages(nodeId: NodeId, status: () => NodeStatus, counters: ClientCounters): HttpPages {
  let metrics: Promise<Metrics> | null = null;
  return {
    metrics: async () => {
      // Loaded when somebody asks: a third of what a node would load at its start is for this page.
      metrics ??= import('./metrics.ts').then(({ createMetrics }) => createMetrics(nodeId, status, counters));
      return (await metrics).read();
    },
    live: () => healthChecks(status()).live,
    ready: () => healthChecks(status()).ready,
    status,
  };
}
