// @vitest-environment node
// Rows and marks of the charts: ordered by time, gaps where there is nothing, marks for what happened.
import { expect, test } from 'vitest';
import {
  chartMarks,
  chartRows,
  MARKS_MAX,
  nodesOfSeries,
  thinned,
} from '../../src/renderer/model/chart-data.ts';
import type { FeedItem, RateSample } from '../../src/shared/cluster-view.ts';
import { killed, START } from './sample-view.ts';

const sample = (at: number, writesPerSecond: number): RateSample => ({
  at,
  intervalMs: 500,
  writesPerSecond,
  readsPerSecond: 0,
  writeP50Ms: 0.9,
  writeP99Ms: 3,
  lag: [{ nodeId: 2, entries: 4, ms: 1 }],
  sync: [{ nodeId: 1, p50Ms: 0.3, p99Ms: 1.2 }],
});

test('rows are in order of time and start where the window starts', () => {
  const rows = chartRows([sample(START + 900, 1), sample(START, 1), sample(START + 500, 1)], START + 400);
  expect(rows.map(({ at }) => at - START)).toEqual([500, 900]);
  expect(rows[0]).toMatchObject({ lag2: 4, sync1: 1.2 });
  expect(nodesOfSeries(rows, 'lag')).toEqual([2]);
});

test('without writes there is no latency: a gap, not a zero', () => {
  expect(chartRows([sample(START, 0)], 0)[0]).toMatchObject({ p50: null, p99: null });
});

test('elections, deaths and faults are marked, the newest when they are many', () => {
  const event = (id: number, said: Extract<FeedItem, { source: 'node' }>['event']): FeedItem => ({
    id,
    at: START + id,
    source: 'node',
    nodeId: 2,
    event: said,
  });
  const feed: FeedItem[] = [
    event(1, { type: 'leaderElected', term: 5, leaderId: 2, votes: [2, 3], rule: 'E4' }),
    { id: 2, at: START + 2, source: 'process', nodeId: 1, process: killed(1) },
    event(3, {
      type: 'faultsChanged',
      faults: { disk: [], links: [{ id: 'x', peer: 3, direction: 'both', effect: { kind: 'cut' } }] },
    }),
    event(4, { type: 'faultsChanged', faults: { disk: [], links: [] } }),
  ];
  expect(chartMarks(feed, START)).toEqual([
    { id: 1, at: START + 1, kind: 'election', label: 'n2 leads term 5' },
    { id: 2, at: START + 2, kind: 'kill', label: 'n1 died' },
    { id: 3, at: START + 3, kind: 'fault', label: 'fault on n2' },
  ]);
  const many = Array.from(
    { length: 80 },
    (_, step): FeedItem => ({ id: step, at: START + step, source: 'process', nodeId: 1, process: killed(1) }),
  );
  const marks = chartMarks(many, 0);
  expect(marks).toHaveLength(MARKS_MAX);
  expect(marks.at(-1)?.id).toBe(79);
});

test('thinning keeps means of rates, the worst of what hurts, and the places of its buckets', () => {
  const quick = { ...sample(START, 100), writeP99Ms: 2 };
  const slow = { ...sample(START + 400, 300), writeP99Ms: 40, lag: [{ nodeId: 2, entries: 90, ms: 3 }] };
  const none = sample(START + 1500, 0);
  const rows = chartRows([quick, slow, none], 0);
  const thin = thinned(rows, 1000);
  expect(thin).toHaveLength(2);
  expect(thin[0]).toMatchObject({ writes: 200, p50: 0.9, p99: 40, lag2: 90 });
  expect(thin[1]).toMatchObject({ writes: 0, p50: null, p99: null });
  expect(thinned(rows.slice(1), 1000)[1]).toEqual(thin[1]);
});
