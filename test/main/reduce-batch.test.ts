import { describe, expect, it } from 'vitest';
import type { ClusterItem, ClusterView, FailoverGap, RateSample } from '../../src/shared/cluster-view.ts';
import { FAILOVERS_MAX, FEED_MAX, SAMPLES_MAX } from '../../src/shared/cluster-view.ts';
import { leaderOf } from '../../src/shared/leader.ts';
import { follows, initialView, reduceBatch } from '../../src/shared/reduce-batch.ts';
import { batchOf, roleEvent, sampleProcess, sampleStatus } from './sample-values.ts';

function viewOf(...items: ClusterItem[]): ClusterView {
  const processes = [1, 2, 3].map((id) => sampleProcess(id));
  const view = initialView({ clusterId: 'c', at: 0, processes });
  return reduceBatch(view, batchOf(1, items));
}

function next(view: ClusterView, ...items: ClusterItem[]): ClusterView {
  return reduceBatch(view, batchOf(view.sequence + 1, items));
}

const leads = (nodeId: number, term: number, changes = {}): ClusterItem => ({
  type: 'status',
  status: sampleStatus(nodeId, { role: 'leader', term, leaderId: nodeId, ...changes }),
});
const sampleAt = (at: number): ClusterItem => ({
  type: 'sample',
  sample: { at, writesPerSecond: 0 } as RateSample,
});
const deed = (text: string): ClusterItem => ({ type: 'deed', at: 1, text, nodeId: null });
const gap = (id: number, gapMs: number | null = null): ClusterItem => ({
  type: 'failover',
  failover: { id, gapMs, firstAcknowledgedAt: gapMs } as FailoverGap,
});

describe('who leads', () => {
  it('a leader is the running node that says so, in the highest term', () => {
    const view = viewOf(leads(1, 3), leads(2, 4));
    expect(leaderOf(view)?.process.nodeId).toBe(2);
  });

  it('a dead node is never a leader, and what it said last is kept apart', () => {
    const view = next(viewOf(leads(1, 3)), { type: 'process', process: sampleProcess(1, 'crashed') });
    expect(leaderOf(view)).toBeNull();
    expect(view.nodes[0]?.status).toBeNull();
    expect(view.nodes[0]?.lastWords?.raft.currentTerm).toBe(3);
  });

  it('a status that was under way when its process died changes nothing', () => {
    const dead = next(viewOf(leads(1, 3)), { type: 'process', process: sampleProcess(1, 'crashed') });
    expect(leaderOf(next(dead, leads(1, 3, { at: 9999 })))).toBeNull();
  });

  it('a process that starts anew has said nothing, and its predecessor can no longer speak', () => {
    const started = next(viewOf(leads(1, 3)), {
      type: 'process',
      process: sampleProcess(1, 'starting', { pid: 555 }),
    });
    expect(started.nodes[0]).toMatchObject({ status: null, lastWords: null });
    expect(next(started, leads(1, 3, { at: 9999 })).nodes[0]?.status).toBeNull();
    expect(next(started, leads(1, 4, { pid: 555 })).nodes[0]?.status?.raft.currentTerm).toBe(4);
  });

  it('a paused leader keeps its words but is not called the leader', () => {
    const view = next(viewOf(leads(1, 3)), { type: 'process', process: sampleProcess(1, 'paused') });
    expect(view.nodes[0]?.status?.raft.role).toBe('leader');
    expect(leaderOf(view)).toBeNull();
  });

  it('a role event counts at once, and an older status does not take it back', () => {
    const event = roleEvent(2, { from: 'candidate', to: 'leader', term: 5, at: 1500.7 });
    let view = viewOf({ type: 'status', status: sampleStatus(2, { at: 1400 }) });
    view = next(view, { type: 'event', event });
    expect(leaderOf(view)?.status?.raft).toMatchObject({ role: 'leader', currentTerm: 5, leaderId: 2 });
    view = next(view, { type: 'status', status: sampleStatus(2, { at: 1450, term: 4 }) });
    expect(leaderOf(view)?.status?.raft.currentTerm).toBe(5);
  });

  it('an event of an older term does not change the role', () => {
    const event = roleEvent(1, { from: 'follower', to: 'leader', term: 2 });
    const view = next(viewOf({ type: 'status', status: sampleStatus(1, { term: 3 }) }), {
      type: 'event',
      event,
    });
    expect(view.nodes[0]?.status?.raft.role).toBe('follower');
  });
});

