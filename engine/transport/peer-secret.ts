// How two peers prove to each other that they know the cluster's secret, without sending it: each signs the
// other's fresh random bytes (HMAC-SHA-256). What stands in the handshake's authentication:
//
//   dialling side, first     32 bytes nonce
//   other side, its answer   32 bytes nonce, 32 bytes proof
//   dialling side, again     32 bytes proof
//
// It tells who is there, at the beginning. It neither hides nor signs what is sent after that: over networks that
// others can write to, connections belong into a tunnel.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export const NONCE_BYTES = 32;
const PROOF_BYTES = 32;

/** What both sides know when they prove it. */
export interface PeerExchange {
  clusterId: string;
  /** Of the dialling side. */
  dialer: { id: number; nonce: Uint8Array };
  acceptor: { id: number; nonce: Uint8Array };
}

export function drawNonce(): Uint8Array {
  return new Uint8Array(randomBytes(NONCE_BYTES));
}

/** Of one side: the other one cannot send it back as its own. */
export function proofOf(secret: string, side: 'dialer' | 'acceptor', exchange: PeerExchange): Uint8Array {
  const { clusterId, dialer, acceptor } = exchange;
  const text = JSON.stringify(['quorumlab peer', side, clusterId, dialer.id, acceptor.id]);
  const signature = createHmac('sha256', secret)
    .update(text)
    .update(dialer.nonce)
    .update(acceptor.nonce)
    .digest();
  return new Uint8Array(signature);
}

export function isProof(
  given: Uint8Array,
  secret: string,
  side: 'dialer' | 'acceptor',
  exchange: PeerExchange,
): boolean {
  return given.length === PROOF_BYTES && timingSafeEqual(given, proofOf(secret, side, exchange));
}

/** The answer of the side that was dialled in its parts; null when it is none. */
export function readAnswer(authentication: Uint8Array): { nonce: Uint8Array; proof: Uint8Array } | null {
  if (authentication.length !== NONCE_BYTES + PROOF_BYTES) return null;
  return { nonce: authentication.slice(0, NONCE_BYTES), proof: authentication.slice(NONCE_BYTES) };
}
