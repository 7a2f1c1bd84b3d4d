// The link to one peer: the connection that this node dials and sends on, the one that the peer dialed and
// this node receives on, and what both have in common: faults, counters, the round trip, and whether it stands.
//
// Both connections stand and fall together. A process that dies closes both at once, so whichever is seen
// first tells it; and a link of which one half is gone would be a one-way cut that nobody ordered.
import type { LinkFault } from '../protocol/faults.ts';
import type { LinkStatus } from '../protocol/node-status.ts';
import type { Heartbeat, HeartbeatResponse, Message, MessageType } from '../raft/types.ts';
import type { IncomingConnection } from './incoming-connection.ts';
import { LinkFilter, linkConditions } from './link-filter.ts';
import type { TransportLog } from './log.ts';
import { OutgoingConnection } from './outgoing-connection.ts';
import type { PeerIdentity } from './peer-identity.ts';
import { RoundTrip } from './round-trip.ts';
import type { PeerAddress, PeerTransportListener } from './types.ts';

/** What the links of one node share. */
export interface PeerLinkContext {
  readonly identity: PeerIdentity;
  readonly listener: PeerTransportListener;
  readonly random: () => number;
  readonly log: TransportLog;
  readonly queueBytesMax: number;
  /** Messages were queued: `flush` wants to be called. */
  needsFlush(link: PeerLink): void;
}

const REDIAL_MS_MIN = 20;
const REDIAL_MS_MAX = 500;
/** After so long without a byte, another connection of the same peer takes the place of the one that stands. */
const SILENCE_MS_MAX = 3000;

/** Room for small messages above a queue that is full for bulk. */
const SMALL_MESSAGES_BYTES_MAX = 1024 * 1024;

/** Real leaders have a term from 1 up: a heartbeat of term 0 is a probe, answered by the transport itself. */
const PROBE_TERM = 0;

export class PeerLink {
  readonly address: PeerAddress;
  readonly #context: PeerLinkContext;
  readonly #outboundFilter: LinkFilter;
  readonly #inboundFilter: LinkFilter;
  readonly #roundTrip = new RoundTrip();
  #outgoing: OutgoingConnection | null = null;
  #incoming: IncomingConnection | null = null;
  /** `onConnected` was called and `onDisconnected` not yet. */
  #up = false;
  #failedDials = 0;
  #lastFailure = '';
  #redialTimer: NodeJS.Timeout | null = null;
  #sent: Partial<Record<MessageType, number>> = {};
  #received: Partial<Record<MessageType, number>> = {};
  #entriesSent = 0;
  #bytesSent = 0;
  #dropped = 0;

