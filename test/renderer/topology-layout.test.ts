// @vitest-environment node
// Where cards and links stand: inside the space, apart from each other, lanes side by side.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { layoutTopology, type Size } from '../../src/renderer/model/topology-layout.ts';

/** What the smallest supported window leaves to the topology under its head. */
const SMALL: Size = { width: 752, height: 343 };

test('three nodes form a triangle that reads n1 above n2 and n3', () => {
  const { nodes } = layoutTopology([1, 2, 3], SMALL);
  const [n1, n2, n3] = nodes.map(({ center }) => center);
  expect(n1?.x).toBeCloseTo(SMALL.width / 2);
  expect(n2?.y).toBeCloseTo(n3?.y ?? Number.NaN);
  expect(n2?.x).toBeLessThan(n1?.x ?? 0);
  expect(n3?.x).toBeGreaterThan(n1?.x ?? 0);
  expect(n1?.y).toBeLessThan(n2?.y ?? 0);
});

// Seven at once want a window that is a little larger.
const AREAS = [1, 2, 3, 4, 5, 6]
  .map((count) => ({ count, area: SMALL }))
  .concat({ count: 7, area: { width: 932, height: 420 } });

test.each(AREAS)(
  'in the smallest window, none of $count cards touches another or hides a link',
  ({ count, area }) => {
    const ids = Array.from({ length: count }, (_, position) => position + 1);
    const { nodes, card, links } = layoutTopology(ids, area);
    for (const [position, left] of nodes.entries()) {
      for (const right of nodes.slice(position + 1)) {
        const apartX = Math.abs(left.center.x - right.center.x) - card.width;
        const apartY = Math.abs(left.center.y - right.center.y) - card.height;
        expect(Math.max(apartX, apartY), `n${left.id} and n${right.id}`).toBeGreaterThan(10);
      }
    }
    for (const { a, b, forward } of links) {
      for (const { id, center } of nodes) {
        if (id === a || id === b) continue;
        for (let step = 0; step <= 50; step += 1) {
          const x = forward.start.x + ((forward.end.x - forward.start.x) * step) / 50;
          const y = forward.start.y + ((forward.end.y - forward.start.y) * step) / 50;
          const isUnder = Math.abs(x - center.x) < card.width / 2 && Math.abs(y - center.y) < card.height / 2;
          expect(isUnder, `link ${a}-${b} under n${id}`).toBe(false);
        }
      }
    }
  },
);

test('three and four nodes show everything in the smallest window, seven do in a large one', () => {
  expect(layoutTopology([1, 2, 3], SMALL).card.density).toBe('full');
  expect(layoutTopology([1, 2, 3, 4], SMALL).card.density).toBe('full');
  expect(layoutTopology([1, 2, 3, 4, 5, 6, 7], { width: 1600, height: 900 }).card.density).toBe('full');
});

test('labels of links that cross stand apart', () => {
  const { links } = layoutTopology([1, 2, 3, 4, 5], { width: 1092, height: 480 });
  for (const [position, left] of links.entries()) {
    for (const right of links.slice(position + 1)) {
      const apart = Math.hypot(left.middle.x - right.middle.x, left.middle.y - right.middle.y);
      expect(apart, `${left.a}-${left.b} and ${right.a}-${right.b}`).toBeGreaterThan(20);
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
        const { nodes, card } = layoutTopology(ids, { width, height });
        for (const { center } of nodes) {
          expect(center.x - card.width / 2).toBeGreaterThanOrEqual(0);
          expect(center.x + card.width / 2).toBeLessThanOrEqual(width);
          expect(center.y - card.height / 2).toBeGreaterThanOrEqual(0);
          expect(center.y + card.height / 2).toBeLessThanOrEqual(height);
        }
      },
    ),
  );
});

test('each pair has one link, whose lanes run in opposite directions and never on each other', () => {
  const { links } = layoutTopology([1, 2, 3, 4], { width: 1200, height: 700 });
  expect(links.map(({ a, b }) => `${a}-${b}`)).toEqual(['1-2', '1-3', '1-4', '2-3', '2-4', '3-4']);
  for (const { forward, backward } of links) {
    const along = (lane: typeof forward) => ({ x: lane.end.x - lane.start.x, y: lane.end.y - lane.start.y });
    const [there, back] = [along(forward), along(backward)];
    expect(there.x * back.x + there.y * back.y).toBeLessThan(0);
    expect(Math.hypot(forward.start.x - backward.end.x, forward.start.y - backward.end.y)).toBeCloseTo(10);
  }
});

test('a space that is not measured yet gives no nonsense', () => {
  const { nodes, links } = layoutTopology([1, 2, 3], { width: 0, height: 0 });
  const numbers = [
    ...nodes.flatMap(({ center }) => [center.x, center.y]),
    ...links.map(({ middle }) => middle.x),
  ];
  expect(numbers.every(Number.isFinite)).toBe(true);
  expect(layoutTopology([], SMALL)).toMatchObject({ nodes: [], links: [] });
});
