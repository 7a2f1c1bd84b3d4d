// The small parts of a node: who waits for which write, time, latencies, lag, configuration.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FollowerLag } from '../../engine/node/follower-lag.ts';
import { inTime } from '../../engine/node/in-time.ts';
import { LatencyWindow } from '../../engine/node/latency-window.ts';
import { ConfigError, parseNodeConfig, splitAddress } from '../../engine/node/node-config.ts';
import { raftOptionsOf, tickIntervalMsOf } from '../../engine/node/raft-options.ts';
import { Ticker } from '../../engine/node/ticker.ts';
import { WaitingWrites } from '../../engine/node/waiting-writes.ts';
import { checkOptions } from '../../engine/raft/options.ts';
import type { RaftPicture } from '../../engine/raft/picture.ts';
import { SingleNode } from '../raft/single-node.ts';

describe('waiting writes', () => {
  const waiting = (index: number, term = 1, arrivedAt = index) => ({
    index,
    term,
    arrivedAt,
    request: `r${index}`,
  });

  test('are found by index and term, once, in order', () => {
    const writes = new WaitingWrites<string>();
    for (const index of [3, 4, 7]) writes.add(waiting(index));
    expect(writes.take(2, 1)).toBeNull();
    expect(writes.take(3, 2)).toBeNull();
    expect(writes.take(3, 1)?.request).toBe('r3');
    expect(writes.take(3, 1)).toBeNull();
    expect(writes.take(4, 1)?.request).toBe('r4');
    expect(writes.take(5, 1)).toBeNull();
    expect(writes.take(7, 1)?.request).toBe('r7');
    expect(writes.size).toBe(0);
  });

  test('are given up by age, oldest first, and those behind are found all the same', () => {
    const writes = new WaitingWrites<string>();
    for (const index of [1, 2, 3]) writes.add(waiting(index));
    expect(writes.takeOlder(3).map(({ request }) => request)).toEqual(['r1', 'r2']);
    expect(writes.take(1, 1)).toBeNull();
    expect(writes.take(3, 1)?.request).toBe('r3');
    expect(writes.takeAll()).toEqual([]);
  });

  test('forget what is done: a hundred thousand passing through leave nothing', () => {
    const writes = new WaitingWrites<string>();
    for (let index = 1; index <= 100_000; index++) {
      writes.add(waiting(index));
      if (index > 10) expect(writes.take(index - 10, 1)?.index).toBe(index - 10);
    }
    expect(writes.size).toBe(10);
    expect(writes.takeAll().map(({ index }) => index)).toEqual(
      [...Array(10).keys()].map((at) => 99_991 + at),
    );
    expect(writes.size).toBe(0);
  });
});

describe('the ticker', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  test('ticks at its pace, and not after a stop', () => {
    const ticks: number[] = [];
    const ticker = new Ticker(10, (count) => ticks.push(count));
    ticker.start();
    vi.advanceTimersByTime(50);
    expect(ticks).toEqual([1, 1, 1, 1, 1]);
    ticker.stop();
    vi.advanceTimersByTime(1000);
    expect(ticks).toHaveLength(5);
  });

  test('a process that was stopped for long is given two ticks, and goes on from there', () => {
    vi.useRealTimers();
    const ticks: number[] = [];
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const ticker = new Ticker(10, (count) => ticks.push(count));
    ticker.start();
    const wakeAt = (at: number): void => {
      now = at;
      vi.advanceTimersByTime(10);
    };
    for (const at of [10, 19, 31, 52, 60, 5000, 5009, 5010]) wakeAt(at);
    //                      1   0   2   2   1    2 (not 494)   0     1
    expect(ticks).toEqual([1, 2, 2, 1, 2, 1]);
    ticker.stop();
    clock.mockRestore();
  });
});

describe('the latency window', () => {
  test('gives percentiles of the last whole second, to 4 %', () => {
    const window = new LatencyWindow();
    expect(window.read(1000)).toEqual({ p50Ms: 0, p99Ms: 0 });
    for (let sample = 1; sample <= 1000; sample++) window.record(sample / 10);
    expect(window.read(1500)).toEqual({ p50Ms: 0, p99Ms: 0 });
    const { p50Ms, p99Ms } = window.read(2000);
    expect(p50Ms / 50).toBeGreaterThan(0.96);
    expect(p50Ms / 50).toBeLessThan(1.04);
    expect(p99Ms / 99).toBeGreaterThan(0.96);
    expect(p99Ms / 99).toBeLessThan(1.04);
    expect(window.read(3000)).toEqual({ p50Ms: 0, p99Ms: 0 });
  });

  test('takes any number, from nothing to an hour', () => {
    const window = new LatencyWindow();
    for (const sample of [0, -1, 1e-9, 3_600_000, Number.POSITIVE_INFINITY, Number.NaN])
      window.record(sample);
    const { p50Ms, p99Ms } = window.read(1000);
    expect(p50Ms).toBeLessThan(p99Ms);
    expect(p99Ms).toBeGreaterThan(60_000);
  });
});

