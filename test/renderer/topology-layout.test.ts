// @vitest-environment node
// Where cards and links stand: inside the space, apart from each other, lanes side by side.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { layoutTopology, type Size } from '../../src/renderer/model/topology-layout.ts';

const CARD: Size = { width: 232, height: 136 };
const SMALL: Size = { width: 752, height: 379 };

test('three nodes form a triangle that reads n1 above n2 and n3', () => {
  const { nodes } = layoutTopology([1, 2, 3], SMALL, CARD);
  const [n1, n2, n3] = nodes.map(({ center }) => center);
  expect(n1?.x).toBeCloseTo(SMALL.width / 2);
  expect(n2?.y).toBeCloseTo(n3?.y ?? Number.NaN);
  expect(n2?.x).toBeLessThan(n1?.x ?? 0);
  expect(n3?.x).toBeGreaterThan(n1?.x ?? 0);
  expect(n1?.y).toBeLessThan(n2?.y ?? 0);
});

test('in the smallest window that is supported, no two of three cards touch', () => {
  const { nodes } = layoutTopology([1, 2, 3], SMALL, CARD);
  for (const [position, left] of nodes.entries()) {
    for (const right of nodes.slice(position + 1)) {
      const apartX = Math.abs(left.center.x - right.center.x) - CARD.width;
      const apartY = Math.abs(left.center.y - right.center.y) - CARD.height;
      expect(Math.max(apartX, apartY)).toBeGreaterThan(40);
    }
  }
});

test('every card stays inside any space that can hold it', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 520, max: 2400 }),
      fc.integer({ min: 300, max: 1400 }),
      (count, width, height) => {
        const ids = Array.from({ length: count }, (_, position) => position + 1);
        for (const { center } of layoutTopology(ids, { width, height }, CARD).nodes) {
          expect(center.x - CARD.width / 2).toBeGreaterThanOrEqual(0);
          expect(center.x + CARD.width / 2).toBeLessThanOrEqual(width);
          expect(center.y - CARD.height / 2).toBeGreaterThanOrEqual(0);
          expect(center.y + CARD.height / 2).toBeLessThanOrEqual(height);
        }
      },
    ),
  );
});

test('each pair has one link, whose lanes run in opposite directions and never on each other', () => {
  const { links } = layoutTopology([1, 2, 3, 4], { width: 1200, height: 700 }, CARD);
  expect(links.map(({ a, b }) => `${a}-${b}`)).toEqual(['1-2', '1-3', '1-4', '2-3', '2-4', '3-4']);
  for (const { forward, backward } of links) {
    const along = (lane: typeof forward) => ({ x: lane.end.x - lane.start.x, y: lane.end.y - lane.start.y });
    const [there, back] = [along(forward), along(backward)];
    expect(there.x * back.x + there.y * back.y).toBeLessThan(0);
    expect(Math.hypot(forward.start.x - backward.end.x, forward.start.y - backward.end.y)).toBeCloseTo(10);
  }
});

test('a space that is not measured yet gives no nonsense', () => {
  const { nodes, links } = layoutTopology([1, 2, 3], { width: 0, height: 0 }, CARD);
  const numbers = [
    ...nodes.flatMap(({ center }) => [center.x, center.y]),
    ...links.map(({ middle }) => middle.x),
  ];
  expect(numbers.every(Number.isFinite)).toBe(true);
  expect(layoutTopology([], SMALL, CARD)).toEqual({ nodes: [], links: [] });
});
