// Three whole nodes in one process: elect, write, read, pass on, suffer, stop.
import { afterEach, describe, expect, test } from 'vitest';
import type { DiskFault } from '../../engine/protocol/faults.ts';
import { waitUntil } from '../main/wait-until.ts';
import { type InProcessCluster, type InProcessNode, startCluster } from './in-process-cluster.ts';
import { JsonClient } from './json-client.ts';

let cluster: InProcessCluster | null = null;
const clients: JsonClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await cluster?.close();
  cluster = null;
});

function clientOf({ node }: InProcessNode): JsonClient {
  const client = new JsonClient(node.clientAddress);
  clients.push(client);
  return client;
}

const HANG: DiskFault = { id: 'hang', operations: ['sync'], effect: { kind: 'hang' } };

async function withinMs<T>(limitMs: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${limitMs} ms: ${what}`)), limitMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

describe('three nodes', () => {
  test('elect, write, read anywhere, pass on, and tell the leader to who does not ask for that', async () => {
    cluster = await startCluster();
    const leader = await cluster.elected();
    const follower = cluster.nodes.find((other) => other !== leader) as InProcessNode;
    const [near, far] = [clientOf(leader), clientOf(follower)];
    expect(await near.ask({ command: 'set', key: 'a', value: '1' })).toMatchObject({ status: 'ok' });
    expect(await far.ask({ command: 'set', key: 'b', value: '2' })).toMatchObject({
      status: 'redirect',
      leader_id: leader.id,
    });
    expect(await far.ask({ command: 'set', key: 'b', value: '2', forward: true })).toMatchObject({
      status: 'ok',
    });
    // Linearizable, served by the follower itself.
    expect(await far.ask({ command: 'get', key: 'b', forward: true })).toMatchObject({ value: '2' });
    expect(await near.ask({ command: 'get', key: 'b' })).toMatchObject({ value: '2' });
    expect(await near.ask({ command: 'ping' })).toMatchObject({ status: 'ok' });
  });

  test('tell their figures to whoever reads the metrics page, each time anew', async () => {
    cluster = await startCluster();
    const leader = await cluster.elected();
    const page = async ({ node }: InProcessNode): Promise<string> =>
      (await fetch(`http://${node.clientAddress}/metrics`)).text();
    const committed = async (): Promise<number> => {
      const line = /^quorumlab_server_proposals_committed_total\{node_id="\d"\} (\d+)$/m.exec(
        await page(leader),
      );
      return Number(line?.[1]);
    };
    expect(await page(leader)).toContain(`quorumlab_server_is_leader{node_id="${leader.id}"} 1\n`);
    const before = await committed();
    for (let write = 0; write < 3; write++) {
      await clientOf(leader).ask({ command: 'set', key: 'a', value: String(write) });
    }
    expect(await committed()).toBe(before + 3);
    for (const follower of cluster.nodes.filter((other) => other !== leader)) {
      expect(await page(follower)).toContain(`quorumlab_server_is_leader{node_id="${follower.id}"} 0\n`);
    }
  });

  test('the leader stops in order: what it acknowledged is there, and another leads without an election timeout', async () => {
    cluster = await startCluster();
    const leader = await cluster.elected();
    const client = clientOf(leader);
    const acknowledged: string[] = [];
    let stopped = false;
    const writes = (async () => {
      for (let turn = 0; !stopped && turn < 10_000; turn++) {
        const reply = await client.ask({ command: 'set', key: `k${turn}`, value: `v${turn}` });
        if (reply.status === 'closed') return;
        if (reply.status === 'ok') acknowledged.push(`k${turn}`);
      }
    })();
    await waitUntil('some writes', () => acknowledged.length >= 20);
    await leader.node.stop('asked to');
    stopped = true;
    await writes;
    const others = cluster.nodes.filter((other) => other !== leader);
    await waitUntil('a new leader', () => others.some(({ node }) => node.status().raft.role === 'leader'));
    const next = others.find(({ node }) => node.status().raft.role === 'leader') as InProcessNode;
    expect(next.events.some(({ event }) => event.type === 'electionStarted' && event.rule === 'E10')).toBe(
      true,
    );
    const reader = clientOf(next);
    for (const key of acknowledged) {
      expect(await reader.ask({ command: 'get', key })).toMatchObject({ value: key.replace('k', 'v') });
    }
    await cluster.restart(leader.id);
    await cluster.elected();
  });
});

describe('stopping', () => {
  test('who asks again waits for the same stop', async () => {
    cluster = await startCluster(1);
    const { node } = await cluster.elected();
    const order: string[] = [];
    const first = node.stop('first').then(() => order.push('first'));
    const second = node.stop('second').then(() => order.push('second'));
    await Promise.all([first, second]);
    // The folder is free again: the stop was over when it said so.
    expect(order).toEqual(['first', 'second']);
    await cluster.restart(1);
  });

  test('[W11] a sync that never returns does not keep a node from stopping', async () => {
    cluster = await startCluster();
    const leader = await cluster.elected();
    leader.node.setFaults({ disk: [HANG], links: [] });
    void clientOf(leader).ask({ command: 'set', key: 'a', value: '1' });
    await waitUntil('the sync hangs', () => leader.node.status().disk.syncInFlightMs > 20);
    await withinMs(4000, 'the stop of a node whose disk hangs', leader.node.stop('asked to'));
    expect(leader.node.diskHangs).toBe(true);
  });
});

test('[W11] a leader whose disk hangs gives leadership away, again if the first try comes to nothing', async () => {
  cluster = await startCluster();
  const leader = await cluster.elected();
  // The successor is told nothing: everything to both followers but heartbeats is a cut away.
  const links = cluster.nodes
    .filter((other) => other !== leader)
    .map(({ id }) => ({
      id: `cut ${id}`,
      peer: id,
      direction: 'outbound' as const,
      effect: { kind: 'loss' as const, probability: 0.5 },
    }));
  leader.node.setFaults({ disk: [HANG], links });
  void clientOf(leader).ask({ command: 'set', key: 'a', value: '1' });
  await waitUntil('another leader', () => leader.node.status().raft.role !== 'leader', 15_000);
  leader.node.setFaults({ disk: [], links: [] });
  await cluster.elected();
});
