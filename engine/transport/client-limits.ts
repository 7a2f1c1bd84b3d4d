// The bounds of the client port, each a setting of the node by the same name. What a request may hold is
// bounded by its protocol: JsonLimits.

export interface ClientLimits {
  /** Open connections; one more gets an error and is closed. */
  connectionsMax: number;
  /** Of them, connections that speak HTTP. */
  httpConnectionsMax: number;
  /** Requests of one connection without a reply, before it is no longer read. One read may exceed it. */
  requestsOutstandingMax: number;
  /** Bytes of requests of one connection without a reply, before it is no longer read. */
  requestBytesMax: number;
  /** Bytes of replies that one connection has not taken, before it is no longer read. */
  replyBytesPauseMax: number;
  /** Bytes of replies that one connection has not taken, before it is cut off. */
  replyBytesMax: number;
  /** What all connections together hold in memory, before the one that holds most is cut off. */
  heldBytesMax: number;
}

const MIB = 1024 * 1024;

export const CLIENT_LIMITS_DEFAULT: ClientLimits = {
  connectionsMax: 10_000,
  httpConnectionsMax: 64,
  requestsOutstandingMax: 1024,
  requestBytesMax: 16 * MIB,
  replyBytesPauseMax: 1 * MIB,
  replyBytesMax: 64 * MIB,
  heldBytesMax: 512 * MIB,
};
