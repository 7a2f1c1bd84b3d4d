// The state of the link between two nodes, put together from the faults that each end says it has.
import type { LinkFault } from '../../../engine/protocol/faults.ts';
import type { NodeId } from '../../../engine/raft/types.ts';
import type { NodeView } from '../../shared/cluster-view.ts';

/** One direction of a link, as the faults on both of its ends shape it. */
export interface LaneState {
  from: NodeId;
  to: NodeId;
  cut: boolean;
  /** Added to every message, milliseconds. */
  delayMs: number;
  /** Share of messages lost, 0 to 1. */
  loss: number;
}

export interface LinkState {
  /** The lower id first. */
  a: NodeId;
  b: NodeId;
  forward: LaneState;
  backward: LaneState;
  /** Faults on this link and the node that has each, for healing it. */
  faults: readonly { nodeId: NodeId; fault: LinkFault }[];
  /** The better of both ends' smoothed round trips in milliseconds, to two figures; null while neither measured one. */
  roundTripMs: number | null;
  /** Whether each end has a process that could suffer a fault, running or paused. */
  hasProcess: { a: boolean; b: boolean };
  /** Whether each end runs, so that something can flow. */
  runs: { a: boolean; b: boolean };
  /** Either end says that its connection to the other stands. */
  connected: boolean;
}

export type LinkCondition = 'whole' | 'slow' | 'halfCut' | 'cut';

/** Every unordered pair of nodes, in the order of their ids. */
export function linkStates(nodes: readonly NodeView[]): LinkState[] {
  const states: LinkState[] = [];
  nodes.forEach((left, position) => {
    for (const right of nodes.slice(position + 1)) states.push(linkState(left, right));
  });
  return states;
}

function linkState(left: NodeView, right: NodeView): LinkState {
  const a = left.process.nodeId;
  const b = right.process.nodeId;
  const faults = [
    ...left.links.filter(({ peer }) => peer === b).map((fault) => ({ nodeId: a, fault })),
    ...right.links.filter(({ peer }) => peer === a).map((fault) => ({ nodeId: b, fault })),
  ];
  const trips = [roundTrip(left, b), roundTrip(right, a)].filter((trip) => trip !== null);
  return {
    a,
    b,
    forward: laneState(a, b, faults),
    backward: laneState(b, a, faults),
    faults,
    roundTripMs: trips.length > 0 ? Number(Math.min(...trips).toPrecision(2)) : null,
    hasProcess: { a: hasProcess(left), b: hasProcess(right) },
    runs: { a: left.process.state === 'running', b: right.process.state === 'running' },
    connected: isConnected(left, b) || isConnected(right, a),
  };
}

function laneState(from: NodeId, to: NodeId, faults: LinkState['faults']): LaneState {
  const lane: LaneState = { from, to, cut: false, delayMs: 0, loss: 0 };
  for (const { nodeId, fault } of faults) {
    const away = nodeId === from ? 'outbound' : 'inbound';
    if (fault.direction !== 'both' && fault.direction !== away) continue;
    if (fault.effect.kind === 'cut') lane.cut = true;
    if (fault.effect.kind === 'delay') lane.delayMs += fault.effect.delayMs;
    if (fault.effect.kind === 'loss') lane.loss = 1 - (1 - lane.loss) * (1 - fault.effect.probability);
  }
  return lane;
}

function hasProcess({ process }: NodeView): boolean {
  return process.state === 'running' || process.state === 'paused';
}

/** `next`, with every link that did not change as the object it was in `previous`. */
export function reuseLinks(previous: readonly LinkState[], next: readonly LinkState[]): readonly LinkState[] {
  return next.map((link) => {
    const old = previous.find(({ a, b }) => a === link.a && b === link.b);
    return old !== undefined && JSON.stringify(old) === JSON.stringify(link) ? old : link;
  });
}

function isConnected(node: NodeView, peer: NodeId): boolean {
  if (node.process.state !== 'running') return false;
  return node.status?.links.some((link) => link.peer === peer && link.connected) === true;
}

/** Only a leader's heartbeats make round trips, so an old figure outlives the connection it was taken on. */
function roundTrip(node: NodeView, peer: NodeId): number | null {
  if (node.process.state !== 'running') return null;
  const link = node.status?.links.find((candidate) => candidate.peer === peer);
  return link?.connected === true ? link.roundTripMs : null;
}

export function linkCondition(link: LinkState): LinkCondition {
  if (link.forward.cut && link.backward.cut) return 'cut';
  if (link.forward.cut || link.backward.cut) return 'halfCut';
  const slow = link.forward.delayMs + link.backward.delayMs + link.forward.loss + link.backward.loss > 0;
  return slow ? 'slow' : 'whole';
}
