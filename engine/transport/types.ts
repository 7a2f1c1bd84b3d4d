// What the node asks of its sockets.
import type { LinkFault } from '../protocol/faults.ts';
import type { LinkStatus } from '../protocol/node-status.ts';
import type { Message, NodeId } from '../raft/types.ts';

export interface PeerAddress {
  id: NodeId;
  host: string;
  port: number;
}

export interface PeerTransportListener {
  /** Decoded, addressed to this node, from a peer of this cluster; already past the inbound link faults. */
  onMessages(messages: readonly Message[]): void;
  /** This node's connection to the peer stands. */
  onConnected(peer: NodeId): void;
  /** A node of this cluster that is no peer here was refused: this node may be the one that is behind. */
  onStranger?(node: NodeId): void;
  /** `broken`: it stood and was torn down by the other side or the network, as when its process died. */
  onDisconnected(peer: NodeId, reason: string, broken: boolean): void;
}

/** Binary frames between nodes over TCP, with reconnect and bounded queues. */
export interface PeerTransport {
  /** Queues for the peer; one frame per message, one write per peer and turn of the event loop. Never blocks; drops (and counts) when there is no connection or the queue is full. */
  send(messages: readonly Message[]): void;
  setLinkFaults(faults: readonly LinkFault[]): void;
  status(): readonly LinkStatus[];
  counters(): PeerTransportCounters;
  /** Writes what `send` queued. Comes by itself when the current callback ends; call it to be earlier. */
  flush(): void;
  /** Connects to the peer and lets it in; a known peer may come with a new address. */
  addPeer(peer: PeerAddress): void;
  /** Closes its connections and refuses it from now on. The listener is not called. */
  removePeer(peer: NodeId): void;
  /** `host:port` that it listens on. */
  readonly address: string;
  /** The port that was asked for was taken, and another one is used. */
  readonly portReplaced: boolean;
  /** The listener is not called any more. */
  close(): Promise<void>;
}

/** Counted since the transport was opened; per link see LinkStatus. */
export interface PeerTransportCounters {
  /** Another cluster, another node than expected, an id that is connected already, too many strangers. */
  handshakesRefusedTotal: number;
  /** Connections closed because their bytes made no sense. */
  nonsenseTotal: number;
  /** Messages to nodes that are no peers. */
  unaddressedTotal: number;
}
