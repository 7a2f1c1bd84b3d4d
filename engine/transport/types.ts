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
  /** `broken`: it stood and was torn down by the other side or the network, as when its process died. */
  onDisconnected(peer: NodeId, reason: string, broken: boolean): void;
}

/** Binary frames between nodes over TCP, with reconnect and bounded queues. */
export interface PeerTransport {
  /** Queues for the peer; one frame per message, one write per peer and turn of the event loop. Never blocks; drops (and counts) when there is no connection or the queue is full. */
  send(messages: readonly Message[]): void;
  setLinkFaults(faults: readonly LinkFault[]): void;
  status(): readonly LinkStatus[];
  /** `host:port` that it listens on. */
  readonly address: string;
  close(): Promise<void>;
}
