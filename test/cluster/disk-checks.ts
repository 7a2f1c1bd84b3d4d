// What must be seen of a cluster in which one disk is bad, however it became so.
import { expect } from 'vitest';
import type { Alarm } from '../../engine/protocol/node-status.ts';
import { eventually, type TestCluster, type TestNode } from './harness.ts';
import { everything, expectAll, type Load, staleView, startLoad } from './load.ts';
import { RawConnection } from './raw-connection.ts';

/** When the alarm was raised, on the clock of the nodes. */
export function alarmRaised(node: TestNode, alarm: Alarm): Promise<number> {
  return eventually(
    `n${node.id} raises ${alarm}`,
    () => node.events.findLast(({ event }) => event.type === 'alarmRaised' && event.alarm === alarm)?.at,
  );
}

/** In its status too, which is sent ten times a second. */
export async function alarmShown(node: TestNode, alarm: Alarm): Promise<void> {
  await eventually(`n${node.id} shows ${alarm}`, () => node.status?.alarms.includes(alarm) === true);
}

export async function alarmCleared(node: TestNode, alarm: Alarm): Promise<void> {
  await eventually(`n${node.id} clears ${alarm}`, () => {
    const said = node.events.some(({ event }) => event.type === 'alarmCleared' && event.alarm === alarm);
    return said && node.status?.alarms.includes(alarm) === false;
  });
}

export async function writesGoOn(load: Load): Promise<void> {
  const before = load.times.length;
  await eventually('writes go on', () => load.times.length > before + 20);
}

/** All of it is there: for whoever asks the cluster, and on the node that had the fault. */
export async function expectNothingLost(cluster: TestCluster, load: Load, node: TestNode): Promise<void> {
  await load.stop();
  expectAll(await everything(cluster.client(), 'w'), load.acknowledged);
  await cluster.converged();
  expectAll(await staleView(node, 'w'), load.acknowledged);
}

const ASKED_MIN = 100;

/** Asks the node for writes until `until` holds, and not too few; the first that it acknowledges fails the test. */
async function expectNoAcknowledgement(node: TestNode, until: () => boolean): Promise<number> {
  const connection = new RawConnection(node);
  let asked = 0;
  do {
    const reply = await connection.ask({ command: 'set', key: 'refused', value: asked });
    expect(['redirect', 'error']).toContain(reply.status);
    if (reply.status === 'error') expect(reply.code).toBe('NO_SPACE');
    asked++;
  } while (!until() || asked < ASKED_MIN);
  connection.close();
  return asked;
}

/** `fill` while it leads, then `heal`: what a full disk of the leader must look like from outside, injected or real. */
export async function expectFullLeaderGivesWay(
  cluster: TestCluster,
  leader: TestNode,
  disk: { fill(): Promise<void>; heal(): Promise<void> },
): Promise<void> {
  const load = startLoad([cluster.client()], 8);
  await writesGoOn(load);
  await disk.fill();
  const raisedAt = await alarmRaised(leader, 'noSpace');
  const successor = cluster.leader((node) => node !== leader);
  let moved = false;
  void successor.then(() => {
    moved = true;
  });
  const asked = await expectNoAcknowledgement(leader, () => moved);
  await writesGoOn(load);
  await alarmShown(leader, 'noSpace');
  expect(leader.running).toBe(true);
  await disk.heal();
  await alarmCleared(leader, 'noSpace');
  await expectNothingLost(cluster, load, leader);
  const gap = leadershipGapMs(await successor, raisedAt);
  console.info(`full disk: led by another ${gap} ms after the alarm; ${asked} writes refused until then`);
}

/** From `since` to when the node said that it leads. */
export function leadershipGapMs(node: TestNode, since: number): number {
  const led = node.events.findLast(({ event }) => event.type === 'roleChanged' && event.to === 'leader');
  return Math.round((led?.at ?? Number.NaN) - since);
}
