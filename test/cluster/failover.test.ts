// Who answers what while leadership moves: redirects, forwarding, retries across a failover, paused leaders,
// and hostile bytes.
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ClientError } from '../../engine/client/client-error.ts';
import { eventually, TestCluster, type TestNode } from './harness.ts';
import { ask, RawConnection, type Reply } from './raw-connection.ts';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start();
});

afterAll(async () => {
  await cluster.stop();
});

/** A node that answers for the leader may lag behind an election: try until it does. */
async function restored(node: TestNode): Promise<void> {
  if (!node.running) await node.start();
  await cluster.converged();
}

describe('redirects', () => {
  test('a follower names the leader, and forwards when it is asked to', async () => {
    const leader = await cluster.leader();
    const [follower] = await cluster.followers();
    if (follower === undefined) throw new Error('no follower');
    await eventually('the follower knows the leader', () => follower.status?.raft.leaderId === leader.id);
    const set = { command: 'set', key: 'routed', value: 'v', id: 'r1' };
    expect(await ask(follower, set)).toEqual({
      id: 'r1',
      status: 'redirect',
      leader_id: leader.id,
      leader: leader.clientAddress,
    });
    expect(await ask(follower, { ...set, forward: true })).toMatchObject({
      id: 'r1',
      status: 'ok',
      success: true,
    });
    expect(await ask(follower, { command: 'get', key: 'routed', forward: true })).toMatchObject({
      status: 'ok',
      value: 'v',
    });
  });

  test('replies come in the order of pipelined requests', async () => {
    const connection = new RawConnection(await cluster.leader());
    for (let n = 0; n < 200; n++) {
      if (n % 3 === 0) connection.send({ command: 'set', key: `p${n}`, value: n, id: n });
      else if (n % 3 === 1) connection.send({ command: 'get', key: `p${n - 1}`, id: n });
      else connection.send({ command: 'ping', id: n });
    }
    for (let n = 0; n < 200; n++) expect(await connection.next()).toMatchObject({ id: n, status: 'ok' });
    connection.close();
  });
});

test('a write retried with its client id and sequence applies once, across a failover', async () => {
  const identity = { client: 'c0ffee00-1111-4222-8333-444455556666', seq: 7 };
  const incr = { command: 'incr', key: 'once', by: 5, ...identity };
  const first = await cluster.leader();
  const reply = await ask(first, incr);
  expect(reply).toMatchObject({ status: 'ok', value: 5 });
  expect(await ask(first, incr)).toEqual(reply);
  await first.kill();
  const second = await cluster.leader((node) => node !== first);
  expect(await ask(second, incr)).toEqual(reply);
  expect(await ask(second, { ...incr, seq: 8 })).toMatchObject({ status: 'ok', value: 10 });
  const tooLow = await ask(second, { ...incr, seq: 3 });
  expect(tooLow.status).toBe('error');
  expect((await cluster.client().get('once')).value).toBe(10);
  await restored(first);
  expect(await ask(await cluster.leader(), { ...incr, seq: 8 })).toMatchObject({ value: 10 });
});

test('a paused leader is replaced, and answers no stale linearizable read when it wakes', async () => {
  const stale = await cluster.leader();
  const term = stale.status?.raft.currentTerm ?? 0;
  const client = cluster.client();
  await client.set('paused', 'old');
  // The request stands in the paused leader's socket before it wakes: it is the first thing that it reads.
  const waiting = new RawConnection(stale);
  expect(await waiting.ask({ command: 'get', key: 'paused' })).toMatchObject({ value: 'old' });
  stale.pause();
  waiting.send({ command: 'get', key: 'paused', id: 'late' });
  const leader = await cluster.leader((node, newTerm) => node !== stale && newTerm > term);
  const { receipt } = await client.set('paused', 'new');
  expect(receipt.node).toBe(leader.clientAddress);
  stale.resume();
  const late = await waiting.next();
  expect(late.id).toBe('late');
  // A redirect or an error is honest; the old value would be a lie.
  if (late.status === 'ok') expect(late.value).toBe('new');
  waiting.close();
  await eventually(
    'it follows',
    () => (stale.status?.raft.currentTerm ?? 0) > term && stale.status?.raft.role === 'follower',
  );
  await cluster.converged();
  expect(await ask(stale, { command: 'get', key: 'paused', consistency: 'stale' })).toMatchObject({
    value: 'new',
  });
});

test('without a majority nothing is acknowledged, and the client says what it found', async () => {
  const [one, two] = await cluster.followers();
  const leader = await cluster.leader();
  if (one === undefined || two === undefined) throw new Error('two followers are needed');
  await Promise.all([one.kill(), two.kill()]);
  const client = cluster.client({ deadlineMs: 1_500 });
  const error = await client.set('alone', 'v').then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ClientError);
  const { code, message } = error as ClientError;
  expect(['TIMEOUT', 'UNAVAILABLE']).toContain(code);
  expect(message).toContain('127.0.0.1');
  expect(leader.running).toBe(true);
  await Promise.all([restored(one), restored(two)]);
  await cluster.client().set('alone', 'again');
});

describe('hostile bytes', () => {
  const noise = Buffer.from(Array.from({ length: 4_096 }, (_, i) => (i * 73 + 41) % 256));
  const attacks: [name: string, bytes: Buffer][] = [
    ['noise', noise],
    ['zeros', Buffer.alloc(4_096)],
    ['a broken line', Buffer.from('{"command":"set","key":\n')],
    ['half a surrogate', Buffer.from('{"command":"get","key":"\\ud800"}\n')],
    ['deep nesting', Buffer.from(`${'['.repeat(100_000)}\n`)],
    ['a huge length', Buffer.from([0xff, 0xff, 0xff, 0x7f, ...noise.subarray(0, 64)])],
    ['a request that never ends', Buffer.from(`{"command":"set","key":"${'k'.repeat(70_000)}`)],
  ];

  test.each(attacks)('%s on both ports of every node: all go on', async (_name, bytes) => {
    const sockets = cluster.nodes.flatMap((node) =>
      [node.clientAddress, node.peerAddress].map((address) => {
        const socket = connect(Number(address.split(':')[1]), '127.0.0.1');
        socket.on('error', () => {});
        socket.resume();
        socket.write(bytes);
        return socket;
      }),
    );
    await eventually('the bytes have left', () =>
      sockets.every((socket) => socket.destroyed || (!socket.connecting && socket.writableLength === 0)),
    );
    const { receipt } = await cluster.client().set('attacked', 'fine');
    expect(receipt.index).toBeGreaterThan(0);
    for (const node of cluster.nodes) {
      expect(await ask(node, { command: 'ping' })).toMatchObject({ status: 'ok', value: 'PONG' });
    }
    for (const socket of sockets) socket.destroy();
    expect(cluster.nodes.every((node) => node.running)).toBe(true);
  });

  test('a broken line gets an error, and the connection goes on', async () => {
    const leader = await cluster.leader();
    const socket = connect(leader.port, '127.0.0.1');
    const lines: Reply[] = [];
    createInterface({ input: socket }).on('line', (line) => lines.push(JSON.parse(line) as Reply));
    socket.write('{"command":\n{"command":"ping","id":1}\n');
    await eventually('both are answered', () => lines.length === 2);
    expect(lines[0]).toMatchObject({ status: 'error', code: 'INVALID_JSON' });
    expect(lines[1]).toMatchObject({ id: 1, status: 'ok' });
    socket.destroy();
  });
});
