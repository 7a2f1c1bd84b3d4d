// A connection that a peer dialed and sends on: handshake, then frames. Whoever connects is a stranger until
// its handshake is accepted, and gets little time and memory until then.
import type { Socket } from 'node:net';
import { PeerDecoder, PeerFrameError } from '../protocol/peer-decoder.ts';
import type { Handshake } from '../protocol/peer-handshake.ts';
import type { Message, NodeId } from '../raft/types.ts';
import { introduce, type PeerIdentity } from './peer-identity.ts';
import { drawNonce, isProof, NONCE_BYTES, type PeerExchange, proofOf } from './peer-secret.ts';

export interface IncomingListener {
  /**
   * Null: welcome. Otherwise why not, which the other side is told before the connection is closed. `objection`:
   * what already speaks against it.
   */
  onHandshake(connection: IncomingConnection, handshake: Handshake, objection: string | null): string | null;
  onMessages(connection: IncomingConnection, messages: readonly Message[]): void;
  /** Bytes that make no sense. `onClosed` follows. */
  onNonsense(connection: IncomingConnection, reason: string): void;
  /** Once, last; not after `destroy`. `broken`: the other side or the network did it. */
  onClosed(connection: IncomingConnection, reason: string, broken: boolean): void;
}

const HANDSHAKE_MS_MAX = 2000;

export class IncomingConnection {
  readonly remoteAddress: string;
  readonly #identity: PeerIdentity;
  readonly #socket: Socket;
  readonly #listener: IncomingListener;
  #decoder = new PeerDecoder();
  readonly #handshakeTimer: NodeJS.Timeout;
  #peer: NodeId = 0;
  /** The other side was asked to prove that it knows the secret. */
  #exchange: PeerExchange | null = null;
  #heardMs = performance.now();
  #closed = false;

  constructor(identity: PeerIdentity, socket: Socket, listener: IncomingListener) {
    this.#identity = identity;
    this.#socket = socket;
    this.#listener = listener;
    this.remoteAddress = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`;
    this.#handshakeTimer = setTimeout(() => this.#fail('no handshake came', false), HANDSHAKE_MS_MAX).unref();
    socket.on('data', (bytes) => this.#receive(bytes));
    socket.on('error', (error) => this.#fail(error.message, true));
    socket.on('end', () => this.#fail('closed by the peer', true));
    socket.on('close', () => this.#fail('closed', true));
  }

  /** 0 before its handshake was accepted. */
  get peer(): NodeId {
    return this.#peer;
  }

  /** When the last bytes came, as `performance.now()`. */
  get heardMs(): number {
    return this.#heardMs;
  }

  destroy(): void {
    this.#closed = true;
    clearTimeout(this.#handshakeTimer);
    this.#socket.destroy();
  }

  #receive(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#heardMs = performance.now();
    let messages: readonly Message[];
    try {
      messages = this.#decoder.push(bytes);
    } catch (error) {
      // Anything but a PeerFrameError is a fault of the decoder's, and no reason for a node to die either.
      const reason = error instanceof PeerFrameError ? error.message : `decoder failed: ${error}`;
      this.#listener.onNonsense(this, reason);
      this.#fail(reason, false);
      return;
    }
    if (this.#peer === 0 && !this.#welcome()) return;
    if (messages.length === 0) return;
    for (const message of messages) {
      if (message.from !== this.#peer || message.to !== this.#identity.nodeId) {
        const reason = `node ${this.#peer} sent a message from ${message.from} to ${message.to}`;
        this.#listener.onNonsense(this, reason);
        this.#fail(reason, false);
        return;
      }
    }
    this.#listener.onMessages(this, messages);
  }

  /** False: there is no handshake yet, or it was refused. */
  #welcome(): boolean {
    const { handshake } = this.#decoder;
    if (handshake === null) return false;
    const { secret } = this.#identity;
    if (secret !== null && this.#exchange === null && handshake.authentication.length === NONCE_BYTES) {
      this.#challenge(handshake, secret);
      return false;
    }
    const refusal = this.#listener.onHandshake(this, handshake, this.#doubt(handshake));
    if (refusal !== null) {
      this.#refuse(handshake.from, refusal);
      return false;
    }
    clearTimeout(this.#handshakeTimer);
    this.#peer = handshake.from;
    if (secret === null) this.#socket.write(introduce(this.#identity, handshake.from));
    return true;
  }

  /** Proves that this side knows the secret, and asks the other one to. Nothing of it is believed before. */
  #challenge({ from, authentication }: Handshake, secret: string): void {
    const { clusterId, nodeId } = this.#identity;
    const nonce = drawNonce();
    this.#exchange = {
      clusterId,
      dialer: { id: from, nonce: authentication },
      acceptor: { id: nodeId, nonce },
    };
    const proof = proofOf(secret, 'acceptor', this.#exchange);
    this.#socket.write(
      introduce(this.#identity, from, { authentication: Uint8Array.of(...nonce, ...proof) }),
    );
    // Another handshake comes next.
    this.#decoder = new PeerDecoder();
  }

  #doubt({ from, authentication }: Handshake): string | null {
    const { secret, nodeId } = this.#identity;
    if (secret === null) {
      return authentication.length === 0 ? null : `node ${nodeId} has no peer secret (setting peerSecret)`;
    }
    if (this.#exchange === null) return `node ${nodeId} asks for the cluster's secret (setting peerSecret)`;
    const isSame = this.#exchange.dialer.id === from;
    return isSame && isProof(authentication, secret, 'dialer', this.#exchange)
      ? null
      : `node ${from} did not prove that it knows the cluster's secret`;
  }

  #refuse(to: NodeId, refusal: string): void {
    this.#closed = true;
    clearTimeout(this.#handshakeTimer);
    this.#socket.end(introduce(this.#identity, to, { refusal }));
    this.#socket.destroySoon();
    this.#listener.onClosed(this, refusal, false);
  }

  #fail(reason: string, broken: boolean): void {
    if (this.#closed) return;
    this.destroy();
    this.#listener.onClosed(this, reason, broken);
  }
}
