// Binary frames between nodes over TCP: one listener for the peers that dial this node, and a link to each
// peer. Stands between the node's loop and the sockets; knows nothing about Raft's rules.
import { createServer, type Server, type Socket } from 'node:net';
import type { LinkFault } from '../protocol/faults.ts';
import type { LinkStatus } from '../protocol/node-status.ts';
import type { Handshake } from '../protocol/peer-handshake.ts';
import type { Message, NodeId } from '../raft/types.ts';
import { IncomingConnection, type IncomingListener } from './incoming-connection.ts';
import { type Listening, listen } from './listen.ts';
import { SILENT_LOG, type TransportLog } from './log.ts';
import { objection, type PeerIdentity } from './peer-identity.ts';
import { PeerLink, type PeerLinkContext } from './peer-link.ts';
import type { PeerAddress, PeerTransport, PeerTransportCounters, PeerTransportListener } from './types.ts';

export interface PeerTransportOptions {
  nodeId: NodeId;
  clusterId: string;
  /** What peers prove to each other that they know; none when absent. */
  secret?: string | null | undefined;
  host: string;
  port: number;
  /** When the port is taken: listen on a free one, and log that. */
  replaceTakenPort?: boolean | undefined;
  peers: readonly PeerAddress[];
  listener: PeerTransportListener;
  /** A number from 0 up to 1: jitter of reconnects, and link faults. */
  random: () => number;
  /** Per peer. Above it AppendEntries with entries and snapshot chunks are dropped. */
  queueBytesMax?: number | undefined;
  log?: TransportLog | undefined;
}

const QUEUE_BYTES_MAX = 64 * 1024 * 1024;
const PROBE_INTERVAL_MS = 200;
/** Connections that have not introduced themselves. */
const STRANGERS_MAX = 64;
/** Refusals are logged at most so often; in between they are only counted. */
const REFUSAL_LOG_INTERVAL_MS = 1000;

/** Rejects when the port cannot be had. Connects in the background. */
export async function openPeerTransport(options: PeerTransportOptions): Promise<PeerTransport> {
  const transport = new TcpPeerTransport(options);
  await transport.open(options);
  return transport;
}

class TcpPeerTransport implements PeerTransport, PeerLinkContext, IncomingListener {
  readonly identity: PeerIdentity;
  readonly listener: PeerTransportListener;
  readonly random: () => number;
  readonly log: TransportLog;
  readonly queueBytesMax: number;
  readonly #server: Server;
  readonly #links = new Map<NodeId, PeerLink>();
  readonly #incoming = new Set<IncomingConnection>();
  #strangers = 0;
  #faults: readonly LinkFault[] = [];
  #listening: Listening | null = null;
  #probeTimer: NodeJS.Timeout | null = null;
  #toFlush: PeerLink[] = [];
  #closed = false;
  #handshakesRefusedTotal = 0;
  #nonsenseTotal = 0;
  #unaddressedTotal = 0;
  #refusalLoggedMs = Number.NEGATIVE_INFINITY;

