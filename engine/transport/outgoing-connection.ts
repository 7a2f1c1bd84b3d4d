// The connection that this node dials to a peer and sends on: handshake, then frames, from a queue that is
// bounded by its user. Nothing but the handshake comes back. Dialling again is its owner's business.
import { connect, type Socket } from 'node:net';
import { PeerDecoder } from '../protocol/peer-decoder.ts';
import { encodeMessage } from '../protocol/peer-frames.ts';
import type { Handshake } from '../protocol/peer-handshake.ts';
import type { Message } from '../raft/types.ts';
import { gatherChunks } from './gather-chunks.ts';
import { introduce, objection, type PeerIdentity } from './peer-identity.ts';
import { drawNonce, isProof, proofOf, readAnswer } from './peer-secret.ts';
import type { PeerAddress } from './types.ts';

export interface OutgoingListener {
  /** The other side is who it should be. */
  onOpen(): void;
  /** Once, last; not after `destroy`. `broken`: the other side or the network did it. */
  onClosed(reason: string, broken: boolean): void;
}

/** To connect and to introduce each other. */
const OPEN_MS_MAX = 2000;
/** A peer that takes no byte for so long is given up: its machine may be gone without a word. */
const STALL_MS_MAX = 10_000;

export class OutgoingConnection {
  readonly #identity: PeerIdentity;
  readonly #address: PeerAddress;
  readonly #listener: OutgoingListener;
  readonly #socket: Socket;
  readonly #decoder = new PeerDecoder();
  /** Empty without a secret. */
  readonly #nonce: Uint8Array;
  readonly #openTimer: NodeJS.Timeout;
  #open = false;
  #closed = false;
  #chunks: Uint8Array[] = [];
  #chunkBytes = 0;
  #progressBytes = 0;
  #progressMs = 0;
  #writtenBytes = 0;

  constructor(identity: PeerIdentity, address: PeerAddress, listener: OutgoingListener) {
    this.#identity = identity;
    this.#nonce = identity.secret === null ? new Uint8Array(0) : drawNonce();
    this.#address = address;
    this.#listener = listener;
    this.#socket = connect({
      host: address.host,
      port: address.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 1000,
    });
    this.#openTimer = setTimeout(() => this.#fail('no answer to the handshake', false), OPEN_MS_MAX).unref();
    this.#socket.on('connect', () => {
      const authentication = this.#nonce;
      this.#socket.write(introduce(identity, address.id, { authentication }));
    });
    this.#socket.on('data', (bytes) => this.#receive(bytes));
    this.#socket.on('error', (error) => this.#fail(error.message, true));
    this.#socket.on('end', () => this.#fail('closed by the peer', true));
    this.#socket.on('close', () => this.#fail('closed', true));
  }

  get open(): boolean {
    return this.#open && !this.#closed;
  }

  /** Not yet handed to the operating system. */
  get queuedBytes(): number {
    return this.#chunkBytes + this.#socket.writableLength;
  }

  /** Queues the frame until `flush` and returns its bytes. Only while open. */
  enqueue(message: Message): number {
    const bytes = encodeMessage(message, this.#chunks);
    this.#chunkBytes += bytes;
    return bytes;
  }

  /** One vectored write for everything queued. */
  flush(): void {
    if (this.#chunks.length === 0 || this.#closed) return;
    const chunks = gatherChunks(this.#chunks);
    this.#writtenBytes += this.#chunkBytes;
    this.#chunks = [];
    this.#chunkBytes = 0;
    if (chunks.length === 1) {
      this.#socket.write(chunks[0] as Uint8Array);
      return;
    }
    this.#socket.cork();
    for (const chunk of chunks) this.#socket.write(chunk);
    this.#socket.uncork();
  }

  /** To be called now and then: gives the connection up when nothing has left for long. */
  checkProgress(nowMs: number): void {
    const progressBytes = this.#writtenBytes - this.#socket.writableLength;
    if (
      this.#socket.writableLength === 0 ||
      progressBytes !== this.#progressBytes ||
      this.#progressMs === 0
    ) {
      this.#progressBytes = progressBytes;
      this.#progressMs = nowMs;
    } else if (nowMs - this.#progressMs > STALL_MS_MAX) {
      this.#fail(`took no byte for ${STALL_MS_MAX / 1000} s`, false);
    }
  }

  destroy(): void {
    this.#closed = true;
    clearTimeout(this.#openTimer);
    this.#chunks = [];
    this.#chunkBytes = 0;
    this.#socket.destroy();
  }

  #receive(bytes: Uint8Array): void {
    if (this.#closed) return;
    try {
      const messages = this.#decoder.push(bytes);
      if (messages.length > 0 || this.#open) {
        this.#fail('sent messages on the connection that is not for them', false);
        return;
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error), false);
      return;
    }
    const { handshake } = this.#decoder;
    if (handshake === null) return;
    const expected = this.#address.id;
    const reason =
      objection(this.#identity, handshake) ??
      (handshake.from === expected
        ? null
        : `node ${handshake.from} answers where node ${expected} was expected`) ??
      this.#prove(handshake);
    if (reason !== null) {
      this.#fail(reason, false);
      return;
    }
    clearTimeout(this.#openTimer);
    this.#open = true;
    this.#listener.onOpen();
  }

  /** Answers the other side's challenge. Returns why it is not believed, or null. */
  #prove({ from, authentication }: Handshake): string | null {
    const { secret, nodeId, clusterId } = this.#identity;
    if (secret === null) return null;
    const answer = readAnswer(authentication);
    if (answer === null) return `node ${from} has no peer secret (setting peerSecret)`;
    const exchange = {
      clusterId,
      dialer: { id: nodeId, nonce: this.#nonce },
      acceptor: { id: from, nonce: answer.nonce },
    };
    if (!isProof(answer.proof, secret, 'acceptor', exchange)) {
      return `node ${from} has another secret (setting peerSecret)`;
    }
    const proof = proofOf(secret, 'dialer', exchange);
    this.#socket.write(introduce(this.#identity, from, { authentication: proof }));
    return null;
  }

  #fail(reason: string, broken: boolean): void {
    if (this.#closed) return;
    this.destroy();
    this.#listener.onClosed(reason, broken);
  }
}
