// ClusterView + ClusterBatch -> ClusterView: pure, bounded, and sharing whatever did not change, so that
// React can memo by reference. Live view, reconnection and replays all go through here.
import type { NodeEvent, NodeStatus } from '../../engine/protocol/node-status.ts';
import type { NodeId } from '../../engine/raft/types.ts';
import type {
  ClusterBatch,
  ClusterItem,
  ClusterView,
  FailoverGap,
  FeedItem,
  MemberChangeView,
  NodeView,
  ProcessView,
  WorkloadStatus,
} from './cluster-view.ts';
import { FAILOVERS_MAX, FEED_MAX, RECOVERY_NOTES_MAX, SAMPLES_MAX } from './cluster-view.ts';

export const IDLE_WORKLOAD: WorkloadStatus = {
  running: false,
  ratePerSecond: 0,
  valueBytes: 0,
  clients: 0,
  writeRatio: 1,
  acknowledged: 0,
  failed: 0,
  unknown: 0,
};

/** The picture before anything was said. */
export function initialView(options: {
  clusterId: string;
  at: number;
  processes: readonly ProcessView[];
}): ClusterView {
  return {
    sequence: 0,
    at: options.at,
    clusterId: options.clusterId,
    nodes: options.processes.map(nodeOf),
    changes: [],
    workload: IDLE_WORKLOAD,
    samples: [],
    feed: [],
    failovers: [],
    dropped: 0,
  };
}

/**
 * The next picture. A batch that the view already contains changes nothing; after a hole in the sequence the
 * caller asks for a whole view instead (see `follows`).
 */
export function reduceBatch(view: ClusterView, batch: ClusterBatch): ClusterView {
  if (batch.sequence <= view.sequence) return view;
  const draft: Draft = {
    clusterId: view.clusterId,
    nodes: view.nodes,
    changes: view.changes,
    workload: view.workload,
    samples: new Growing(view.samples, SAMPLES_MAX),
    failovers: view.failovers,
    feed: new Growing(view.feed, FEED_MAX),
  };
  for (const item of batch.items) applyItem(draft, item, batch.at);
  return {
    sequence: batch.sequence,
    at: batch.at,
    clusterId: draft.clusterId,
    nodes: draft.nodes,
    changes: draft.changes,
    workload: draft.workload,
    samples: draft.samples.done(),
    feed: draft.feed.done(),
    failovers: draft.failovers,
    dropped: view.dropped + batch.dropped,
  };
}

/** Whether `batch` may be reduced into `view` without having missed one. */
export function follows(view: ClusterView, batch: ClusterBatch): boolean {
  return batch.sequence <= view.sequence + 1;
}

interface Draft {
  clusterId: string;
  nodes: readonly NodeView[];
  changes: readonly MemberChangeView[];
  workload: WorkloadStatus;
  samples: Growing<ClusterView['samples'][number]>;
  failovers: readonly FailoverGap[];
  feed: Growing<FeedItem>;
}

/** A bounded list that is copied once a batch, and only when it grows. Newest last. */
class Growing<T> {
  readonly #countMax: number;
  #items: readonly T[];
  #copy: T[] | null = null;

  constructor(items: readonly T[], countMax: number) {
    this.#items = items;
    this.#countMax = countMax;
  }

  push(item: T): void {
    this.#copy ??= [...this.#items];
    this.#copy.push(item);
  }

