import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Acknowledgement, FailoverStopwatch } from '../../src/main/cluster/failover-stopwatch.ts';
import type { FailoverGap } from '../../src/shared/cluster-view.ts';
import { roleEvent, sampleProcess } from './sample-values.ts';

/** A stopwatch on a clock that the test turns, and a cluster that acknowledges probes when the test says so. */
function setUp() {
  const gaps: FailoverGap[] = [];
  const probes: {
    resolve: (ack: Acknowledgement) => void;
    reject: (error: Error) => void;
    startedAt: number;
  }[] = [];
  const stopwatch = new FailoverStopwatch({
    now: () => Date.now(),
    probe: () => new Promise((resolve, reject) => probes.push({ resolve, reject, startedAt: Date.now() })),
    onFailover: (gap) => gaps.push(gap),
  });
  const acknowledge = (nodeId: number, term: number, startedAt = Date.now() - 1) =>
    stopwatch.acknowledged({ startedAt, at: Date.now(), nodeId, term });
  const elect = (nodeId: number, term: number) =>
    stopwatch.event(roleEvent(nodeId, { from: 'candidate', to: 'leader', term }));
  const campaign = (nodeId: number, term: number) =>
    stopwatch.event({
      nodeId,
      sequence: 1,
      at: 0,
      event: { type: 'electionStarted', term, preVote: true, reason: 'timeout', rule: 'E2' },
    });
  return { gaps, probes, stopwatch, acknowledge, elect, campaign };
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('while clients write', () => {
  it('a gap runs from the last acknowledgement before to the first one after', () => {
    const { gaps, stopwatch, acknowledge, elect } = setUp();
    elect(1, 3);
    acknowledge(1, 3);
    vi.advanceTimersByTime(10);
    stopwatch.process(
      sampleProcess(1, 'crashed', {
        exit: { code: null, signal: 'SIGKILL', reason: 'killed by SIGKILL', at: 0 },
      }),
    );
    expect(gaps).toMatchObject([
      { id: 1, gapMs: null, firstAcknowledgedAt: null, fromLeader: 1, fromTerm: 3 },
    ]);
    expect(gaps[0]?.cause).toContain('killed by SIGKILL');
    vi.advanceTimersByTime(150);
    elect(2, 4);
    vi.advanceTimersByTime(40);
    acknowledge(2, 4);
    expect(gaps.at(-1)).toMatchObject({
      id: 1,
      gapMs: 200,
      toLeader: 2,
      toTerm: 4,
      measuredFrom: 'acknowledgement',
    });
    vi.advanceTimersByTime(5);
    acknowledge(2, 4);
    expect(gaps.length).toBe(2);
  });

  it('a reply of the old leader that was under way moves the start, and does not end the gap', () => {
    const { gaps, stopwatch, acknowledge, elect } = setUp();
    elect(1, 3);
    acknowledge(1, 3);
    vi.advanceTimersByTime(10);
    stopwatch.process(sampleProcess(1, 'crashed'));
    vi.advanceTimersByTime(2);
    acknowledge(1, 3);
    vi.advanceTimersByTime(100);
    acknowledge(2, 4);
    expect(gaps.at(-1)).toMatchObject({ gapMs: 100 });
  });

  it('a repeated write that the old leader had committed ends the gap when the new one answers it', () => {
    const { gaps, stopwatch, acknowledge, elect } = setUp();
    elect(1, 3);
    acknowledge(1, 3);
    stopwatch.process(sampleProcess(1, 'crashed'));
    vi.advanceTimersByTime(200);
    elect(2, 4);
    vi.advanceTimersByTime(20);
    acknowledge(2, 3);
    vi.advanceTimersByTime(7);
    acknowledge(2, 4);
    expect(gaps.at(-1)).toMatchObject({ gapMs: 220, toLeader: 2, toTerm: 4 });
  });

  it('a leader that was cut off is noticed by its successor', () => {
    const { gaps, acknowledge, elect } = setUp();
    elect(1, 3);
    acknowledge(1, 3);
    vi.advanceTimersByTime(200);
    elect(2, 4);
    acknowledge(2, 4);
    // A moment for the old leader to tell what happened to it.
    vi.advanceTimersByTime(100);
    expect(gaps.at(-1)).toMatchObject({ gapMs: 200, fromTerm: 3, toTerm: 4 });
  });
});

describe('news that comes late', () => {
  it('a new leader that answers before anybody hears of the loss ends a gap that began with the old one', () => {
    const { gaps, stopwatch, acknowledge, elect } = setUp();
    elect(1, 3);
    acknowledge(1, 3);
    vi.advanceTimersByTime(30);
    acknowledge(2, 4);
    vi.advanceTimersByTime(1);
    acknowledge(2, 4);
    expect(gaps).toEqual([]);
    const exit = { code: null, signal: 'SIGKILL', reason: 'killed by SIGKILL', at: 0 };
    stopwatch.process(sampleProcess(1, 'crashed', { exit }));
    elect(2, 4);
    vi.advanceTimersByTime(500);
    expect(gaps).toMatchObject([
      { id: 1, gapMs: 30, cause: 'n1: killed by SIGKILL', toLeader: 2, toTerm: 4 },
    ]);
  });

  it('an old reply from a new leader is late news as well, and its election then opens no second gap', () => {
    const { gaps, stopwatch, acknowledge, elect } = setUp();
    elect(1, 3);
    acknowledge(1, 3);
    vi.advanceTimersByTime(30);
    acknowledge(2, 3);
    stopwatch.process(sampleProcess(1, 'crashed'));
    elect(2, 4);
    vi.advanceTimersByTime(500);
    expect(gaps).toMatchObject([{ gapMs: 30, toLeader: 2, toTerm: 4 }]);
  });

  it('without any news of the cause it is reported a moment later all the same', () => {
    const { gaps, acknowledge, elect } = setUp();
    elect(1, 3);
    acknowledge(1, 3);
    vi.advanceTimersByTime(30);
    acknowledge(2, 4);
    vi.advanceTimersByTime(200);
    expect(gaps).toMatchObject([{ gapMs: 30, cause: 'n2 took over' }]);
  });

  it('a long gap that nobody told of begins when the write that ended it was sent, at the latest', () => {
    const { gaps, acknowledge, elect } = setUp();
    elect(1, 3);
    acknowledge(1, 3);
    vi.advanceTimersByTime(400);
    acknowledge(2, 4, Date.now() - 390);
    vi.advanceTimersByTime(500);
    expect(gaps).toMatchObject([{ gapMs: 400, measuredFrom: 'acknowledgement' }]);
  });

  it('on an idle cluster the gap begins with the strike, not with the exit event', () => {
    const { gaps, stopwatch, acknowledge, elect } = setUp();
    elect(1, 3);
    vi.advanceTimersByTime(5000);
    stopwatch.struck(1);
    vi.advanceTimersByTime(25);
    stopwatch.process(sampleProcess(1, 'crashed'));
    vi.advanceTimersByTime(40);
    acknowledge(2, 4);
    expect(gaps.at(-1)).toMatchObject({ gapMs: 65, measuredFrom: 'loss' });
  });
});

describe('on an idle cluster', () => {
  it('probes from the loss until one is acknowledged, and says where it measured from', async () => {
    const { gaps, probes, stopwatch, elect } = setUp();
    elect(1, 3);
    vi.advanceTimersByTime(5000);
    expect(probes.length).toBe(0);
    stopwatch.process(sampleProcess(1, 'crashed'));
    await vi.advanceTimersByTimeAsync(100);
    expect(probes.length).toBeGreaterThan(8);
    for (const probe of probes.slice(0, 5)) probe.reject(new Error('no leader'));
    elect(3, 4);
    const last = probes.at(-1);
    last?.resolve({ startedAt: last.startedAt, at: Date.now(), nodeId: 3, term: 4 });
    await vi.advanceTimersByTimeAsync(0);
    expect(gaps.at(-1)).toMatchObject({ gapMs: 100, measuredFrom: 'loss', toLeader: 3 });
    const count = probes.length;
    await vi.advanceTimersByTimeAsync(1000);
    expect(probes.length).toBe(count);
  });

  it('an election that leads nowhere is no failover: the old leader still answers', async () => {
    const { gaps, probes, elect, campaign } = setUp();
    elect(1, 3);
    vi.advanceTimersByTime(1000);
    campaign(2, 4);
    await vi.advanceTimersByTimeAsync(100);
    expect(probes.length).toBe(1);
    const probe = probes.at(-1);
    probe?.resolve({ startedAt: probe.startedAt, at: Date.now(), nodeId: 1, term: 3 });
    await vi.advanceTimersByTimeAsync(0);
    expect(gaps).toEqual([]);
    const count = probes.length;
    await vi.advanceTimersByTimeAsync(1000);
    expect(probes.length).toBe(count);
  });

  it('never has more than forty probes under way, and asks less often the longer it lasts', async () => {
    const { probes, stopwatch, elect } = setUp();
    elect(1, 3);
    stopwatch.process(sampleProcess(1, 'crashed'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(probes.length).toBe(40);
    for (const probe of probes) probe.reject(new Error('no leader'));
    const before = probes.length;
    await vi.advanceTimersByTimeAsync(1000);
    expect(probes.length - before).toBeLessThan(12);
    stopwatch.close();
  });
});

describe('a paused leader', () => {
  it('that is woken early ends the gap in its own term', () => {
    const { gaps, stopwatch, acknowledge, elect } = setUp();
    elect(1, 3);
    acknowledge(1, 3);
    stopwatch.process(sampleProcess(1, 'paused'));
    vi.advanceTimersByTime(60);
    acknowledge(1, 3);
    expect(gaps.at(-1)?.gapMs).toBeNull();
    vi.advanceTimersByTime(20);
    stopwatch.process(sampleProcess(1, 'running'));
    acknowledge(1, 3);
    expect(gaps.at(-1)).toMatchObject({ gapMs: 20, toLeader: 1, toTerm: 3 });
  });

  it('that was replaced does not end the gap when it wakes', () => {
    const { gaps, stopwatch, acknowledge, elect } = setUp();
    elect(1, 3);
    stopwatch.process(sampleProcess(1, 'paused'));
    elect(2, 4);
    vi.advanceTimersByTime(300);
    acknowledge(2, 4);
    expect(gaps.at(-1)).toMatchObject({ toLeader: 2, gapMs: 300 });
    stopwatch.process(sampleProcess(1, 'running'));
    stopwatch.event(roleEvent(1, { from: 'leader', to: 'follower', term: 4 }));
    expect(gaps.length).toBe(2);
  });
});

it('losing a follower opens nothing; a reset forgets an open gap', () => {
  const { gaps, stopwatch, acknowledge, elect } = setUp();
  elect(1, 3);
  stopwatch.process(sampleProcess(2, 'crashed'));
  expect(gaps).toEqual([]);
  stopwatch.process(sampleProcess(1, 'crashed'));
  stopwatch.forget();
  elect(2, 1);
  acknowledge(2, 1);
  expect(gaps.length).toBe(1);
});

it('two leaders lost before a write succeeds are one gap', () => {
  const { gaps, stopwatch, acknowledge, elect } = setUp();
  elect(1, 3);
  acknowledge(1, 3);
  stopwatch.process(sampleProcess(1, 'crashed'));
  vi.advanceTimersByTime(200);
  elect(2, 4);
  stopwatch.process(sampleProcess(2, 'crashed'));
  vi.advanceTimersByTime(500);
  elect(3, 6);
  acknowledge(3, 6);
  expect(gaps.map(({ id }) => id)).toEqual([1, 1]);
  expect(gaps.at(-1)).toMatchObject({ gapMs: 700, fromLeader: 1, toLeader: 3, toTerm: 6 });
});
