// @vitest-environment node
// Rates from counters: real ones, of one process only, and silence when nothing moves.
import { expect, test } from 'vitest';
import { type LaneTraffic, laneTraffic, laneWidth } from '../../src/renderer/model/traffic.ts';
import { linkOf, START, statusOf } from './sample-view.ts';

const said = (at: number, entriesSent: number, extra: { pid?: number; heartbeats?: number } = {}) =>
  statusOf(1, {
    at,
    ...(extra.pid === undefined ? {} : { pid: extra.pid }),
    links: [linkOf(2, { entriesSent, sent: { Heartbeat: extra.heartbeats ?? 0 } })],
  });

test('a steady counter becomes its rate', () => {
  let rates = new Map<number, LaneTraffic>();
  for (let step = 1; step <= 50; step++) {
    rates = laneTraffic(
      rates,
      said(START + (step - 1) * 100, (step - 1) * 40),
      said(START + step * 100, step * 40),
    );
  }
  expect(rates.get(2)?.entriesPerSecond).toBeCloseTo(400);
});

test('after the traffic stops, the lane falls silent and does not fade for ever', () => {
  let rates = laneTraffic(new Map(), said(START, 0), said(START + 100, 100));
  for (let step = 1; step <= 100; step++) {
    rates = laneTraffic(rates, said(START + step * 100, 100), said(START + (step + 1) * 100, 100));
  }
  expect(rates.get(2)?.entriesPerSecond).toBe(0);
});

test('a new process counts from zero: no rate is made of two processes', () => {
  const rates = laneTraffic(new Map(), said(START, 9000), said(START + 100, 10, { pid: 77 }));
  expect(rates.get(2)?.entriesPerSecond).toBe(0);
});

test('heartbeats are counted apart from entries', () => {
  const rates = laneTraffic(new Map(), said(START, 0), said(START + 100, 0, { heartbeats: 2 }));
  expect(rates.get(2)).toMatchObject({ entriesPerSecond: 0, heartbeatsPerSecond: 20 });
});

test('a lane widens with its rate and stays within bounds', () => {
  expect(laneWidth(0)).toBe(0);
  const widths = [1, 10, 100, 1000, 20_000].map(laneWidth);
  expect([...widths].sort((left, right) => left - right)).toEqual(widths);
  expect(new Set(widths).size).toBe(widths.length);
  expect(laneWidth(1e9)).toBe(8);
});
