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

/** How much of itself a node shows: everything, the same closer together, or who it is and one figure. */
export type Density = 'full' | 'compact' | 'small';

export interface CardSize extends Size {
  density: Density;
}

export interface TopologyLayout {
  /** Of every node: the largest at which no card covers another one or a link between others. */
  card: CardSize;
  nodes: readonly PlacedNode[];
  links: readonly PlacedLink[];
}

export const CARD_SIZES: readonly CardSize[] = [
  { density: 'full', width: 232, height: 136 },
  { density: 'compact', width: 196, height: 116 },
  { density: 'small', width: 148, height: 88 },
];

const MARGIN = 14;
const LANE_OFFSET = 5;
const EDGE_GAP = 7;
/** Cards side by side leave room for a link and its label between them, cards above each other for the link. */
const APART_X = 60;
const APART_Y = 22;
const CLEARANCE = 6;
const LABEL_HEIGHT = 24;
/** A triangle wider than this, against its height, reads as a line. */
const STRETCH_MAX = 2.2;

/**
 * Nodes on an ellipse, never three in a line: an odd number with the first at the top, an even one with an edge
 * there, so that two, four and six use a wide space well. Read anticlockwise; one node more moves the others least.
 */
export function layoutTopology(ids: readonly NodeId[], area: Size, sizes = CARD_SIZES): TopologyLayout {
  const tried = sizes.map((card) => ({ card, nodes: placeNodes(ids, area, card) }));
  const { card, nodes } = tried.find((layout) => fits(layout.nodes, layout.card)) ?? tried.at(-1) ?? NONE;
  const links: PlacedLink[] = [];
  nodes.forEach((left, position) => {
    for (const right of nodes.slice(position + 1)) links.push(placeLink(left, right, card));
  });
  return { card, nodes, links: ids.length > 3 ? withFreeMiddles(links, nodes, card) : links };
}

const NONE = { card: { density: 'small', width: 0, height: 0 }, nodes: [] } as const;

function placeNodes(ids: readonly NodeId[], area: Size, card: Size): PlacedNode[] {
  const middle = { x: area.width / 2, y: area.height / 2 };
  if (ids.length === 1) return ids.map((id) => ({ id, center: middle }));
  const first = -Math.PI / 2 + (ids.length % 2 === 0 ? Math.PI / ids.length : 0);
  const units = ids.map((_, position) => {
    const angle = first + (position * 2 * Math.PI) / ids.length;
    // Anticlockwise: the second of three stands left of the third, as it reads.
    return { x: -Math.cos(angle), y: Math.sin(angle) };
  });
  const xs = spread(units.map(({ x }) => x));
  const ys = spread(units.map(({ y }) => y));
  const reachY = Math.max(0, (area.height - card.height) / 2 - MARGIN);
  const roomX = Math.max(0, (area.width - card.width) / 2 - MARGIN);
  const stretchMax = ids.length <= 3 ? STRETCH_MAX : STRETCH_MAX + 0.4;
  const reachX = Math.min(roomX, Math.max(reachY * stretchMax, card.width * 0.9));
  return ids.map((id, position) => ({
    id,
    center: {
      x: middle.x + (xs[position] ?? 0) * reachX,
      y: middle.y + (ys[position] ?? 0) * reachY,
    },
  }));
}

function fits(nodes: readonly PlacedNode[], card: Size): boolean {
  return nodes.every((left, position) =>
    nodes.slice(position + 1).every((right) => {
      const apartX = Math.abs(left.center.x - right.center.x) - card.width;
      const apartY = Math.abs(left.center.y - right.center.y) - card.height;
      if (apartX < APART_X && apartY < APART_Y) return false;
      const others = nodes.filter((node) => node !== left && node !== right);
      return others.every((node) => !covers(node, card, left.center, right.center));
    }),
  );
}

/** Whether a card lies over the straight line between two others. */
function covers({ center }: PlacedNode, card: Size, from: Point, to: Point): boolean {
  const half = { x: card.width / 2 + CLEARANCE, y: card.height / 2 + CLEARANCE };
  // The part of the line that is within the card's columns, and then within its rows (Liang and Barsky).
  let [enter, leave] = [0, 1];
  for (const axis of ['x', 'y'] as const) {
    const [start, along] = [from[axis] - center[axis], to[axis] - from[axis]];
    if (Math.abs(along) < 1e-9) {
      if (Math.abs(start) > half[axis]) return false;
      continue;
    }
    const crossings = [(-half[axis] - start) / along, (half[axis] - start) / along];
    enter = Math.max(enter, Math.min(...crossings));
    leave = Math.min(leave, Math.max(...crossings));
  }
  return enter < leave;
}

/** Where diagonals cross, their labels would lie on each other: each moves along its link to where it is alone. */
function withFreeMiddles(
  links: readonly PlacedLink[],
  nodes: readonly PlacedNode[],
  card: CardSize,
): PlacedLink[] {
  const width = card.density === 'full' ? 132 : 64;
  const isBare = (point: Point) =>
    nodes.every(
      ({ center }) =>
        Math.abs(center.x - point.x) > (card.width + width) / 2 ||
        Math.abs(center.y - point.y) > card.height / 2 + 12,
    );
  const taken: Point[] = [];
  return links.map((link) => {
    const { start, end } = link.forward;
    const { start: back, end: backEnd } = link.backward;
    const at = (share: number): Point => ({
      x: (start.x + (end.x - start.x) * share + backEnd.x + (back.x - backEnd.x) * share) / 2,
      y: (start.y + (end.y - start.y) * share + backEnd.y + (back.y - backEnd.y) * share) / 2,
    });
    // How clear of the labels before: from 1 on they do not touch.
    const clearance = (point: Point) =>
      Math.min(
        1,
        ...taken.map(({ x, y }) =>
          Math.max(Math.abs(x - point.x) / width, Math.abs(y - point.y) / LABEL_HEIGHT),
        ),
      );
    const bare = [0.5, 0.4, 0.6, 0.32, 0.68, 0.25, 0.75].map(at).filter(isBare);
    const middle =
      bare.reduce<Point | null>(
        (best, point) => (best === null || clearance(point) > clearance(best) ? point : best),
        null,
      ) ?? at(0.5);
    taken.push(middle);
    return { ...link, middle };
  });
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