  constructor(context: PeerLinkContext, address: PeerAddress) {
    this.#context = context;
    this.address = address;
    const onDropped = (messages: readonly Message[]): void => {
      for (const message of messages) this.#countDropped(message);
    };
    this.#outboundFilter = new LinkFilter({
      random: context.random,
      onDropped,
      release: (messages) => {
        for (const message of messages) this.#enqueue(message);
      },
    });
    this.#inboundFilter = new LinkFilter({
      random: context.random,
      onDropped,
      release: (messages) => this.#deliver(messages),
    });
    this.#dial();
  }

  /** Why a connection from the peer cannot be taken now; null when it can. */
  objectionToIncoming(): string | null {
    // Peers send probes all the time: a silent connection is one whose other end is gone without a word.
    if (this.#incoming === null || performance.now() - this.#incoming.heardMs > SILENCE_MS_MAX) return null;
    return `node ${this.address.id} is already connected, from ${this.#incoming.remoteAddress}`;
  }

  incomingOpened(connection: IncomingConnection): void {
    this.#incoming?.destroy();
    this.#incoming = connection;
    // The peer is there: no reason to wait for the next attempt.
    if (this.#redialTimer !== null) {
      clearTimeout(this.#redialTimer);
      this.#dial();
    }
  }

  incomingClosed(connection: IncomingConnection, reason: string, broken: boolean): void {
    if (connection !== this.#incoming) return;
    this.#incoming = null;
    if (this.#up) this.#takeDown(reason, broken);
  }

  receive(messages: readonly Message[]): void {
    if (this.#inboundFilter.clear) {
      this.#deliver(messages);
      return;
    }
    this.#deliver(messages.filter((message) => this.#inboundFilter.admit(message)));
  }

  send(message: Message): void {
    if (this.#outboundFilter.clear || this.#outboundFilter.admit(message)) this.#enqueue(message);
  }

  flush(): void {
    this.#outgoing?.flush();
  }

  /** To be called a few times a second: measures the round trip and finds a connection that hangs. */
  probe(nowMs: number): void {
    if (this.#outgoing === null || !this.#up) return;
    this.#outgoing.checkProgress(nowMs);
    const readRound = this.#roundTrip.nextProbe(nowMs);
    const { nodeId } = this.#context.identity;
    this.send({
      type: 'Heartbeat',
      from: nodeId,
      to: this.address.id,
      term: PROBE_TERM,
      leaderCommit: 0,
      readRound,
    });
  }

  setFaults(faults: readonly LinkFault[]): void {
    const peer = this.address.id;
    this.#outboundFilter.setConditions(linkConditions(faults, { peer, direction: 'outbound' }));
    this.#inboundFilter.setConditions(linkConditions(faults, { peer, direction: 'inbound' }));
  }

  status(): LinkStatus {
    return {
      peer: this.address.id,
      connected: this.#up,
      queuedBytes: (this.#outgoing?.queuedBytes ?? 0) + this.#outboundFilter.delayedBytes,
      sent: { ...this.#sent },
      received: { ...this.#received },
      entriesSent: this.#entriesSent,
      bytesSent: this.#bytesSent,
      dropped: this.#dropped,
      roundTripMs: this.#roundTrip.smoothedMs,
    };
  }

  /** Ends everything; the listener hears nothing more. */
  close(): void {
    this.#up = false;
    if (this.#redialTimer !== null) clearTimeout(this.#redialTimer);
    this.#dropConnections();
  }

  #enqueue(message: Message): void {
    const outgoing = this.#outgoing;
    if (outgoing === null || !this.#up || this.#isQueueFull(outgoing, message)) {
      this.#countDropped(message);
      return;
    }
    this.#bytesSent += outgoing.enqueue(message);
    this.#context.needsFlush(this);
    if (isProbe(message)) return;
    this.#sent[message.type] = (this.#sent[message.type] ?? 0) + 1;
    if (message.type === 'AppendEntries') this.#entriesSent += message.entries.length;
  }

  #countDropped(message: Message): void {
    if (!isProbe(message)) this.#dropped++;
  }

  /** Bulk gives way first: elections and heartbeats go on while the peer is slow. Raft sends again what was dropped. */
  #isQueueFull(outgoing: OutgoingConnection, message: Message): boolean {
    const { queuedBytes } = outgoing;
    const { queueBytesMax } = this.#context;
    const isBulk =
      message.type === 'InstallSnapshot' || (message.type === 'AppendEntries' && message.entries.length > 0);
    return queuedBytes >= (isBulk ? queueBytesMax : queueBytesMax + SMALL_MESSAGES_BYTES_MAX);
  }

  #deliver(messages: readonly Message[]): void {
    let probes = 0;
    for (const message of messages) {
      if (isProbe(message)) {
        probes++;
        this.#receiveProbe(message);
      } else {
        this.#received[message.type] = (this.#received[message.type] ?? 0) + 1;
      }
    }
    if (probes === messages.length) return;
    const { listener } = this.#context;
    listener.onMessages(probes === 0 ? messages : messages.filter((message) => !isProbe(message)));
  }

  #receiveProbe(probe: Heartbeat | HeartbeatResponse): void {
    if (probe.type === 'HeartbeatResponse') {
      this.#roundTrip.answer(probe.readRound, performance.now());
      return;
    }
    const { from: to, to: from, readRound } = probe;
    this.send({ type: 'HeartbeatResponse', from, to, term: PROBE_TERM, readRound });
  }

  #dial(): void {
    this.#redialTimer = null;
    this.#outgoing = new OutgoingConnection(this.#context.identity, this.address, {
      onOpen: () => {
        this.#up = true;
        this.#failedDials = 0;
        this.#lastFailure = '';
        this.#context.listener.onConnected(this.address.id);
      },
      onClosed: (reason, broken) => {
        this.#outgoing = null;
        if (this.#up) this.#takeDown(reason, broken);
        else this.#dialFailed(reason);
      },
    });
  }

  #dialFailed(reason: string): void {
    this.#failedDials++;
    if (reason !== this.#lastFailure) {
      this.#lastFailure = reason;
      const { id, host, port } = this.address;
      this.#context.log.warn({ peer: id, host, port, reason }, `no connection to node ${id}: ${reason}`);
    }
    this.#scheduleDial();
  }

  #scheduleDial(): void {
    const ceilingMs = Math.min(REDIAL_MS_MAX, REDIAL_MS_MIN * 2 ** Math.min(this.#failedDials, 10));
    const waitMs = ceilingMs * (0.5 + this.#context.random() / 2);
    this.#redialTimer = setTimeout(() => this.#dial(), waitMs).unref();
  }

  #takeDown(reason: string, broken: boolean): void {
    this.#up = false;
    this.#dropConnections();
    this.#scheduleDial();
    this.#context.listener.onDisconnected(this.address.id, reason, broken);
  }

  #dropConnections(): void {
    this.#outgoing?.destroy();
    this.#outgoing = null;
    this.#incoming?.destroy();
    this.#incoming = null;
    this.#outboundFilter.drop();
    this.#inboundFilter.drop();
    this.#roundTrip.reset();
  }
}

function isProbe(message: Message): message is Heartbeat | HeartbeatResponse {
  return (
    message.term === PROBE_TERM && (message.type === 'Heartbeat' || message.type === 'HeartbeatResponse')
  );
}
