// Does the peer transport deliver in order, notice deaths at once, refuse strangers and stay bounded?
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { PeerDecoder } from '../../engine/protocol/peer-decoder.ts';
import { encodeMessage } from '../../engine/protocol/peer-frames.ts';
import { encodeHandshake } from '../../engine/protocol/peer-handshake.ts';
import type { AppendEntries, Message } from '../../engine/raft/types.ts';
import {
  appendEntries,
  closeAllPeers,
  heartbeat,
  isConnected,
  linkOf,
  openPeer,
  openPeers,
  readRounds,
  type TestPeer,
} from './peer-fixture.ts';
import { waitUntil, waitUntilPasses } from './wait-until.ts';

const sockets: Socket[] = [];
const children: ChildProcess[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await closeAllPeers();
});

async function connectedPair(): Promise<[TestPeer, TestPeer]> {
  const [one, two] = await openPeers(2);
  await waitUntil('both connected', () => isConnected(one, 2) && isConnected(two, 1));
  return [one, two];
}

async function dial(peer: TestPeer): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: peer.address.port });
  sockets.push(socket);
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

function handshake(from: number, to: number, clusterId = 'test-cluster'): Uint8Array {
  return encodeHandshake({ clusterId, from, to, authentication: new Uint8Array(0), refusal: null });
}

/** What the other side says about a handshake: its refusal, or null for a welcome. */
async function answerTo(socket: Socket, bytes: Uint8Array): Promise<string | null> {
  const decoder = new PeerDecoder();
  socket.on('data', (chunk) => decoder.push(chunk));
  socket.write(bytes);
  await waitUntil('an answer to the handshake', () => decoder.handshake !== null);
  return decoder.handshake?.refusal ?? null;
}

describe('delivery', () => {
  test('messages arrive whole and in order, both ways', async () => {
    const [one, two] = await connectedPair();
    const count = 2000;
    for (let round = 1; round <= count; round++) {
      one.transport.send([heartbeat(1, 2, round)]);
      two.transport.send([heartbeat(2, 1, round)]);
    }
    const expected = Array.from({ length: count }, (_, at) => at + 1);
    await waitUntilPasses(() => expect(readRounds(two)).toEqual(expected));
    await waitUntilPasses(() => expect(readRounds(one)).toEqual(expected));
    expect(linkOf(one, 2).sent.Heartbeat).toBe(count);
    expect(linkOf(two, 1).received.Heartbeat).toBe(count);
  });

  test('entries of all sizes arrive byte for byte', async () => {
    const [one, two] = await connectedPair();
    const sent = appendEntries(1, 2, { prevLogIndex: 0, sizes: [0, 1, 100, 4096, 70_000, 3_000_000, 5] });
    one.transport.send([sent]);
    await waitUntil('the entries', () => two.listener.messages.length === 1);
    const received = two.listener.messages[0] as AppendEntries;
    const plain = (message: AppendEntries) =>
      message.entries.map(({ index, term, kind, data }) => ({
        index,
        term,
        kind,
        data: Buffer.from(data).toString('latin1'),
      }));
    expect(plain(received)).toEqual(plain(sent as AppendEntries));
    expect(linkOf(one, 2).entriesSent).toBe(7);
    expect(linkOf(one, 2).bytesSent).toBeGreaterThan(3_074_000);
  });

  test('the messages of one callback leave in one write', async () => {
    const [one, two] = await connectedPair();
    const write = vi.spyOn(Socket.prototype, 'write');
    try {
      for (let round = 1; round <= 50; round++) one.transport.send([heartbeat(1, 2, round)]);
      await waitUntil('the messages', () => readRounds(two).length === 50);
      const writes = write.mock.calls.map(([bytes]) => (bytes as Uint8Array).length);
      // Each heartbeat is a frame of 36 bytes. Beside them there may be the writes of probes.
      expect(writes.filter((bytes) => bytes >= 50 * 36)).toHaveLength(1);
      expect(writes.length).toBeLessThan(10);
    } finally {
      write.mockRestore();
    }
  });

  test('the round trip is measured without a leader', async () => {
    const [one] = await connectedPair();
    await waitUntil('a round trip', () => linkOf(one, 2).roundTripMs !== null);
    expect(linkOf(one, 2).roundTripMs).toBeLessThan(1000);
    expect(one.listener.messages).toEqual([]);
    expect(linkOf(one, 2).sent).toEqual({});
  });

  test('messages without a connection or to nobody are dropped and counted', async () => {
    const one = await openPeer(1);
    one.transport.addPeer({ id: 2, host: '127.0.0.1', port: 1 });
    one.transport.send([heartbeat(1, 2, 1), heartbeat(1, 9, 1)]);
    expect(linkOf(one, 2).dropped).toBe(1);
    expect(one.transport.counters().unaddressedTotal).toBe(1);
  });
});

