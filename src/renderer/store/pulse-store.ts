// What the topology's moving parts need and the picture does not keep: each node's last two statuses, the rates
// on its links, and when the newest status arrived. Fed by the same items as the picture.
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { NodeId } from '../../../engine/raft/types.ts';
import type { ClusterItem } from '../../shared/cluster-view.ts';
import type { StatusPair } from '../model/countdown.ts';
import { type LaneTraffic, laneTraffic } from '../model/traffic.ts';
import type { ClusterFeed } from './cluster-store.ts';

export interface Pulse extends StatusPair {
  /** By peer: what this node sends. */
  lanes: ReadonlyMap<NodeId, LaneTraffic>;
}

export type PulseState = Readonly<Record<NodeId, Pulse>>;

export function createPulseStore(
  cluster: Pick<ClusterFeed, 'onItems'>,
  nowMs: () => number = () => performance.now(),
): StoreApi<PulseState> {
  const store = createStore<PulseState>(() => ({}));
  cluster.onItems((items) => {
    const next = nextPulses(store.getState(), items, nowMs());
    if (next !== store.getState()) store.setState(next, true);
  });
  return store;
}

export function nextPulses(state: PulseState, items: readonly ClusterItem[], nowMs: number): PulseState {
  let next: Record<NodeId, Pulse> | null = null;
  for (const item of items) {
    if (item.type === 'status') {
      next ??= { ...state };
      const { status } = item;
      const before = next[status.nodeId];
      const previous = before?.latest.process.pid === status.process.pid ? before.latest : null;
      const lanes = laneTraffic(
        previous === null ? new Map() : (before?.lanes ?? new Map()),
        previous,
        status,
      );
      next[status.nodeId] = { previous, latest: status, receivedAtMs: nowMs, lanes };
    } else if (item.type === 'process' && item.process.state !== 'running' && state[item.process.nodeId]) {
      next ??= { ...state };
      delete next[item.process.nodeId];
    }
  }
  return next ?? state;
}
