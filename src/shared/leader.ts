// Who leads, judged from what running nodes said about themselves. Never from what others say about them.
import type { ClusterView, NodeView } from './cluster-view.ts';

/** The running node that says it leads, in the highest such term; null while none does. */
export function leaderOf(view: Pick<ClusterView, 'nodes'>): NodeView | null {
  let leader: NodeView | null = null;
  for (const node of view.nodes) {
    if (node.process.state !== 'running' || node.status?.raft.role !== 'leader') continue;
    const term = leader?.status?.raft.currentTerm ?? -1;
    if (node.status.raft.currentTerm > term) leader = node;
  }
  return leader;
}
