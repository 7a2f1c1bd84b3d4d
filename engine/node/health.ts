// The checks behind /livez and /readyz, read off a status.
import type { NodeStatus } from '../protocol/node-status.ts';
import type { HealthCheck } from '../transport/http-pages.ts';

export interface Health {
  /** Is the process worth keeping? */
  live: readonly HealthCheck[];
  /** Can it serve requests, or send them to a leader? */
  ready: readonly HealthCheck[];
}

export function healthChecks(status: NodeStatus): Health {
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
