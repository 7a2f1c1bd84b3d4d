// What will go wrong follows from the seed alone, and never asks for more than the promises allow.
import { describe, expect, it } from 'vitest';
import { FaultBudget } from '../../engine/chaos/budget.ts';
import { CHAOS_FAULT_KINDS, CHAOS_FAULTS } from '../../engine/chaos/fault-kinds.ts';
import { diskPart, linkParts } from '../../engine/chaos/fault-parts.ts';
import { drawSchedule, type PlannedFault } from '../../engine/chaos/schedule.ts';

const HALF_HOUR_MS = 30 * 60_000;

function fault(kind: PlannedFault['kind'], change: Partial<PlannedFault> = {}): PlannedFault {
  return {
    number: 1,
    atMs: 0,
    kind,
    leader: false,
    pick: 0,
    durationMs: 100,
    intensity: 0.4,
    seed: 1,
    ...change,
  };
}

describe('the schedule', () => {
  it('is the same for the same seed, and another for another', () => {
    const options = { seed: 7, durationMs: 60_000 };
    expect(drawSchedule(options)).toEqual(drawSchedule(options));
    expect(drawSchedule(options)).not.toEqual(drawSchedule({ ...options, seed: 8 }));
  });

  it('of half an hour has every kind of fault, in order, within their durations', () => {
    const planned = drawSchedule({ seed: 1, durationMs: HALF_HOUR_MS });
    expect(new Set(planned.map(({ kind }) => kind))).toEqual(new Set(CHAOS_FAULT_KINDS));
    expect(planned.map(({ atMs }) => atMs)).toEqual(
      planned.map(({ atMs }) => atMs).toSorted((a, b) => a - b),
    );
    for (const { kind, durationMs, atMs } of planned) {
      const [min, max] = CHAOS_FAULTS[kind].durationMs;
      expect(durationMs).toBeGreaterThanOrEqual(min);
      expect(durationMs).toBeLessThan(max);
      expect(atMs).toBeLessThan(HALF_HOUR_MS);
    }
  });

  it('keeps to the kinds that are asked for', () => {
    const planned = drawSchedule({ seed: 1, durationMs: 60_000, kinds: ['kill', 'pause'] });
    expect(new Set(planned.map(({ kind }) => kind))).toEqual(new Set(['kill', 'pause']));
    expect(drawSchedule({ seed: 1, durationMs: 60_000, kinds: [] })).toEqual([]);
  });
});

describe('the budget', () => {
  it('lets one folder of three be damaged, and the next only when that one is whole again', () => {
    const budget = new FaultBudget(() => [1, 2, 3]);
    expect(budget.refuses({ cost: 'memory', nodes: [2] })).toBeNull();
    budget.begin(1, { cost: 'memory', nodes: [2] });
    budget.end(1);
    expect(budget.refuses({ cost: 'memory', nodes: [3] })).toContain('n2');
    expect(budget.refuses({ cost: 'memory', nodes: [2] })).toContain('n2');
    budget.whole(2);
    expect(budget.refuses({ cost: 'memory', nodes: [3] })).toBeNull();
  });

  it('lets two folders of five be damaged', () => {
    const budget = new FaultBudget(() => [1, 2, 3, 4, 5]);
    budget.begin(1, { cost: 'memory', nodes: [2] });
    expect(budget.refuses({ cost: 'memory', nodes: [3] })).toBeNull();
    budget.begin(2, { cost: 'memory', nodes: [3] });
    expect(budget.refuses({ cost: 'memory', nodes: [4] })).not.toBeNull();
  });

  it('knows when writes must go on: with one of three away, and not with two', () => {
    const budget = new FaultBudget(() => [1, 2, 3]);
    expect(budget.isMajorityWell).toBe(true);
    budget.begin(1, { cost: 'node', nodes: [1] });
    budget.begin(2, { cost: 'nuisance', nodes: [2] });
    expect(budget.isMajorityWell).toBe(true);
    budget.begin(3, { cost: 'node', nodes: [3] });
    expect(budget.isMajorityWell).toBe(false);
    budget.end(1);
    expect(budget.isMajorityWell).toBe(true);
    budget.begin(4, { cost: 'memory', nodes: [1] });
    budget.end(4);
    expect(budget.isMajorityWell).toBe(false);
  });

  it('expects nothing of a cluster that is down or in pieces', () => {
    const budget = new FaultBudget(() => [1, 2, 3]);
    budget.begin(1, { cost: 'cluster', nodes: [1, 2, 3] });
    expect(budget.isMajorityWell).toBe(false);
    budget.end(1);
    expect(budget.isMajorityWell).toBe(true);
  });
});

describe('faults of links and disks on nodes', () => {
  /** Pairs that cannot exchange messages, as `from>to`. */
  function cuts(
    kind: PlannedFault['kind'],
    ids: readonly number[],
    change: Partial<PlannedFault> = {},
  ): string[] {
    const found = new Set<string>();
    for (const { node, links = [] } of linkParts(fault(kind, change), ids[0] as number, ids)) {
      for (const { peer, direction } of links) {
        if (direction !== 'inbound') found.add(`${node}>${peer}`);
        if (direction !== 'outbound') found.add(`${peer}>${node}`);
      }
    }
    return [...found].sort();
  }

  it('cut what they say', () => {
    expect(cuts('isolate', [1, 2, 3])).toEqual(['1>2', '1>3', '2>1', '3>1']);
    expect(cuts('oneWay', [1, 2, 3], { intensity: 0.1 })).toEqual(['2>1', '3>1']);
    expect(cuts('oneWay', [1, 2, 3], { intensity: 0.9 })).toEqual(['1>2', '1>3']);
    expect(cuts('bridge', [1, 2, 3])).toEqual(['1>3', '3>1']);
    expect(cuts('shatter', [1, 2, 3])).toHaveLength(6);
  });

  it('a bridge of five leaves one node that sees everybody, and two sides that do not see each other', () => {
    const cut = cuts('bridge', [1, 2, 3, 4, 5]);
    const seesAll = [1, 2, 3, 4, 5].filter((id) => !cut.some((link) => link.startsWith(`${id}>`)));
    expect(seesAll).toEqual([2]);
    expect(cut).toHaveLength(8);
  });

  it('carry names of their own, so that one can end while another lasts', () => {
    const [first] = linkParts(fault('isolate', { number: 1 }), 1, [1, 2, 3]);
    const [second] = linkParts(fault('slowLinks', { number: 2 }), 1, [1, 2, 3]);
    const ids = [...(first?.links ?? []), ...(second?.links ?? [])].map(({ id }) => id);
    expect(new Set(ids).size).toBe(4);
    expect(diskPart(fault('fullDisk', { number: 3 }), 2)).toEqual({
      node: 2,
      disk: [{ id: 'chaos-3', operations: ['write'], effect: { kind: 'error', code: 'ENOSPC' } }],
    });
  });
});
