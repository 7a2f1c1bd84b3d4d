// Points for the live charts, from the counters in node statuses: rates are differences of what a node counted
// between two of its own statuses, never a guess from the time they took to arrive.
import type { NodeStatus } from '../../../engine/protocol/node-status.ts';
import type { NodeId } from '../../../engine/raft/types.ts';
import type { ClusterView, RateSample } from '../../shared/cluster-view.ts';
import { leaderOf } from '../../shared/leader.ts';

interface Counters {
  pid: number;
  at: number;
  writes: number;
  reads: number;
}

export class RateSampler {
  /** Per node: the newest counters, and those at the last sample. */
  readonly #newest = new Map<NodeId, Counters>();
  readonly #sampled = new Map<NodeId, Counters>();
  #lastAt: number | null = null;

  status(status: NodeStatus): void {
    const { pid } = status.process;
    const counters = {
      pid,
      at: status.at,
      writes: status.clients.writesTotal,
      reads: status.clients.readsTotal,
    };
    this.#newest.set(status.nodeId, counters);
    // A process that starts anew counts from zero.
    if (this.#sampled.get(status.nodeId)?.pid !== pid) this.#sampled.set(status.nodeId, counters);
  }

  /** Null before there are two points to compare. */
  sample(view: ClusterView, at: number): RateSample | null {
    const lastAt = this.#lastAt;
    this.#lastAt = at;
    let writesPerSecond = 0;
    let readsPerSecond = 0;
    for (const [nodeId, newest] of this.#newest) {
      const before = this.#sampled.get(nodeId);
      this.#sampled.set(nodeId, newest);
      const seconds = before === undefined ? 0 : (newest.at - before.at) / 1000;
      if (before === undefined || seconds <= 0) continue;
      writesPerSecond += (newest.writes - before.writes) / seconds;
      readsPerSecond += (newest.reads - before.reads) / seconds;
    }
    if (lastAt === null) return null;
    const leader = leaderOf(view)?.status ?? null;
    return {
      at,
      intervalMs: at - lastAt,
      writesPerSecond,
      readsPerSecond,
      writeP50Ms: leader?.clients.writeP50Ms ?? 0,
      writeP99Ms: leader?.clients.writeP99Ms ?? 0,
      lag: (leader?.raft.progress ?? [])
        .filter(({ id }) => id !== leader?.nodeId)
        .map(({ id, lagEntries, lagMs }) => ({ nodeId: id, entries: lagEntries, ms: lagMs })),
      sync: view.nodes.flatMap(({ status }) =>
        status === null
          ? []
          : [{ nodeId: status.nodeId, p50Ms: status.disk.syncP50Ms, p99Ms: status.disk.syncP99Ms }],
      ),
    };
  }
}
