// Nodes that come and go in one process: addresses, links and the member commands, without the wear of processes.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { afterEach, describe, expect, test } from 'vitest';
import { type RunningNode, startNode } from '../../engine/node/node.ts';
import { parseNodeConfig } from '../../engine/node/node-config.ts';
import { waitUntil } from '../main/wait-until.ts';
import { JsonClient } from './json-client.ts';

interface Address {
  id: number;
  peer: string;
  client: string;
}

const TIMEOUTS = { electionTimeoutMs: [300, 600], heartbeatIntervalMs: 50 } as const;
const cleanUp: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

const portOf = (address: string): number => Number(address.split(':')[1]);

async function addressOf(id: number): Promise<Address> {
  const port = () => getPort({ host: '127.0.0.1' });
  return { id, peer: `127.0.0.1:${await port()}`, client: `127.0.0.1:${await port()}` };
}

/** Nodes in folders that outlive them. */
async function world() {
  const folder = await mkdtemp(join(tmpdir(), 'quorumlab-members-'));
  cleanUp.push(() => rm(folder, { recursive: true, force: true }));
  const running = new Map<number, RunningNode>();
  const start = async (own: Address, settings: object): Promise<RunningNode> => {
    const config = parseNodeConfig({
      clusterId: 'test',
      nodeId: own.id,
      dataDir: join(folder, `n${own.id}`),
      client: { port: portOf(own.client) },
      peer: { port: portOf(own.peer) },
      snapshotTrailingEntries: 0,
      ...TIMEOUTS,
      ...settings,
    });
    const log = { info: () => {}, warn: () => {} };
    const node = await startNode(config, { events: () => {}, fatal: () => {}, log });
    running.set(own.id, node);
    return node;
  };
  const stop = async (id: number): Promise<void> => {
    const node = running.get(id);
    running.delete(id);
    await node?.stop('the test says so');
  };
  cleanUp.push(() => Promise.all([...running.keys()].map(stop)));
  const leader = async (): Promise<RunningNode> => {
    let found: RunningNode | undefined;
    await waitUntil('somebody leads', () => {
      found = [...running.values()].find((node) => node.status().raft.role === 'leader');
      return found !== undefined;
    });
    return found as RunningNode;
  };
  /** Asks whoever leads, until the answer is not that something passes by itself. */
  const ask = async (request: object): Promise<Record<string, unknown>> => {
    for (const deadline = performance.now() + 10_000; ; ) {
      const client = new JsonClient((await leader()).clientAddress);
      const reply = (await client.ask(request)) as unknown as Record<string, unknown>;
      client.close();
      const passes = reply.status === 'redirect' || reply.code === 'UNAVAILABLE' || reply.status === 'closed';
      if (!passes || performance.now() > deadline) return reply;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { running, start, stop, leader, ask };
}

const addOf = ({ id, client, peer }: Address) => ({
  command: 'member_add',
  node_id: id,
  client_address: client,
  peer_address: peer,
});

describe('a cluster', () => {
  test('[M4] [M5] [M10] grows by a node that knows only where the first ones are, and forgets nothing in a restart', async () => {
    const { running, start, stop, leader, ask } = await world();
    const founders = [await addressOf(1), await addressOf(2), await addressOf(3)];
    for (const own of founders) await start(own, { peers: founders });
    const four = await addressOf(4);
    expect(await ask({ command: 'set', key: 'before', value: 'it came' })).toMatchObject({ status: 'ok' });
    // The log is cut: the newcomer needs a snapshot, and learns from it where the members are.
    await (await leader()).act({ kind: 'snapshot' });
    const joining = await start(four, { peers: [...founders, four], join: true });
    expect(joining.status().members).toEqual([]);
    expect(await ask(addOf(four))).toMatchObject({ status: 'ok', success: true });
    await waitUntil('the newcomer has what was there', () => joining.status().keyspace.keys === 1);
    await waitUntil('it knows itself', () => joining.status().members.some(({ id }) => id === 4));
    expect(joining.status().members).toContainEqual({ role: 'learner', ...four });
    const led = await leader();
    await waitUntil('the leader knows it is level', () =>
      led.status().raft.progress.some(({ id, lagEntries }) => id === 4 && lagEntries === 0),
    );
    const promoted = await ask({ command: 'member_promote', node_id: 4 });
    expect(promoted).toMatchObject({ status: 'ok', success: true });
    expect(promoted.members).toHaveLength(4);
    await waitUntil('everybody knows four voters', () =>
      [...running.values()].every((node) => node.status().members.length === 4),
    );
    for (const id of [1, 2, 3, 4]) await stop(id);
    for (const own of founders) await start(own, { peers: founders, wasMember: true });
    const again = await start(four, { peers: [...founders, four], join: true, wasMember: true });
    await waitUntil('it is a voter still', () => again.status().raft.leaderId !== 0);
    expect(again.status().raft.configuration.voters).toEqual([1, 2, 3, 4]);
    expect(again.status().keyspace.keys).toBe(1);
    // The others find it where the log says it is: nobody's settings name it.
    const links = running.get(1)?.status().links ?? [];
    expect(links.map(({ peer }) => peer)).toEqual([2, 3, 4]);
  });

  test('[M6] [M7] removes its leader: the reply comes, another leads, and the removed one is turned away', async () => {
    const { running, start, leader, ask } = await world();
    const founders = [await addressOf(1), await addressOf(2), await addressOf(3)];
    for (const own of founders) await start(own, { peers: founders });
    const first = await leader();
    const id = first.config.nodeId;
    await ask({ command: 'set', key: 'k', value: 1 });
    expect(await ask({ command: 'member_remove', node_id: id })).toMatchObject({
      status: 'ok',
      success: true,
    });
    await waitUntil('it does not lead', () => first.status().raft.role === 'follower');
    const successor = await leader();
    expect(successor.config.nodeId).not.toBe(id);
    expect(await ask({ command: 'set', key: 'k', value: 2 })).toMatchObject({ status: 'ok' });
    await waitUntil('nobody is connected to it', () =>
      [...running.values()]
        .filter((node) => node !== first)
        .every((node) => !node.status().links.some(({ peer }) => peer === id)),
    );
    expect(first.status().members.some((member) => member.id === id)).toBe(false);
    const { currentTerm } = successor.status().raft;
    expect(first.status().raft.currentTerm).toBeLessThanOrEqual(currentTerm);
  });
});

describe('a node that does not know who leads', () => {
  test('[M9] [M10] finds it: a newcomer with one seed, and a founder that was away while its successors came', async () => {
    const { running, start, stop, leader, ask } = await world();
    const founders = [await addressOf(1), await addressOf(2), await addressOf(3)];
    for (const own of founders) await start(own, { peers: founders });
    const level = (id: number): Promise<void> =>
      waitUntil(`n${id} is level`, () =>
        [...running.values()].some((node) =>
          node.status().raft.progress.some((each) => each.id === id && each.lagEntries === 0),
        ),
      );
    await leader();
    await stop(3);
    const newcomers = [await addressOf(4), await addressOf(5)];
    // Each knows one founder, which need not lead.
    for (const [at, own] of newcomers.entries()) {
      await start(own, { peers: [founders[at] as Address, own], join: true });
      expect(await ask(addOf(own))).toMatchObject({ status: 'ok' });
      await level(own.id);
      expect(await ask({ command: 'member_promote', node_id: own.id })).toMatchObject({ status: 'ok' });
    }
    // One of the newcomers leads, and n3 has never heard of it.
    await (await leader()).act({ kind: 'stepDown', target: 4 });
    await waitUntil('n4 leads', () => running.get(4)?.status().raft.role === 'leader');
    const back = await start(founders[2] as Address, { peers: founders, wasMember: true });
    await waitUntil('the founder knows all five', () => back.status().members.length === 5);
    await level(3);
    expect(back.status().raft.leaderId).toBe((await leader()).config.nodeId);
  });
});

describe('the member commands', () => {
  test('[M8] say what is wrong, list who is there, and send elsewhere who asks a follower', async () => {
    const { running, start, leader, ask } = await world();
    const founders = [await addressOf(1), await addressOf(2), await addressOf(3)];
    for (const own of founders) await start(own, { peers: founders });
    await leader();
    expect(await ask({ command: 'member_remove', node_id: 9 })).toMatchObject({
      status: 'error',
      code: 'INVALID_ARGUMENT',
      refusal: 'unknownMember',
      message: 'n9 is no member [M8]',
    });
    expect(await ask({ command: 'member_add', node_id: 4 })).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await ask({ command: 'member_add', node_id: 0 })).toMatchObject({ code: 'INVALID_ARGUMENT' });
    // Nobody is there: it is added all the same, and cannot be promoted.
    const four = await addressOf(4);
    expect(await ask(addOf(four))).toMatchObject({ status: 'ok' });
    expect(await ask({ command: 'member_promote', node_id: 4 })).toMatchObject({
      status: 'error',
      code: 'REFUSED',
      refusal: 'learnerBehind',
    });
    const list = await ask({ command: 'member_list' });
    expect(list).toMatchObject({ status: 'ok', committed: true, joint: false });
    expect(list.members).toContainEqual(expect.objectContaining({ ...four, role: 'learner', matchIndex: 0 }));
    const led = await leader();
    const follower = [...running.values()].find((node) => node !== led) as RunningNode;
    const client = new JsonClient(follower.clientAddress);
    const remove = { command: 'member_remove', node_id: 4 };
    expect(await client.ask(remove)).toMatchObject({ status: 'redirect', leader_id: led.config.nodeId });
    expect(await client.ask({ ...remove, forward: true })).toMatchObject({ status: 'ok', success: true });
    client.close();
  });
});