describe('the lag of followers', () => {
  const leader = new SingleNode();
  leader.becomeLeader();
  const base = leader.raft.status();
  const picture = (lastIndex: number, matches: readonly number[]): RaftPicture => {
    const [progress] = base.progress;
    if (progress === undefined) throw new Error('a leader has followers');
    return {
      ...base,
      lastIndex,
      progress: matches.map((matchIndex, at) => ({ ...progress, id: 2 + at, matchIndex })),
    };
  };

  test('is counted from when the leader passed the first index that is missing', () => {
    const lag = new FollowerLag();
    lag.observe(picture(10, [10, 10]), 1000);
    lag.observe(picture(20, [20, 10]), 1100);
    lag.observe(picture(30, [30, 10]), 1200);
    expect(lag.lagMs({ id: 2, matchIndex: 30 }, 30, 1500)).toBe(0);
    expect(lag.lagMs({ id: 3, matchIndex: 10 }, 30, 1500)).toBe(400);
    expect(lag.lagMs({ id: 3, matchIndex: 25 }, 30, 1500)).toBe(300);
  });

  test('keeps a bounded memory of a follower that is down', () => {
    const lag = new FollowerLag();
    for (let at = 0; at < 20_000; at++) lag.observe(picture(at + 1, [at + 1, 0]), at);
    // "At least": the beginning is forgotten.
    expect(lag.lagMs({ id: 3, matchIndex: 0 }, 20_000, 20_000)).toBe(6000);
  });

  test('a node that no longer leads knows of none', () => {
    const lag = new FollowerLag();
    lag.observe(picture(10, [0]), 1000);
    lag.observe({ ...picture(10, [0]), role: 'follower' }, 1100);
    expect(lag.lagMs({ id: 2, matchIndex: 0 }, 10, 1200)).toBe(0);
  });
});

describe('the configuration', () => {
  const member = { id: 1, peer: '127.0.0.1:7001', client: '127.0.0.1:7101' };
  const good = {
    clusterId: 'c',
    nodeId: 1,
    dataDir: '/tmp/x',
    client: { port: 7101 },
    peer: { port: 7001 },
    peers: [member],
  };

  test('is completed with defaults', () => {
    const config = parseNodeConfig(good);
    expect(config).toMatchObject({
      electionTimeoutMs: [150, 300],
      heartbeatIntervalMs: 50,
      requestTimeoutMs: 5000,
    });
    expect(config.client.host).toBe('127.0.0.1');
  });

  test.each([
    ['clusterId', { clusterId: '' }],
    ['nodeId', { nodeId: 0 }],
    ['nodeId', { nodeId: 1.5 }],
    ['dataDir', { dataDir: undefined }],
    ['client.port', { client: { port: 65_536 } }],
    ['peers.0.peer', { peers: [{ ...member, peer: '127.0.0.1' }] }],
    ['peers.0.client', { peers: [{ ...member, client: '127.0.0.1:65536' }] }],
    ['peers', { peers: [{ ...member, id: 2 }] }],
    ['peers', { peers: [member, member] }],
    ['electionTimeoutMs', { electionTimeoutMs: [300, 300] }],
    ['heartbeatIntervalMs', { heartbeatIntervalMs: 100 }],
    ['limits.valueBytesMax', { limits: { valueBytesMax: 0 } }],
    ['unheardOf', { unheardOf: 1 }],
  ])('names %s when it is wrong: %j', (field, wrong) => {
    const parse = () => parseNodeConfig({ ...good, ...wrong });
    expect(parse).toThrow(ConfigError);
    expect(parse).toThrow(field);
  });

  test('[2001:db8::1]:7001 and host names come apart', () => {
    expect(splitAddress('[2001:db8::1]:7001')).toEqual({ host: '2001:db8::1', port: 7001 });
    expect(splitAddress('node-1.example:7001')).toEqual({ host: 'node-1.example', port: 7001 });
  });

  test('every timing that is accepted makes a core', () => {
    for (const [min, max, heartbeat] of [
      [20, 21, 5],
      [20, 21, 10],
      [150, 300, 50],
      [60_000, 120_000, 10_000],
    ]) {
      const config = parseNodeConfig({
        ...good,
        electionTimeoutMs: [min, max],
        heartbeatIntervalMs: heartbeat,
      });
      expect(tickIntervalMsOf(config)).toBeGreaterThanOrEqual(1);
      checkOptions(raftOptionsOf(config, () => 0));
    }
  });
});

describe('waiting in time', () => {
  test('for what ends, for what does not, for what fails', async () => {
    expect(await inTime(Promise.resolve(), 1000)).toBe(true);
    expect(await inTime(new Promise(() => {}), 5)).toBe(false);
    await expect(inTime(Promise.reject(new Error('no')), 1000)).rejects.toThrow('no');
  });
});