describe('connections', () => {
  test('a peer that goes is noticed, and found again when it is back', async () => {
    const [one, two] = await connectedPair();
    await two.transport.close();
    await waitUntil('the disconnection', () => one.listener.disconnections.length > 0);
    expect(one.listener.disconnections).toMatchObject([{ peer: 2, broken: true }]);
    expect(isConnected(one, 2)).toBe(false);

    const again = await openPeer(2, { port: two.address.port, peers: [one.address] });
    await waitUntil('both connected again', () => isConnected(one, 2) && isConnected(again, 1));
    again.transport.send([heartbeat(2, 1, 77)]);
    one.transport.send([heartbeat(1, 2, 78)]);
    await waitUntilPasses(() => expect([...readRounds(one), ...readRounds(again)]).toEqual([77, 78]));
    expect(one.listener.connected).toEqual([2, 2]);
    expect(one.listener.disconnections).toHaveLength(1);
  });

  /** A process of its own with node 2, connected to a new node 1. */
  async function withPeerProcess(): Promise<{ one: TestPeer; child: ChildProcess }> {
    const one = await openPeer(1);
    const script = new URL('./peer-process.ts', import.meta.url).pathname;
    const settings = JSON.stringify({ id: 2, peers: [one.address] });
    const child = spawn(process.execPath, ['--import', 'tsx', script, settings], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    let output = '';
    child.stdout?.on('data', (text) => {
      output += text;
    });
    await waitUntil('the child', () => output.includes('\n'), 15_000);
    one.transport.addPeer({ id: 2, host: '127.0.0.1', port: Number(output.trim()) });
    await waitUntil('connected', () => isConnected(one, 2));
    return { one, child };
  }

  test('the death of a process is told within 100 ms of its end', async () => {
    const { one, child } = await withPeerProcess();
    child.kill('SIGKILL');
    // The kernel closes the sockets before the parent hears of the exit.
    await once(child, 'exit');
    const exitedMs = performance.now();
    await waitUntil('the disconnection', () => one.listener.disconnections.length > 0);
    const [disconnection] = one.listener.disconnections;
    expect(disconnection).toMatchObject({ peer: 2, broken: true });
    expect((disconnection?.atMs ?? Number.NaN) - exitedMs).toBeLessThan(100);
  }, 30_000);

  test('a process that is stopped and goes on is no disconnection', async () => {
    const { one, child } = await withPeerProcess();
    await waitUntil('a round trip', () => linkOf(one, 2).roundTripMs !== null);
    child.kill('SIGSTOP');
    const endMs = performance.now() + 400;
    await waitUntil('a pause', () => performance.now() > endMs);
    expect(isConnected(one, 2)).toBe(true);
    child.kill('SIGCONT');
    await waitUntil('the pause in the round trip', () => (linkOf(one, 2).roundTripMs ?? 0) > 20);
    expect(one.listener.disconnections).toEqual([]);
  }, 30_000);

  test('a link of which only the incoming half breaks is down as a whole', async () => {
    // The peer accepts and never closes what node 1 dialed; only its own connection to node 1 breaks.
    const accepted = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      socket.once('data', () => socket.write(handshake(2, 1)));
    });
    accepted.listen(0, '127.0.0.1');
    await once(accepted, 'listening');
    const { port } = accepted.address() as { port: number };
    const one = await openPeer(1, { peers: [{ id: 2, host: '127.0.0.1', port }] });
    await waitUntil('connected', () => isConnected(one, 2));
    const own = await dial(one);
    expect(await answerTo(own, handshake(2, 1))).toBeNull();
    own.destroy();
    await waitUntil('the disconnection', () => one.listener.disconnections.length > 0);
    expect(one.listener.disconnections[0]).toMatchObject({ peer: 2, broken: true });
    await waitUntil('connected again', () => one.listener.connected.length === 2);
    accepted.close();
  });

  test('a removed peer is silent and refused; an added one is connected', async () => {
    const [one, two] = await connectedPair();
    one.transport.removePeer(2);
    expect(one.transport.status()).toEqual([]);
    await waitUntil('node 2 notices', () => two.listener.disconnections.length > 0);
    await waitUntil('node 2 is refused', () => one.transport.counters().handshakesRefusedTotal > 0);
    expect(one.listener.disconnections).toEqual([]);
    one.transport.addPeer(two.address);
    await waitUntil('both connected again', () => isConnected(one, 2) && isConnected(two, 1));
  });

  test('a taken port is replaced when asked so, and said so', async () => {
    const one = await openPeer(1);
    const { port } = one.address;
    await expect(openPeer(2, { port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const other = await openPeer(2, { port, replaceTakenPort: true });
    expect(other.transport.portReplaced).toBe(true);
    expect(other.address.port).not.toBe(port);
    expect(other.log.lines.join()).toContain(`peer port ${port} is taken`);
  });
});

describe('strangers', () => {
  test('a node of another cluster is refused on both sides, and said so', async () => {
    const one = await openPeer(1);
    const two = await openPeer(2, { clusterId: 'other', peers: [one.address] });
    one.transport.addPeer(two.address);
    await waitUntil('refusals', () => one.transport.counters().handshakesRefusedTotal > 0);
    await waitUntilPasses(() =>
      expect(two.log.lines.join()).toMatch(/node 2 is of cluster "other", node 1 of "test-cluster"/),
    );
    expect(one.log.lines.join()).toMatch(/node 2 is of cluster "other", node 1 of "test-cluster"/);
    expect(one.listener.connected).toEqual([]);
    expect(two.listener.connected).toEqual([]);
  });

  test('an address where another node answers is refused', async () => {
    const [one, two] = await openPeers(2);
    const three = await openPeer(3, { peers: [{ ...two.address, id: 1 }] });
    await waitUntil('the refusal', () => two.transport.counters().handshakesRefusedTotal > 0);
    await waitUntilPasses(() =>
      expect(three.log.lines.join()).toContain('node 1 was expected here, this is node 2'),
    );
    expect(isConnected(three, 1)).toBe(false);
    await waitUntil('the others are connected', () => isConnected(one, 2) && isConnected(two, 1));
  });

  test('whoever answers as another node than the one that was dialed gets nothing', async () => {
    let dials = 0;
    const liar = createServer((socket) => {
      dials++;
      sockets.push(socket);
      socket.on('error', () => {});
      socket.once('data', () => socket.write(handshake(3, 1)));
    });
    liar.listen(0, '127.0.0.1');
    await once(liar, 'listening');
    const { port } = liar.address() as { port: number };
    const one = await openPeer(1, { peers: [{ id: 2, host: '127.0.0.1', port }] });
    await waitUntil('a second attempt', () => dials === 2);
    expect(one.log.lines.join()).toContain('node 3 answers where node 2 was expected');
    expect(one.listener.connected).toEqual([]);
    liar.close();
  });

  test('a second node with the same id is refused while the first is connected', async () => {
    const [one, two] = await connectedPair();
    const impostor = await openPeer(2, { peers: [one.address] });
    await waitUntil('the refusal', () => one.transport.counters().handshakesRefusedTotal > 0);
    await waitUntilPasses(() => expect(impostor.log.lines.join()).toContain('node 2 is already connected'));
    expect(one.listener.disconnections).toEqual([]);
    expect(isConnected(two, 1)).toBe(true);
  });

  test('a node with the id of this node, and one that is no peer, are told so', async () => {
    const [one] = await connectedPair();
    expect(await answerTo(await dial(one), handshake(1, 1))).toContain('two nodes have the id 1');
    expect(await answerTo(await dial(one), handshake(8, 1))).toContain('node 8 is no peer of node 1');
  });

  const garbage: [string, Buffer][] = [
    ['text', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['zeros', Buffer.alloc(4096)],
    [
      'a cut handshake with rubbish behind',
      Buffer.concat([handshake(2, 1).subarray(0, 20), Buffer.alloc(64, 0xff)]),
    ],
  ];
  for (const [name, bytes] of garbage) {
    test(`${name} instead of a handshake: closed and counted`, async () => {
      const [one] = await connectedPair();
      const socket = await dial(one);
      socket.write(bytes);
      await waitUntil('the close', () => socket.destroyed || socket.readableEnded);
      await waitUntil('the count', () => one.transport.counters().nonsenseTotal === 1);
      expect(isConnected(one, 2)).toBe(true);
    });
  }

  test('nonsense after a sound handshake: closed and counted, and messages before it count', async () => {
    const one = await openPeer(1, { peers: [{ id: 2, host: '127.0.0.1', port: 1 }] });
    const socket = await dial(one);
    expect(await answerTo(socket, handshake(2, 1))).toBeNull();
    const chunks: Uint8Array[] = [];
    encodeMessage(heartbeat(2, 1, 5), chunks);
    socket.write(Buffer.concat(chunks));
    await waitUntil('the heartbeat', () => readRounds(one).includes(5));
    socket.write(Buffer.alloc(100, 0xee));
    await waitUntil('the close', () => socket.destroyed || socket.readableEnded);
    expect(one.transport.counters().nonsenseTotal).toBe(1);
  });

  test('a message in the name of another node is nonsense', async () => {
    const one = await openPeer(1, { peers: [{ id: 2, host: '127.0.0.1', port: 1 }] });
    const socket = await dial(one);
    expect(await answerTo(socket, handshake(2, 1))).toBeNull();
    const chunks: Uint8Array[] = [];
    encodeMessage(heartbeat(3, 1, 5), chunks);
    socket.write(Buffer.concat(chunks));
    await waitUntil('the close', () => socket.destroyed || socket.readableEnded);
    expect(readRounds(one)).toEqual([]);
    expect(one.transport.counters().nonsenseTotal).toBe(1);
  });

  test('connections that never introduce themselves are bounded', async () => {
    const one = await openPeer(1);
    const strangers = await Promise.all(Array.from({ length: 80 }, () => dial(one)));
    await waitUntil('some are turned away', () => one.transport.counters().handshakesRefusedTotal >= 16);
    await waitUntil('all are closed in the end', () =>
      strangers.every((socket) => {
        socket.resume();
        return socket.destroyed || socket.readableEnded;
      }),
    );
  });
});

test('a peer that does not read: the queue is bounded, bulk gives way, heartbeats are kept', async () => {
  const silent = createServer((socket) => {
    sockets.push(socket);
    socket.once('data', () => {
      socket.write(handshake(2, 1));
      socket.pause();
    });
  });
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  const queueBytesMax = 4 * 1024 * 1024;
  const one = await openPeer(1, { peers: [{ id: 2, host: '127.0.0.1', port }], queueBytesMax });
  await waitUntil('connected', () => isConnected(one, 2));
  const bulk: Message = appendEntries(1, 2, { prevLogIndex: 0, sizes: [1024 * 1024] });
  for (let count = 0; count < 100; count++) {
    one.transport.send([bulk]);
    one.transport.flush();
  }
  const { queuedBytes, dropped, sent } = linkOf(one, 2);
  expect(queuedBytes).toBeGreaterThanOrEqual(queueBytesMax);
  expect(queuedBytes).toBeLessThan(queueBytesMax + 2 * 1024 * 1024);
  expect(dropped).toBeGreaterThan(50);
  expect(dropped + (sent.AppendEntries ?? 0)).toBe(100);
  one.transport.send([heartbeat(1, 2, 1)]);
  expect(linkOf(one, 2).sent.Heartbeat).toBe(1);
  for (let round = 0; round < 60_000; round++) one.transport.send([heartbeat(1, 2, round)]);
  expect(linkOf(one, 2).queuedBytes).toBeLessThan(queueBytesMax + 3 * 1024 * 1024);
  expect(linkOf(one, 2).dropped).toBeGreaterThan(dropped + 10_000);
  silent.close();
});