describe('faults', () => {
  const disk = [{ id: 'f', operations: ['sync' as const], effect: { kind: 'hang' as const } }];

  it('are known from the event at once and end with their process', () => {
    const event = {
      nodeId: 2,
      sequence: 1,
      at: 1,
      event: { type: 'faultsChanged', faults: { disk, links: [] } },
    };
    const view = next(viewOf(), { type: 'event', event } as ClusterItem);
    expect(view.nodes[1]?.disk).toEqual(disk);
    const dead = next(view, { type: 'process', process: sampleProcess(2, 'crashed') });
    expect(dead.nodes[1]?.disk).toEqual([]);
  });

  it('keep their identity while statuses repeat them', () => {
    const status = (at: number) =>
      sampleStatus(2, { at, faults: { disk: structuredClone(disk), links: [] } });
    const view = viewOf({ type: 'status', status: status(1) });
    const after = next(view, { type: 'status', status: status(2) });
    expect(after.nodes[1]?.status).not.toBe(view.nodes[1]?.status);
    expect(after.nodes[1]?.disk).toBe(view.nodes[1]?.disk);
  });
});

describe('sharing and bounds', () => {
  it('what a batch does not touch stays the same object', () => {
    const view = viewOf(leads(1, 3), sampleAt(1), deed('a'), gap(1, 5));
    const after = next(view, { type: 'status', status: sampleStatus(2) });
    expect(after.nodes[0]).toBe(view.nodes[0]);
    expect(after.nodes[1]).not.toBe(view.nodes[1]);
    for (const part of ['samples', 'feed', 'failovers', 'workload'] as const)
      expect(after[part]).toBe(view[part]);
    expect(next(after, sampleAt(2)).nodes).toBe(after.nodes);
  });

  it('never changes the view it was given', () => {
    const view = viewOf(leads(1, 3), deed('a'));
    const before = structuredClone(view);
    next(view, leads(2, 4), deed('b'), gap(1), sampleAt(1), {
      type: 'process',
      process: sampleProcess(1, 'crashed'),
    });
    expect(view).toEqual(before);
  });

  it('keeps the newest of feed, samples and failovers, with feed ids that rise', () => {
    const many = (count: number, make: (position: number) => ClusterItem) =>
      Array.from({ length: count }, (_, i) => make(i));
    let view = viewOf(...many(FEED_MAX + 10, (i) => deed(`${i}`)), ...many(SAMPLES_MAX + 10, sampleAt));
    view = next(view, ...many(FAILOVERS_MAX + 10, (i) => gap(i + 1)));
    expect(view.feed.length).toBe(FEED_MAX);
    expect(view.samples.length).toBe(SAMPLES_MAX);
    expect(view.samples.at(-1)?.at).toBe(SAMPLES_MAX + 9);
    expect(view.failovers.length).toBe(FAILOVERS_MAX);
    expect(view.failovers.at(-1)?.id).toBe(FAILOVERS_MAX + 10);
    const ids = view.feed.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('a batch that is in the view already changes nothing; a hole is noticed', () => {
    const view = viewOf(deed('a'));
    expect(reduceBatch(view, batchOf(1, [deed('again')]))).toBe(view);
    expect(follows(view, batchOf(2, []))).toBe(true);
    expect(follows(view, batchOf(3, []))).toBe(false);
  });

  it('counts what was dropped', () => {
    const view = reduceBatch(viewOf(), batchOf(2, [], { dropped: 7 }));
    expect(reduceBatch(view, batchOf(3, [], { dropped: 2 })).dropped).toBe(9);
  });
});

it('a failover is one entry that closes, and two lines in the feed', () => {
  const view = next(viewOf(gap(1)), gap(1, 180));
  expect(view.failovers.map(({ gapMs }) => gapMs)).toEqual([180]);
  expect(view.feed.filter(({ source }) => source === 'failover').length).toBe(2);
});

it('a process is fed once a state, however often its other fields change', () => {
  const view = next(
    viewOf(),
    { type: 'process', process: sampleProcess(1, 'starting', { pid: 0 }) },
    { type: 'process', process: sampleProcess(1, 'starting', { pid: 9 }) },
    { type: 'process', process: sampleProcess(1, 'running', { pid: 9 }) },
  );
  expect(view.feed.map((item) => item.source === 'process' && item.process.state)).toEqual([
    'starting',
    'running',
  ]);
});

it('a new cluster begins without the charts and failovers of the old one', () => {
  const view = next(viewOf(sampleAt(1), gap(1), deed('a')), { type: 'cluster', clusterId: 'd', at: 1 });
  expect(view).toMatchObject({ clusterId: 'd', samples: [], failovers: [] });
  expect(view.feed.length).toBeGreaterThan(0);
});
