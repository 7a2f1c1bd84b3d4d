// Who a node is towards its peers, and the checks of both sides of a handshake.
import { encodeHandshake, type Handshake } from '../protocol/peer-handshake.ts';
import type { NodeId } from '../raft/types.ts';

export interface PeerIdentity {
  nodeId: NodeId;
  clusterId: string;
  /** Shared by all nodes of the cluster; null for none. See peer-secret.ts. */
  secret: string | null;
}

interface IntroductionDetails {
  refusal?: string | null;
  authentication?: Uint8Array;
}

const NO_AUTHENTICATION = new Uint8Array(0);

/** The bytes that introduce this node to `to`, or refuse to talk with it. */
export function introduce(
  { nodeId, clusterId }: PeerIdentity,
  to: NodeId,
  { refusal = null, authentication = NO_AUTHENTICATION }: IntroductionDetails = {},
): Uint8Array {
  return encodeHandshake({ clusterId, from: nodeId, to, authentication, refusal });
}

/** Why this node will not talk with who sent the handshake; null when there is no reason. */
export function objection(identity: PeerIdentity, handshake: Handshake): string | null {
  const { nodeId, clusterId } = identity;
  if (handshake.refusal !== null) return `it refused: ${handshake.refusal}`;
  if (handshake.clusterId !== clusterId) {
    // Quoted as JSON: foreign text in a log line has no control characters.
    const theirs = JSON.stringify(handshake.clusterId);
    return `node ${handshake.from} is of cluster ${theirs}, node ${nodeId} of ${JSON.stringify(clusterId)}`;
  }
  if (handshake.to !== nodeId) return `node ${handshake.to} was expected here, this is node ${nodeId}`;
  if (handshake.from === nodeId) return `two nodes have the id ${nodeId}`;
  return null;
}
