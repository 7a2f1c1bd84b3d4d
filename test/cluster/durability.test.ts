// What is acknowledged stays, whatever is killed: real processes, real sockets, real files.
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ClientError } from '../../engine/client/client-error.ts';
import { eventually, TestCluster } from './harness.ts';
import { everything, expectAll, staleView, startLoad } from './load.ts';

const open: TestCluster[] = [];

afterEach(async () => {
  for (const cluster of open.splice(0)) await cluster.stop();
});

async function startCluster(config: object = {}): Promise<TestCluster> {
  const cluster = await TestCluster.start({ config });
  open.push(cluster);
  return cluster;
}

test('kill the leader 20 times under load: every acknowledged write is still there', {
  timeout: 240_000,
}, async () => {
  const cluster = await startCluster();
  const client = cluster.client();
  const load = startLoad([client], 8);
  const gaps: number[] = [];
  for (let kill = 0; kill < 20; kill++) {
    await eventually('writes flow', () => load.times.length > kill * 20);
    const leader = await cluster.leader();
    const before = load.times.length;
    await eventually('writes go on', () => load.times.length > before);
    const killedAt = performance.now();
    await leader.kill();
    await eventually('a write is acknowledged after the kill', () => (load.times.at(-1) ?? 0) > killedAt + 1);
    gaps.push(longestGap(load.times, killedAt));
    await leader.start();
    await cluster.converged();
  }
  await load.stop();
  gaps.sort((a, b) => a - b);
  console.info(
    `20 kills: failover gap median ${gaps[10]?.toFixed(0)} ms, worst ${gaps.at(-1)?.toFixed(0)} ms; ` +
      `${load.acknowledged.size} acknowledged, ${load.unknown} unknown`,
  );

  const found = await everything(client);
  expectAll(found, load.acknowledged);
  expect(load.acknowledged.size).toBeGreaterThan(400);
  // Every increment was retried with its sequence until it was acknowledged: none counted twice, none is missing.
  if (load.unknown === 0) expect(BigInt(found.get('counter') as number)).toBe(load.counted);
  await cluster.converged();
  for (const node of cluster.nodes) expectAll(await staleView(node), load.acknowledged);
});

/** The longest time without an acknowledgement around a kill. */
function longestGap(times: readonly number[], killedAt: number): number {
  let longest = 0;
  for (let i = times.length - 1; i > 0; i--) {
    const [earlier, later] = [times[i - 1] as number, times[i] as number];
    if (later < killedAt) break;
    longest = Math.max(longest, later - earlier);
  }
  return longest;
}

test('a follower that was killed catches up when it is back', async () => {
  const cluster = await startCluster();
  const client = cluster.client();
  const [follower] = await cluster.followers();
  if (follower === undefined) throw new Error('no follower');
  await client.set('before', 'seen');
  await follower.kill();
  await Promise.all(Array.from({ length: 2_000 }, (_, i) => client.set(`k${i}`, `v${i}`)));
  await follower.start();
  await cluster.converged();
  const view = await staleView(follower);
  expect(view.size).toBe(2_001);
  expect(view.get('k1999')).toBe('v1999');
  expect(view.get('before')).toBe('seen');
});

test('all three killed at once and started again: the data is there', async () => {
  const cluster = await startCluster();
  const client = cluster.client();
  await Promise.all(Array.from({ length: 300 }, (_, i) => client.set(`k${i}`, i)));
  const term = (await cluster.leader()).status?.raft.currentTerm ?? 0;
  await Promise.all(cluster.nodes.map((node) => node.kill()));
  await Promise.all(cluster.nodes.map((node) => node.start()));
  await cluster.leader((_, newTerm) => newTerm > term);
  const found = await everything(cluster.client());
  expect(found.size).toBe(300);
  expect(found.get('k299')).toBe(299);
});

test('two clients bulk-writing the same 100 keys never mix', async () => {
  const cluster = await startCluster();
  const keys = Array.from({ length: 100 }, (_, i) => `shared-${String(i).padStart(3, '0')}`);
  const names = ['a', 'b'];
  let writing = names.length;
  const writers = names.map(async (name) => {
    const client = cluster.client();
    for (let round = 0; round < 40; round++) {
      await client.bulkSet(keys.map((key) => [key, `${name}${round}`]));
    }
    writing--;
  });
  const reader = cluster.client();
  const seen = new Set<string>();
  while (writing > 0) {
    const { items } = await reader.scanPage({ prefix: 'shared-', limit: 100 });
    const values = new Set(items.map((item) => item.value));
    expect(values.size).toBeLessThanOrEqual(1);
    if (items.length > 0) {
      expect(items).toHaveLength(100);
      seen.add(String(items[0]?.value));
    }
  }
  await Promise.all(writers);
  // The reader saw more than the end, or it proved nothing.
  expect(seen.size).toBeGreaterThan(3);
  await cluster.converged();
  for (const node of cluster.nodes) {
    expect(new Set((await staleView(node)).values()).size).toBe(1);
  }
});

test('SIGKILL of the leader in the middle of a 5,000-item bulk write leaves all or nothing', {
  timeout: 120_000,
}, async () => {
  const cluster = await startCluster();
  const keys = Array.from({ length: 5_000 }, (_, i) => `item-${String(i).padStart(4, '0')}`);
  const outcomes: string[] = [];
  let current = 'first';
  await cluster.client().bulkSet(keys.map((key) => [key, 'warm']));
  const startedAt = performance.now();
  await cluster.client().bulkSet(keys.map((key) => [key, 'first']));
  const undisturbedMs = performance.now() - startedAt;
  for (let round = 0; round < 8; round++) {
    const leader = await cluster.leader();
    const client = cluster.client({ sessions: false });
    await client.ping({ address: leader.clientAddress });
    const value = `round-${round}-${'x'.repeat(100)}`;
    const write = client.bulkSet(keys.map((key) => [key, value])).then(
      () => 'acknowledged',
      (error: unknown) => (error instanceof ClientError ? error.outcome : Promise.reject(error)),
    );
    // Spread over the life of the write, as long as it took undisturbed: on the wire, in the log, on its way
    // to the followers, applied.
    await new Promise((go) => setTimeout(go, (undisturbedMs * round) / 6));
    await leader.kill();
    const outcome = await write;
    await cluster.leader((node) => node !== leader);
    const found = await everything(cluster.client());
    const values = new Set(found.values());
    expect(values.size).toBe(1);
    expect(found.size).toBe(5_000);
    const now = String([...values][0]);
    if (outcome === 'acknowledged') expect(now).toBe(value);
    else expect([current, value]).toContain(now);
    outcomes.push(`${outcome}, ${now === value ? 'all' : 'nothing'}`);
    current = now;
    await leader.start();
    await cluster.converged();
  }
  console.info(`8 kills in a 5,000-item bulk write: ${outcomes.join('; ')}`);
});

test('SIGKILL while half of a bulk write has arrived leaves nothing of it', async () => {
  const cluster = await startCluster();
  const leader = await cluster.leader();
  await cluster.client().set('item-0000', 'before');
  const items = Array.from({ length: 5_000 }, (_, i) => [`item-${String(i).padStart(4, '0')}`, 'half']);
  const line = JSON.stringify({ command: 'bulk_set', items });
  const socket = connect(leader.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(line.slice(0, line.length / 2));
  await eventually('half of it has left', () => !socket.connecting && socket.writableLength === 0);
  await leader.kill();
  socket.destroy();
  const found = await everything(cluster.client());
  expect([...found]).toEqual([['item-0000', 'before']]);
});
