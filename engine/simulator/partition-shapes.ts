// Which links a partition cuts: pure choices, as lists of directions.
import type { NodeId } from '../raft/types.ts';
import type { Random } from './random.ts';

/** Messages in this direction are lost. */
export interface CutLink {
  from: NodeId;
  to: NodeId;
}

export interface PartitionShape {
  name: string;
  cuts: CutLink[];
}

function bothWays(a: NodeId, b: NodeId): CutLink[] {
  return [
    { from: a, to: b },
    { from: b, to: a },
  ];
}

/** All links between nodes that `areApart`. */
function between(ids: readonly NodeId[], areApart: (a: number, b: number) => boolean): CutLink[] {
  const cuts: CutLink[] = [];
  for (let a = 0; a < ids.length; a++) {
    for (let b = a + 1; b < ids.length; b++) {
      if (areApart(a, b)) cuts.push(...bothWays(ids[a] as NodeId, ids[b] as NodeId));
    }
  }
  return cuts;
}

export function isolate(nodeIds: readonly NodeId[], alone: NodeId): PartitionShape {
  const cuts = nodeIds.filter((id) => id !== alone).flatMap((id) => bothWays(alone, id));
  return { name: `${nameOf(alone)} alone`, cuts };
}

/** `side` on one side, all others on the other. */
export function setApart(nodeIds: readonly NodeId[], side: readonly NodeId[]): PartitionShape {
  const others = nodeIds.filter((id) => !side.includes(id));
  const cuts = side.flatMap((id) => others.flatMap((other) => bothWays(id, other)));
  return { name: `${side.map(nameOf).join(' ')} | ${others.map(nameOf).join(' ')}`, cuts };
}

/** `leader` is 0 when nobody leads; it is singled out more often than others. */
export function drawPartition(nodeIds: readonly NodeId[], leader: NodeId, random: Random): PartitionShape {
  const order = random.shuffled(nodeIds);
  const count = order.length;
  switch (random.pick([0, 0, 1, 2, 3, 4, 5])) {
    case 0: {
      const alone = leader !== 0 && random.chance(0.6) ? leader : (order[0] as NodeId);
      return isolate(nodeIds, alone);
    }
    case 1: {
      const size = 1 + random.below(count - 1);
      const name = `${order.slice(0, size).map(nameOf).join(' ')} | ${order.slice(size).map(nameOf).join(' ')}`;
      return { name, cuts: between(order, (a, b) => a < size !== b < size) };
    }
    case 2: {
      // Two sides that only the node in the middle can see both of.
      const middle = Math.floor(count / 2);
      const name = `bridge over ${nameOf(order[middle] as NodeId)}`;
      return { name, cuts: between(order, (a, b) => a < middle && b > middle) };
    }
    case 3: {
      // Each sees its neighbours in a ring; with three nodes that is everybody, so one link is cut.
      if (count <= 3) return { name: 'one link', cuts: bothWays(order[0] as NodeId, order[1] as NodeId) };
      return { name: 'ring', cuts: between(order, (a, b) => b - a !== 1 && b - a !== count - 1) };
    }
    case 4: {
      const side = order.map(() => random.below(3));
      return { name: 'up to three parts', cuts: between(order, (a, b) => side[a] !== side[b]) };
    }
    default:
      return { name: 'links at random', cuts: between(order, () => random.chance(0.4)) };
  }
}

/** One node that is only heard, one that only hears, or one direction of one link. */
export function drawOneWay(nodeIds: readonly NodeId[], leader: NodeId, random: Random): PartitionShape {
  const id = leader !== 0 && random.chance(0.5) ? leader : random.pick(nodeIds);
  const others = nodeIds.filter((other) => other !== id);
  switch (random.below(3)) {
    case 0:
      return { name: `${nameOf(id)} hears nothing`, cuts: others.map((from) => ({ from, to: id })) };
    case 1:
      return { name: `nobody hears ${nameOf(id)}`, cuts: others.map((to) => ({ from: id, to })) };
    default: {
      const to = random.pick(others);
      return { name: `${nameOf(id)} to ${nameOf(to)}`, cuts: [{ from: id, to }] };
    }
  }
}

function nameOf(id: NodeId): string {
  return `n${id}`;
}
