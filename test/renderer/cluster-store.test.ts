// @vitest-environment node
// The window's copy of the cluster: batches by frame, holes, floods, silence and loss.
import { expect, test } from 'vitest';
import {
  ANSWER_WITHIN_MS,
  ClusterFeed,
  RETRY_MS,
  SILENCE_MS,
  WAITING_BATCHES_MAX,
} from '../../src/renderer/store/cluster-store.ts';
import type { ClusterItem } from '../../src/shared/cluster-view.ts';
import { HandTurnedHost, settled } from './hand-turned-host.ts';
import { MemoryBridge } from './memory-bridge.ts';
import { killed, START, statusItem, viewAfter } from './sample-view.ts';

async function connected() {
  const bridge = new MemoryBridge(viewAfter());
  const host = new HandTurnedHost();
  const feed = new ClusterFeed(bridge, host);
  await settled();
  const commitOf1 = () => feed.store.getState().view?.nodes[0]?.status?.raft.commitIndex;
  return { bridge, host, feed, commitOf1 };
}

const commits = (commitIndex: number, at = START + commitIndex): ClusterItem =>
  statusItem(1, { at, raft: { role: 'leader', commitIndex } });

test('the first picture makes it live', async () => {
  const { feed } = await connected();
  expect(feed.store.getState()).toMatchObject({ connection: { state: 'live' }, view: { sequence: 2 } });
});

test('all batches between two frames become one change, in order, and their items are handed on', async () => {
  const { bridge, host, feed, commitOf1 } = await connected();
  let changes = 0;
  const seen: string[] = [];
  feed.store.subscribe(() => changes++);
  feed.onItems((items) => seen.push(...items.map(({ type }) => type)));
  bridge.push(commits(130));
  bridge.push(commits(131), { type: 'deed', at: START, text: 'kill n3', nodeId: 3 });
  expect(commitOf1()).toBe(118);
  host.frame();
  expect(commitOf1()).toBe(131);
  expect(changes).toBe(1);
  expect(seen).toEqual(['status', 'status', 'deed']);
});

test('a killed node is dead with the next frame', async () => {
  const { bridge, host, feed } = await connected();
  bridge.push({ type: 'process', process: killed(1) });
  host.frame();
  expect(feed.store.getState().view?.nodes[0]).toMatchObject({ process: { state: 'crashed' }, status: null });
});

test('a hole in the sequence asks for a new picture and goes on from it', async () => {
  const { bridge, host, commitOf1 } = await connected();
  bridge.view = { ...viewAfter(commits(500)), sequence: 40 };
  bridge.send({ sequence: 38, at: START, dropped: 0, items: [commits(1)] });
  host.frame();
  await settled();
  expect(bridge.asked('cluster:view')).toHaveLength(2);
  expect(commitOf1()).toBe(500);
  bridge.push(commits(501));
  host.frame();
  expect(commitOf1()).toBe(501);
});

test('a batch that the picture already contains is not applied again', async () => {
  const { bridge, host, commitOf1 } = await connected();
  bridge.push(commits(130));
  host.frame();
  bridge.send({ sequence: 2, at: START, dropped: 0, items: [commits(7, START + 9999)] });
  host.frame();
  expect(commitOf1()).toBe(130);
});

test('a flood between two frames is given up for a new picture: the queue stays bounded', async () => {
  const { bridge, host, commitOf1 } = await connected();
  for (let step = 1; step <= WAITING_BATCHES_MAX + 50; step++) bridge.push(commits(1000 + step));
  await settled();
  expect(bridge.asked('cluster:view').length).toBeGreaterThan(1);
  host.frame();
  expect(commitOf1()).toBe(1000 + WAITING_BATCHES_MAX + 50);
});

test('silence leads to a question; an answer keeps it live', async () => {
  const { bridge, host, feed } = await connected();
  await host.pass(SILENCE_MS + RETRY_MS);
  expect(bridge.asked('cluster:view').length).toBeGreaterThan(1);
  expect(feed.store.getState().connection.state).toBe('live');
});

test('a bridge that fails is lost since the last word, keeps the old picture, and comes back', async () => {
  const { bridge, host, feed, commitOf1 } = await connected();
  bridge.broken = 'The panel has ended.';
  await host.pass(SILENCE_MS + 3 * RETRY_MS);
  expect(feed.store.getState().connection).toEqual({
    state: 'lost',
    since: START,
    message: 'The panel has ended.',
  });
  expect(commitOf1()).toBe(118);
  bridge.broken = null;
  await host.pass(RETRY_MS);
  expect(feed.store.getState().connection.state).toBe('live');
});

test('a bridge that never answers is lost too', async () => {
  const host = new HandTurnedHost();
  const feed = new ClusterFeed({ call: () => new Promise(() => {}), on: () => () => {} }, host);
  await host.pass(ANSWER_WITHIN_MS + RETRY_MS);
  expect(feed.store.getState().connection).toMatchObject({
    state: 'lost',
    message: 'The panel does not answer.',
  });
});

test('after dispose nothing listens and no timer runs', async () => {
  const { bridge, host, feed } = await connected();
  feed.dispose();
  expect(bridge.listenerCount).toBe(0);
  expect(host.pendingTimers).toBe(0);
});
