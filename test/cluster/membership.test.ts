// Members that come and go while clients write: real processes, real folders, and the command line as the tool.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, freeBlock, TestCluster, TestNode } from './harness.ts';
import { everything, expectAll, type Load, startLoad } from './load.ts';
import { cli } from './run-cli.ts';

const HOST = '127.0.0.1';
/** Election timeouts that a busy machine does not miss. */
const TIMEOUTS = { electionTimeoutMs: [300, 600], heartbeatIntervalMs: 50 };

let cluster: TestCluster;
/** The founders and those that joined. */
let nodes: TestNode[];
let load: Load;

/** A node that is told where the founders are, and nothing else. */
async function newcomer(id: number, founders: readonly TestNode[]): Promise<TestNode> {
  const base = await freeBlock([id, id + 100]);
  const own = { id, client: `${HOST}:${base + id}`, peer: `${HOST}:${base + 100 + id}` };
  const peers = founders.map((node) => ({ id: node.id, client: node.clientAddress, peer: node.peerAddress }));
  return new TestNode(
    id,
    {
      clusterId: founders[0]?.config.clusterId,
      nodeId: id,
      dataDir: join(cluster.folder, `n${id}`),
      client: { host: HOST, port: base + id },
      peer: { host: HOST, port: base + 100 + id },
      peers: [...peers, own],
      join: true,
      statusIntervalMs: 50,
      ...TIMEOUTS,
    },
    { clientAddress: own.client, peerAddress: own.peer },
  );
}

/** `quorumlab member …` against whoever is up, as JSON. */
async function member(...words: string[]): Promise<{ code: number | null; said: Record<string, unknown> }> {
  const up = nodes.filter((node) => node.running).map((node) => node.clientAddress);
  const endpoints = ['--endpoints', up.join(','), '--deadline', '20000'];
  const { code, stdout } = await cli(['member', ...words, ...endpoints, '--json']);
  return { code, said: JSON.parse(stdout) };
}

function leader(): Promise<TestNode> {
  return eventually('somebody leads', () => {
    const leading = nodes.filter((node) => node.running && node.status?.raft.role === 'leader');
    return leading.sort((a, b) => (b.status?.raft.currentTerm ?? 0) - (a.status?.raft.currentTerm ?? 0))[0];
  });
}

/** Acknowledgements go on from here. */
async function writesGoOn(why: string): Promise<void> {
  const before = load.acknowledged.size;
  await eventually(`writes go on ${why}`, () => load.acknowledged.size > before + 20);
}

const votersOf = (node: TestNode): readonly number[] => node.status?.raft.configuration.voters ?? [];

beforeAll(async () => {
  cluster = await TestCluster.start({ config: TIMEOUTS });
  nodes = [...cluster.nodes];
  load = startLoad([cluster.client(), cluster.client()], 8);
});

afterAll(async () => {
  await load.stop();
  await Promise.all(nodes.map((node) => node.stop()));
  await cluster.stop();
});

describe('a cluster under load', () => {
  test('[M4] [M5] grows from three to five, and then survives two dead nodes', async () => {
    for (const id of [4, 5]) {
      const node = await newcomer(id, cluster.nodes);
      nodes.push(node);
      await node.start();
      const added = await member(
        'add',
        String(id),
        '--client',
        node.clientAddress,
        '--peer',
        node.peerAddress,
      );
      expect(added).toMatchObject({ code: 0, said: { id, added: true } });
      await eventually(
        `n${id} is level enough`,
        async () => (await member('promote', String(id))).code === 0,
      );
    }
    await eventually('all five know five voters', () =>
      nodes.every((node) => votersOf(node).length === 5 && node.status?.members.length === 5),
    );
    const listed = await member('list');
    expect(listed.said).toMatchObject({ joint: false, committed: true });
    expect(listed.said.members).toHaveLength(5);
    await writesGoOn('with five');
    const led = await leader();
    const dead = nodes.filter((node) => node.id <= 3 && node !== led).slice(0, 2);
    for (const node of dead) await node.kill();
    await writesGoOn('with two of five dead');
    for (const node of dead) await node.start();
  });

  test('[M6] [M7] removes its leader: leadership moves, writes go on, and the removed node disturbs nobody', async () => {
    const removed = await leader();
    expect((await member('remove', String(removed.id))).code).toBe(0);
    await eventually('another one leads', async () => (await leader()) !== removed);
    await writesGoOn('without the removed one');
    await eventually(
      'the removed one knows',
      () => !removed.status?.members.some(({ id }) => id === removed.id),
    );
    const others = nodes.filter((node) => node !== removed);
    await eventually('nobody is connected to it', () =>
      others.every((node) => !node.status?.links.some(({ peer }) => peer === removed.id)),
    );
    const { currentTerm } = (await leader()).status?.raft ?? { currentTerm: 0 };
    const events = removed.events.length;
    await removed.act({ kind: 'campaign' });
    await writesGoOn('while it is asked to campaign');
    expect((await leader()).status?.raft.currentTerm).toBe(currentTerm);
    expect(removed.events.slice(events).some(({ event }) => event.type === 'electionStarted')).toBe(false);
    expect(removed.status?.raft.role).toBe('follower');
  });

  test('[M8] refuses what would cost the majority that is up', async () => {
    const led = await leader();
    const [first, second] = nodes.filter((node) => node !== led && votersOf(led).includes(node.id));
    if (first === undefined || second === undefined) throw new Error('too few voters');
    await first.kill();
    await eventually('the leader misses it', () =>
      led.status?.raft.progress.some(({ id, recentActive }) => id === first.id && !recentActive),
    );
    // Of four voters three are up: without another one that is up, two of three would be left.
    expect((await member('remove', String(second.id))).code).toBe(0);
    const third = nodes.find(
      (node) => ![led, first, second].includes(node) && votersOf(led).includes(node.id),
    );
    if (third === undefined) throw new Error('too few voters');
    expect(await member('remove', String(third.id))).toMatchObject({
      code: 1,
      said: { done: false, message: expect.stringMatching(/a majority is 2 \[M8\]$/) },
    });
    await first.start();
    await writesGoOn('with three');
  });

  test('[M1] members and data are there after all of it was killed', async () => {
    await load.stop();
    const members = votersOf(await leader());
    expect(members).toHaveLength(3);
    for (const node of nodes) await node.kill();
    for (const node of nodes) await node.start();
    const led = await leader();
    expect(members).toContain(led.id);
    await eventually('the members know each other', () =>
      nodes
        .filter(({ id }) => members.includes(id))
        .every((node) => votersOf(node).join() === members.join()),
    );
    const client = cluster.client({ addresses: nodes.map((node) => node.clientAddress) });
    expectAll(await everything(client, 'w'), load.acknowledged);
    expect(load.acknowledged.size).toBeGreaterThan(100);
  });
});