  last(): T | undefined {
    return (this.#copy ?? this.#items).at(-1);
  }

  clear(): void {
    this.#items = [];
    this.#copy = null;
  }

  done(): readonly T[] {
    if (this.#copy === null) return this.#items;
    return this.#copy.length > this.#countMax ? this.#copy.slice(-this.#countMax) : this.#copy;
  }
}

function applyItem(draft: Draft, item: ClusterItem, batchAt: number): void {
  switch (item.type) {
    case 'process':
      applyProcess(draft, item.process);
      break;
    case 'status':
      changeNode(draft, item.status.nodeId, (node) => withStatus(node, item.status));
      break;
    case 'event': {
      const { at, nodeId, event } = item.event;
      changeNode(draft, nodeId, (node) => withEvent(node, item.event));
      feed(draft, { at, source: 'node', nodeId, event });
      break;
    }
    case 'sample':
      draft.samples.push(item.sample);
      break;
    case 'workload':
      draft.workload = item.workload;
      break;
    case 'failover':
      applyFailover(draft, item.failover, batchAt);
      break;
    case 'watch':
      break;
    case 'memberChange':
      draft.changes = [
        ...draft.changes.filter(({ nodeId }) => nodeId !== item.change.nodeId),
        ...(item.change.stage === 'done' ? [] : [item.change]),
      ];
      break;
    case 'nodeGone':
      draft.nodes = draft.nodes.filter(({ process }) => process.nodeId !== item.nodeId);
      draft.changes = draft.changes.filter(({ nodeId }) => nodeId !== item.nodeId);
      break;
    case 'cluster':
      draft.clusterId = item.clusterId;
      draft.changes = [];
      draft.failovers = [];
      draft.samples.clear();
      break;
    case 'deed':
      feed(draft, { at: item.at, source: 'deed', nodeId: item.nodeId, text: item.text });
      break;
  }
}

type Unnumbered<T> = T extends { id: number } ? Omit<T, 'id'> : never;

function feed(draft: Draft, item: Unnumbered<FeedItem>): void {
  const id = (draft.feed.last()?.id ?? 0) + 1;
  draft.feed.push({ ...item, id });
}

function changeNode(draft: Draft, nodeId: NodeId, change: (node: NodeView) => NodeView): void {
  const position = draft.nodes.findIndex((node) => node.process.nodeId === nodeId);
  const node = draft.nodes[position];
  if (node === undefined) return;
  const changed = change(node);
  if (changed !== node) draft.nodes = draft.nodes.with(position, changed);
}

function nodeOf(process: ProcessView): NodeView {
  return { process, status: null, lastWords: null, disk: [], links: [], recovery: [] };
}

function isAlive(process: ProcessView): boolean {
  return process.state === 'starting' || process.state === 'running' || process.state === 'paused';
}

function applyProcess(draft: Draft, process: ProcessView): void {
  const known = draft.nodes.find((node) => node.process.nodeId === process.nodeId);
  if (known === undefined) {
    draft.nodes = [...draft.nodes, nodeOf(process)].sort((a, b) => a.process.nodeId - b.process.nodeId);
  } else {
    changeNode(draft, process.nodeId, (node) => withProcess(node, process));
  }
  if (known?.process.state !== process.state) {
    feed(draft, { at: process.at, source: 'process', nodeId: process.nodeId, process });
  }
}

function withProcess(node: NodeView, process: ProcessView): NodeView {
  if (!isAlive(process)) {
    // Faults live in the process that suffers them, and die with it.
    const lastWords = node.status ?? node.lastWords;
    return { process, status: null, lastWords, disk: [], links: [], recovery: node.recovery };
  }
  if (node.process.pid !== process.pid || !isAlive(node.process)) return nodeOf(process);
  return { ...node, process };
}

function withStatus(node: NodeView, status: NodeStatus): NodeView {
  // A status that was under way when its process died, or that an event has overtaken, says nothing new.
  if (!isAlive(node.process) || status.process.pid !== node.process.pid) return node;
  if (node.status !== null && status.at < node.status.at) return node;
  return {
    ...node,
    status,
    disk: sameJson(node.disk, status.faults.disk) ? node.disk : status.faults.disk,
    links: sameJson(node.links, status.faults.links) ? node.links : status.faults.links,
  };
}

/** Events come at once, statuses ten times a second: what an event says about role and faults need not wait. */
function withEvent(node: NodeView, { at, event }: NodeEvent): NodeView {
  if (!isAlive(node.process)) return node;
  if (event.type === 'faultsChanged') {
    return { ...node, disk: event.faults.disk, links: event.faults.links };
  }
  if (event.type === 'recovery') {
    const { message, lostBytes, rule } = event;
    const recovery = [...node.recovery, { at, message, lostBytes, rule }].slice(-RECOVERY_NOTES_MAX);
    return { ...node, recovery };
  }
  if (node.status === null) return node;
  const { raft } = node.status;
  if (event.type === 'roleChanged' && event.term >= raft.currentTerm) {
    const changes = { role: event.to, currentTerm: event.term, leaderId: event.leaderId };
    return withRaft(node, node.status, changes, at);
  }
  if (event.type === 'leaderChanged' && event.term >= raft.currentTerm) {
    return withRaft(node, node.status, { currentTerm: event.term, leaderId: event.leaderId }, at);
  }
  return node;
}

function withRaft(
  node: NodeView,
  status: NodeStatus,
  changes: Partial<NodeStatus['raft']>,
  at: number,
): NodeView {
  const raft = { ...status.raft, ...changes };
  return { ...node, status: { ...status, at: Math.max(status.at, Math.floor(at)), raft } };
}

function applyFailover(draft: Draft, failover: FailoverGap, at: number): void {
  const position = draft.failovers.findIndex(({ id }) => id === failover.id);
  const failovers = position < 0 ? [...draft.failovers, failover] : draft.failovers.with(position, failover);
  draft.failovers = failovers.slice(-FAILOVERS_MAX);
  feed(draft, { at: failover.firstAcknowledgedAt ?? at, source: 'failover', nodeId: null, failover });
}

/** Faults are few and small, and arrive anew with each status: comparing them keeps their identity. */
function sameJson(left: unknown, right: unknown): boolean {
  return left === right || JSON.stringify(left) === JSON.stringify(right);
}
