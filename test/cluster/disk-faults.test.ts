// One bad disk of three: full, hung, failing, lying. The cluster goes on, nothing acknowledged is lost, and the
// node says what it has.
import { readdir } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ExitCode } from '../../engine/protocol/control.ts';
import type { DiskFault } from '../../engine/protocol/faults.ts';
import {
  alarmCleared,
  alarmRaised,
  alarmShown,
  expectFullLeaderGivesWay,
  expectNothingLost,
  leadershipGapMs,
  writesGoOn,
} from './disk-checks.ts';
import { eventually, TestCluster, type TestNode } from './harness.ts';
import { startLoad } from './load.ts';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start();
});

afterAll(async () => {
  await cluster.stop();
});

// A test that fails leaves its fault behind; the next one is about another.
afterEach(async () => {
  for (const node of cluster.nodes) {
    if (node.running) await node.setFaults({});
    else await node.start();
  }
});

async function follower(): Promise<TestNode> {
  const [found] = await cluster.followers();
  if (found === undefined) throw new Error('no follower');
  return found;
}

function inject(node: TestNode, fault: Omit<DiskFault, 'id'>): Promise<void> {
  return node.setFaults({ disk: [{ id: 'injected', ...fault }] });
}

test('ENOSPC on the leader: alarm, leadership moves, it acknowledges nothing; healed, it is whole again', async () => {
  const leader = await cluster.leader();
  await expectFullLeaderGivesWay(cluster, leader, {
    fill: () => inject(leader, { operations: ['write'], effect: { kind: 'error', code: 'ENOSPC' } }),
    heal: () => leader.setFaults({}),
  });
});

test('a hung sync on the leader: leadership moves within an election timeout of noticing, and writes go on', async () => {
  const leader = await cluster.leader();
  const load = startLoad([cluster.client()], 8);
  await writesGoOn(load);
  await inject(leader, { operations: ['sync'], effect: { kind: 'hang' } });
  const raisedAt = await alarmRaised(leader, 'diskHung');
  const successor = await cluster.leader((node) => node !== leader);
  const gapMs = leadershipGapMs(successor, raisedAt);
  console.info(`hung sync: led by another ${gapMs} ms after the alarm`);
  // An election timeout is 300 ms at most; the rest is for a busy machine.
  expect(gapMs).toBeLessThan(300 + 700);
  await writesGoOn(load);
  await alarmShown(leader, 'diskHung');
  expect(leader.running).toBe(true);
  await leader.setFaults({});
  await alarmCleared(leader, 'diskHung');
  await expectNothingLost(cluster, load, leader);
});

describe.each([
  ['a sync that fails', { operations: ['sync'], effect: { kind: 'error', code: 'EIO' } }],
  ['a write cut short', { operations: ['write'], effect: { kind: 'shortWrite' } }],
] satisfies [string, Omit<DiskFault, 'id'>][])('%s', (_name, fault) => {
  test.each(['leader', 'follower'])(
    'on a %s ends it with exit code 74, and the cluster goes on',
    async (role) => {
      const node = role === 'leader' ? await cluster.leader() : await follower();
      const load = startLoad([cluster.client()], 8);
      await writesGoOn(load);
      await inject(node, fault);
      expect(await node.exited()).toEqual({ code: ExitCode.diskFailed, signal: null });
      expect(node.lines.at(-1)).toContain('disk failed: EIO');
      await writesGoOn(load);
      await node.start();
      await expectNothingLost(cluster, load, node);
    },
  );
});

test('a follower’s syncs lied and its power is cut: it refetches what it lost', async () => {
  const node = await follower();
  const load = startLoad([cluster.client()], 8);
  await inject(node, { operations: ['sync', 'syncFolder'], effect: { kind: 'lyingSync' } });
  await eventually('it has lied about much', () => load.times.length > 500);
  await node.powerCut(1);
  const said = node.lines.findLast((line) => line.startsWith('power cut'));
  expect(Number(/"bytesLost":(\d+)/.exec(said ?? '')?.[1])).toBeGreaterThan(10_000);
  await writesGoOn(load);
  await node.start();
  await expectNothingLost(cluster, load, node);
});

async function snapshotsIn(node: TestNode): Promise<string[]> {
  return (await readdir(node.dataDir)).filter((name) => name.endsWith('.snap')).sort();
}

test.each(['EIO', 'ENOSPC'] as const)(
  'a snapshot that fails half-way by %s changes nothing',
  async (code) => {
    const node = await cluster.leader();
    const load = startLoad([cluster.client()], 8);
    await writesGoOn(load);
    const before = await snapshotsIn(node);
    await inject(node, { operations: ['write'], effect: { kind: 'error', code }, pathContains: '.snap' });
    await node.act({ kind: 'snapshot' }).catch(() => {});
    await eventually(`n${node.id} says that it failed`, () =>
      node.events.some(({ event }) => event.type === 'snapshotFailed' && event.message.includes(code)),
    );
    await writesGoOn(load);
    expect(await snapshotsIn(node)).toEqual(before);
    await node.setFaults({});
    await node.act({ kind: 'snapshot' });
    await eventually('one is taken', async () => (await snapshotsIn(node)).at(-1) !== before.at(-1));
    await node.kill();
    await node.start();
    await expectNothingLost(cluster, load, node);
  },
);

test('SIGKILL half-way through a snapshot changes nothing', async () => {
  const node = await cluster.leader();
  const load = startLoad([cluster.client()], 8);
  await writesGoOn(load);
  const before = await snapshotsIn(node);
  await inject(node, { operations: ['sync'], effect: { kind: 'hang' }, pathContains: '.snap' });
  node.act({ kind: 'snapshot' }).catch(() => {});
  const partsOf = async () => (await readdir(node.dataDir)).filter((name) => name.endsWith('.snap.tmp'));
  await eventually('a part of it is on disk', async () => (await partsOf()).length === 1);
  await node.kill();
  expect(await partsOf()).toHaveLength(1);
  await writesGoOn(load);
  await node.start();
  expect(await partsOf()).toEqual([]);
  expect(await snapshotsIn(node)).toEqual(before);
  await expectNothingLost(cluster, load, node);
});
