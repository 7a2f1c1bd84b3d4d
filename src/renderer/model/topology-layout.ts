// Where nodes and links stand in the topology. Pure geometry in pixels; draws nothing.
import type { NodeId } from '../../../engine/raft/types.ts';

export interface Point {
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

export interface PlacedNode {
  id: NodeId;
  center: Point;
}

/** Both lanes of a link run from the sender's edge to the receiver's, side by side, keeping to their right. */
export interface PlacedLink {
  a: NodeId;
  b: NodeId;
  forward: { start: Point; end: Point };
  backward: { start: Point; end: Point };
  middle: Point;
}

export interface TopologyLayout {
  nodes: readonly PlacedNode[];
  links: readonly PlacedLink[];
}

const MARGIN = 14;
const LANE_OFFSET = 5;
const EDGE_GAP = 7;
/** A triangle wider than this, against its height, reads as a line. */
const STRETCH_MAX = 2.2;

/** Nodes on a circle, the first at the top, stretched to the space that `card`-sized nodes leave. */
export function layoutTopology(ids: readonly NodeId[], area: Size, card: Size): TopologyLayout {
  const nodes = placeNodes(ids, area, card);
  const links: PlacedLink[] = [];
  nodes.forEach((left, position) => {
    for (const right of nodes.slice(position + 1)) links.push(placeLink(left, right, card));
  });
  return { nodes, links };
}

function placeNodes(ids: readonly NodeId[], area: Size, card: Size): PlacedNode[] {
  const middle = { x: area.width / 2, y: area.height / 2 };
  if (ids.length === 1) return ids.map((id) => ({ id, center: middle }));
  const units = ids.map((_, position) => {
    const angle = -Math.PI / 2 + (position * 2 * Math.PI) / ids.length;
    // Anticlockwise: the second of three stands left of the third, as it reads.
    return { x: -Math.cos(angle), y: Math.sin(angle) };
  });
  const xs = spread(units.map(({ x }) => x));
  const ys = spread(units.map(({ y }) => y));
  const reachY = Math.max(0, (area.height - card.height) / 2 - MARGIN);
  const roomX = Math.max(0, (area.width - card.width) / 2 - MARGIN);
  const reachX = Math.min(roomX, Math.max(reachY * STRETCH_MAX, card.width * 0.75));
  return ids.map((id, position) => ({
    id,
    center: {
      x: middle.x + (xs[position] ?? 0) * reachX,
      y: middle.y + (ys[position] ?? 0) * reachY,
    },
  }));
}

/** Rescales to -1 … 1, so that an odd circle uses the height as fully as an even one. */
function spread(values: number[]): number[] {
  const lowest = Math.min(...values);
  const highest = Math.max(...values);
  if (highest - lowest < 1e-9) return values.map(() => 0);
  return values.map((value) => ((value - lowest) / (highest - lowest)) * 2 - 1);
}

function placeLink(left: PlacedNode, right: PlacedNode, card: Size): PlacedLink {
  const forward = lane(left.center, right.center, card);
  const backward = lane(right.center, left.center, card);
  const ends = [forward.start, forward.end, backward.start, backward.end];
  return {
    a: left.id,
    b: right.id,
    forward,
    backward,
    middle: {
      x: ends.reduce((sum, { x }) => sum + x, 0) / 4,
      y: ends.reduce((sum, { y }) => sum + y, 0) / 4,
    },
  };
}

function lane(from: Point, to: Point, card: Size): { start: Point; end: Point } {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const unit = { x: (to.x - from.x) / length, y: (to.y - from.y) / length };
  const inset = edgeDistance(unit, card) + EDGE_GAP;
  const side = { x: -unit.y * LANE_OFFSET, y: unit.x * LANE_OFFSET };
  const reach = Math.min(inset, length / 2);
  return {
    start: { x: from.x + unit.x * reach + side.x, y: from.y + unit.y * reach + side.y },
    end: { x: to.x - unit.x * reach + side.x, y: to.y - unit.y * reach + side.y },
  };
}

/** From a card's centre to its edge along `unit`. */
function edgeDistance(unit: Point, card: Size): number {
  const acrossX = Math.abs(unit.x) < 1e-9 ? Number.POSITIVE_INFINITY : card.width / 2 / Math.abs(unit.x);
  const acrossY = Math.abs(unit.y) < 1e-9 ? Number.POSITIVE_INFINITY : card.height / 2 / Math.abs(unit.y);
  return Math.min(acrossX, acrossY);
}
