// What a fault of a link or a disk looks like on each node: pure translations into the faults that nodes understand.
import type { DiskEffect, DiskOperation, LinkEffect, LinkFault } from '../protocol/faults.ts';
import type { NodeFaultPart } from './chaos-cluster.ts';
import type { PlannedFault } from './schedule.ts';

type Direction = LinkFault['direction'];

/** All links of `node` to `peers`, with one effect. */
function linksOf(
  fault: PlannedFault,
  {
    node,
    peers,
    direction,
    effect,
  }: { node: number; peers: readonly number[]; direction: Direction; effect: LinkEffect },
): NodeFaultPart {
  const links = peers.map((peer) => ({ id: `chaos-${fault.number}-${peer}`, peer, direction, effect }));
  return { node, links };
}

/** The part of each node in a fault of the network; `ids` are all nodes, `victim` is the one that it is about. */
export function linkParts(fault: PlannedFault, victim: number, ids: readonly number[]): NodeFaultPart[] {
  const others = ids.filter((id) => id !== victim);
  const cut: LinkEffect = { kind: 'cut' };
  switch (fault.kind) {
    case 'isolate':
    case 'flap':
      return [linksOf(fault, { node: victim, peers: others, direction: 'both', effect: cut })];
    case 'oneWay': {
      const direction = fault.intensity < 0.5 ? 'inbound' : 'outbound';
      return [linksOf(fault, { node: victim, peers: others, direction, effect: cut })];
    }
    case 'bridge': {
      // One node stays in sight of everybody; the others fall into two halves around it.
      const half = others.slice(0, Math.ceil((ids.length - 1) / 2));
      const side = new Set([victim, ...half.slice(1)]);
      const far = others.filter((id) => !side.has(id) && id !== others[0]);
      return [...side].map((node) => linksOf(fault, { node, peers: far, direction: 'both', effect: cut }));
    }
    case 'shatter':
      return ids.map((node) =>
        linksOf(fault, { node, peers: ids.filter((id) => id !== node), direction: 'both', effect: cut }),
      );
    case 'slowLinks': {
      const delayMs = Math.ceil(5 + 95 * fault.intensity);
      const effect: LinkEffect = { kind: 'delay', delayMs, jitterMs: delayMs };
      return [linksOf(fault, { node: victim, peers: others, direction: 'both', effect })];
    }
    case 'lossyLinks': {
      const effect: LinkEffect = { kind: 'loss', probability: 0.02 + 0.4 * fault.intensity };
      return [linksOf(fault, { node: victim, peers: others, direction: 'both', effect })];
    }
    default:
      throw new RangeError(`${fault.kind} is no fault of links`);
  }
}

const DISK_FAULTS: Partial<
  Record<
    PlannedFault['kind'],
    { operations: readonly DiskOperation[]; effect: (intensity: number) => DiskEffect }
  >
> = {
  slowDisk: {
    operations: ['write', 'sync'],
    effect: (intensity) => ({ kind: 'delay', delayMs: Math.ceil(2 + 60 * intensity) }),
  },
  hungDisk: { operations: ['sync'], effect: () => ({ kind: 'hang' }) },
  fullDisk: { operations: ['write'], effect: () => ({ kind: 'error', code: 'ENOSPC' }) },
  failedSync: { operations: ['sync'], effect: () => ({ kind: 'error', code: 'EIO' }) },
  tornWrite: { operations: ['write'], effect: () => ({ kind: 'shortWrite' }) },
};

export function diskPart(fault: PlannedFault, victim: number): NodeFaultPart {
  const found = DISK_FAULTS[fault.kind];
  if (found === undefined) throw new RangeError(`${fault.kind} is no fault of disks`);
  const { operations, effect } = found;
  return {
    node: victim,
    disk: [{ id: `chaos-${fault.number}`, operations, effect: effect(fault.intensity) }],
  };
}