  constructor(options: PeerTransportOptions) {
    this.identity = { nodeId: options.nodeId, clusterId: options.clusterId, secret: options.secret ?? null };
    this.listener = options.listener;
    this.random = options.random;
    this.log = options.log ?? SILENT_LOG;
    this.queueBytesMax = options.queueBytesMax ?? QUEUE_BYTES_MAX;
    const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 1000 };
    this.#server = createServer(socketOptions, (socket) => this.#accept(socket));
  }

  get address(): string {
    return this.#listening?.address ?? '';
  }

  get portReplaced(): boolean {
    return this.#listening?.portReplaced ?? false;
  }

  async open(options: PeerTransportOptions): Promise<void> {
    this.#listening = await listen(this.#server, options);
    this.#server.on('error', (error) => this.log.warn({ error: error.message }, 'peer port'));
    if (this.#listening.portReplaced) {
      const { address } = this.#listening;
      this.log.warn(
        { wanted: options.port, address },
        `peer port ${options.port} is taken; listening on ${address}`,
      );
    }
    for (const peer of options.peers) this.addPeer(peer);
    this.#probeTimer = setInterval(() => {
      const nowMs = performance.now();
      for (const link of this.#links.values()) link.probe(nowMs);
    }, PROBE_INTERVAL_MS).unref();
  }

  send(messages: readonly Message[]): void {
    for (const message of messages) {
      const link = this.#links.get(message.to);
      if (link === undefined) this.#unaddressedTotal++;
      else link.send(message);
    }
  }

  needsFlush(link: PeerLink): void {
    if (this.#toFlush.length === 0) process.nextTick(() => this.flush());
    if (!this.#toFlush.includes(link)) this.#toFlush.push(link);
  }

  flush(): void {
    if (this.#toFlush.length === 0) return;
    const links = this.#toFlush;
    this.#toFlush = [];
    for (const link of links) link.flush();
  }

  addPeer(peer: PeerAddress): void {
    if (this.#closed || peer.id === this.identity.nodeId) return;
    const known = this.#links.get(peer.id);
    if (known !== undefined) {
      if (known.address.host === peer.host && known.address.port === peer.port) return;
      known.close();
    }
    const link = new PeerLink(this, peer);
    link.setFaults(this.#faults);
    this.#links.set(peer.id, link);
  }

  removePeer(peer: NodeId): void {
    this.#links.get(peer)?.close();
    this.#links.delete(peer);
  }

  setLinkFaults(faults: readonly LinkFault[]): void {
    this.#faults = faults;
    for (const link of this.#links.values()) link.setFaults(faults);
  }

  status(): readonly LinkStatus[] {
    return [...this.#links.values()].map((link) => link.status());
  }

  counters(): PeerTransportCounters {
    return {
      handshakesRefusedTotal: this.#handshakesRefusedTotal,
      nonsenseTotal: this.#nonsenseTotal,
      unaddressedTotal: this.#unaddressedTotal,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#probeTimer !== null) clearInterval(this.#probeTimer);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.flush();
    for (const link of this.#links.values()) link.close();
    for (const connection of this.#incoming) connection.destroy();
    await closed;
  }

  onHandshake(connection: IncomingConnection, handshake: Handshake, doubt: string | null): string | null {
    const link = this.#links.get(handshake.from);
    const mismatch = doubt ?? objection(this.identity, handshake);
    if (mismatch === null && link === undefined) this.listener.onStranger?.(handshake.from);
    const reason =
      mismatch ??
      (link === undefined
        ? `node ${handshake.from} is no peer of node ${this.identity.nodeId}`
        : link.objectionToIncoming());
    if (reason !== null || link === undefined) {
      this.onRefused(reason ?? '', connection.remoteAddress);
      return reason;
    }
    this.#strangers--;
    link.incomingOpened(connection);
    return null;
  }

  onMessages(connection: IncomingConnection, messages: readonly Message[]): void {
    this.#links.get(connection.peer)?.receive(messages);
  }

  onNonsense(connection: IncomingConnection, reason: string): void {
    this.#nonsenseTotal++;
    this.#logRefusal(
      `nonsense from ${connection.peer === 0 ? 'a stranger' : `node ${connection.peer}`}: ${reason}`,
      connection.remoteAddress,
    );
  }

  onClosed(connection: IncomingConnection, reason: string, broken: boolean): void {
    this.#links.get(connection.peer)?.incomingClosed(connection, reason, broken);
  }

  onRefused(reason: string, address: string): void {
    this.#handshakesRefusedTotal++;
    this.#logRefusal(reason, address);
  }

  #accept(socket: Socket): void {
    if (this.#strangers >= STRANGERS_MAX) {
      this.onRefused('too many connections without a handshake', socket.remoteAddress ?? '');
      socket.destroy();
      return;
    }
    const connection = new IncomingConnection(this.identity, socket, this);
    this.#incoming.add(connection);
    this.#strangers++;
    socket.once('close', () => {
      this.#incoming.delete(connection);
      if (connection.peer === 0) this.#strangers--;
    });
  }

  #logRefusal(reason: string, address: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#refusalLoggedMs < REFUSAL_LOG_INTERVAL_MS) return;
    this.#refusalLoggedMs = nowMs;
    this.log.warn({ reason, address }, `refused a peer connection: ${reason}`);
  }
}
