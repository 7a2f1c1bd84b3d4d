// Real peer transports on loopback, with listeners that remember what they were told.

import { type Entry, EntryKind, type Message, type NodeId } from '../../engine/raft/types.ts';
import type { TransportLog } from '../../engine/transport/log.ts';
import { openPeerTransport, type PeerTransportOptions } from '../../engine/transport/peer-transport.ts';
import type { PeerAddress, PeerTransport, PeerTransportListener } from '../../engine/transport/types.ts';

export interface Disconnection {
  peer: NodeId;
  reason: string;
  broken: boolean;
  atMs: number;
}

export class RecordingListener implements PeerTransportListener {
  readonly messages: Message[] = [];
  readonly arrivedMs: number[] = [];
  readonly connected: NodeId[] = [];
  readonly disconnections: Disconnection[] = [];

  onMessages(messages: readonly Message[]): void {
    for (const message of messages) {
      this.messages.push(message);
      this.arrivedMs.push(performance.now());
    }
  }

  onConnected(peer: NodeId): void {
    this.connected.push(peer);
  }

  onDisconnected(peer: NodeId, reason: string, broken: boolean): void {
    this.disconnections.push({ peer, reason, broken, atMs: performance.now() });
  }
}

export class RecordingLog implements TransportLog {
  readonly lines: string[] = [];
  info(_fields: object, message: string): void {
    this.lines.push(message);
  }
  warn(_fields: object, message: string): void {
    this.lines.push(message);
  }
}

/** A seeded generator (mulberry32): the same numbers in every run. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface TestPeer {
  id: NodeId;
  transport: PeerTransport;
  listener: RecordingListener;
  log: RecordingLog;
  address: PeerAddress;
}

const opened: PeerTransport[] = [];

export async function openPeer(id: NodeId, options: Partial<PeerTransportOptions> = {}): Promise<TestPeer> {
  const listener = new RecordingListener();
  const log = new RecordingLog();
  const transport = await openPeerTransport({
    nodeId: id,
    clusterId: 'test-cluster',
    host: '127.0.0.1',
    port: 0,
    peers: [],
    listener,
    random: seededRandom(id),
    log,
    ...options,
  });
  opened.push(transport);
  const port = Number(transport.address.split(':')[1]);
  return { id, transport, listener, log, address: { id, host: '127.0.0.1', port } };
}

/** Opens peers with the ids 1 to `count` and tells each of all others. */
export async function openPeers(
  count: number,
  options: Partial<PeerTransportOptions> = {},
): Promise<[TestPeer, TestPeer, ...TestPeer[]]> {
  const peers: TestPeer[] = [];
  for (let id = 1; id <= count; id++) peers.push(await openPeer(id, options));
  for (const peer of peers) {
    for (const other of peers) peer.transport.addPeer(other.address);
  }
  return peers as [TestPeer, TestPeer, ...TestPeer[]];
}

export async function closeAllPeers(): Promise<void> {
  await Promise.all(opened.splice(0).map((transport) => transport.close()));
}

export function isConnected(peer: TestPeer, to: NodeId): boolean {
  return peer.transport.status().some((link) => link.peer === to && link.connected);
}

export function linkOf(peer: TestPeer, to: NodeId) {
  const link = peer.transport.status().find((status) => status.peer === to);
  if (link === undefined) throw new Error(`node ${peer.id} has no link to ${to}`);
  return link;
}

export function heartbeat(from: NodeId, to: NodeId, readRound: number): Message {
  return { type: 'Heartbeat', from, to, term: 1, leaderCommit: 0, readRound };
}

export function appendEntries(
  from: NodeId,
  to: NodeId,
  batch: { prevLogIndex: number; sizes: number[] },
): Message {
  const entries: Entry[] = batch.sizes.map((bytes, at) => ({
    index: batch.prevLogIndex + 1 + at,
    term: 1,
    kind: EntryKind.command,
    data: new Uint8Array(bytes).fill(at + 1),
  }));
  const prevLogTerm = batch.prevLogIndex === 0 ? 0 : 1;
  return {
    type: 'AppendEntries',
    from,
    to,
    term: 1,
    prevLogIndex: batch.prevLogIndex,
    prevLogTerm,
    entries,
    leaderCommit: 0,
  };
}

/** The read rounds of the heartbeats received, in order: heartbeats are the tests' numbered letters. */
export function readRounds(peer: TestPeer): number[] {
  return peer.listener.messages.flatMap((message) =>
    message.type === 'Heartbeat' ? [message.readRound] : [],
  );
}
