import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BATCH_EVENTS_MAX, Recorder } from '../../src/main/cluster/recorder.ts';
import type { ClusterBatch, ClusterItem } from '../../src/shared/cluster-view.ts';
import { initialView, reduceBatch } from '../../src/shared/reduce-batch.ts';
import { roleEvent, sampleProcess, sampleStatus } from './sample-values.ts';

const processes = [1, 2, 3].map((id) => sampleProcess(id));
let recorder: Recorder;
let batches: ClusterBatch[];

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  recorder = new Recorder({ clusterId: 'c', processes, now: () => Date.now() });
  batches = [];
  recorder.subscribe((batch) => batches.push(batch));
});
afterEach(() => {
  recorder.close();
  vi.useRealTimers();
});

const status = (nodeId: number, changes = {}): ClusterItem => ({
  type: 'status',
  status: sampleStatus(nodeId, { at: Date.now(), ...changes }),
});
const event = (): ClusterItem => ({
  type: 'event',
  event: roleEvent(1, { from: 'follower', to: 'candidate', term: 2 }),
});

it('hands out one batch a frame, without holes, and none while nothing happens', () => {
  vi.advanceTimersByTime(300);
  expect(batches).toEqual([]);
  recorder.add(status(1));
  recorder.add(event());
  expect(batches).toEqual([]);
  vi.advanceTimersByTime(17);
  expect(batches.map(({ items }) => items.length)).toEqual([2]);
  recorder.add(event());
  vi.advanceTimersByTime(17);
  expect(batches.map(({ sequence }) => sequence)).toEqual([1, 2]);
});

it('a receiver that reduces the batches has the view that the recorder has', () => {
  const start = recorder.view();
  for (let round = 0; round < 50; round += 1) {
    recorder.add(
      status(1 + (round % 3), { role: round % 3 === 0 ? 'leader' : 'follower', writesTotal: round }),
    );
    if (round % 7 === 0)
      recorder.add({ type: 'process', process: sampleProcess(2, round % 2 ? 'crashed' : 'running') });
    recorder.add(event());
    vi.advanceTimersByTime(40);
  }
  const view = recorder.view();
  expect(batches.reduce(reduceBatch, start)).toEqual(view);
  expect(view.samples.length).toBeGreaterThan(2);
  expect(initialView({ clusterId: 'c', at: start.at, processes })).toEqual(start);
});

it('a flood of events is cut and counted; deaths are never dropped', () => {
  for (let count = 0; count < BATCH_EVENTS_MAX + 100; count += 1) recorder.add(event());
  recorder.add({ type: 'process', process: sampleProcess(1, 'crashed') });
  vi.advanceTimersByTime(17);
  expect(batches[0]).toMatchObject({ dropped: 100 });
  expect(batches[0]?.items.length).toBe(BATCH_EVENTS_MAX + 1);
  expect(recorder.view()).toMatchObject({ dropped: 100, nodes: [{ process: { state: 'crashed' } }, {}, {}] });
});

it("rates are differences of the nodes' own counters over their own time", () => {
  recorder.add(status(1, { role: 'leader', writesTotal: 1000, readsTotal: 0 }));
  recorder.add(status(2, { readsTotal: 50 }));
  vi.advanceTimersByTime(501);
  recorder.add(status(1, { role: 'leader', writesTotal: 1500, readsTotal: 100 }));
  recorder.add(status(2, { readsTotal: 100 }));
  vi.advanceTimersByTime(500);
  const sample = recorder.view().samples.at(-1);
  expect(sample?.writesPerSecond).toBeCloseTo(500 / 0.501, 0);
  expect(sample?.readsPerSecond).toBeCloseTo(150 / 0.501, 0);
  expect(sample).toMatchObject({ writeP50Ms: 1.5, writeP99Ms: 4.5 });
});

it('a process that starts anew counts from zero and makes no negative rate', () => {
  recorder.add(status(1, { role: 'leader', writesTotal: 90_000 }));
  vi.advanceTimersByTime(501);
  recorder.add({ type: 'process', process: sampleProcess(1, 'crashed') });
  recorder.add({ type: 'process', process: sampleProcess(1, 'running', { pid: 555 }) });
  recorder.add(status(1, { pid: 555, writesTotal: 10 }));
  vi.advanceTimersByTime(600);
  recorder.add(status(1, { pid: 555, writesTotal: 20 }));
  vi.advanceTimersByTime(600);
  for (const { writesPerSecond } of recorder.view().samples) {
    expect(writesPerSecond).toBeGreaterThanOrEqual(0);
    expect(writesPerSecond).toBeLessThan(1000);
  }
});

it('lag is what the leader says about each follower', () => {
  const follower = {
    state: 'replicate' as const,
    matchIndex: 1,
    nextIndex: 2,
    inflightMessages: 0,
    inflightBytes: 0,
    recentActive: true,
    learner: false,
  };
  const progress = [
    { ...follower, id: 2, lagEntries: 4, lagMs: 12 },
    { ...follower, id: 3, lagEntries: 0, lagMs: 0 },
  ];
  recorder.add(status(1, { role: 'leader', progress }));
  vi.advanceTimersByTime(1100);
  expect(recorder.view().samples.at(-1)?.lag).toEqual([
    { nodeId: 2, entries: 4, ms: 12 },
    { nodeId: 3, entries: 0, ms: 0 },
  ]);
});

it('an unsubscribed listener hears nothing more', () => {
  let count = 0;
  const unsubscribe = recorder.subscribe(() => {
    count += 1;
  });
  unsubscribe();
  recorder.add(event());
  recorder.flush();
  expect(count).toBe(0);
});
