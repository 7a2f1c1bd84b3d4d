// One connection on the client port: reading with backpressure, replies in the order of the requests, and
// its end. What the bytes mean is its ProtocolHandler's business.
import type { Socket } from 'node:net';
import type { ClientLimits } from './client-limits.ts';
import { type ClientProtocol, type ProtocolHandler, recognizeProtocol } from './client-protocol.ts';
import { type Reply, ReplyRing } from './reply-ring.ts';

/** Why this side closed a connection that the client had not ended. */
export type CutReason = 'slowReader' | 'memory' | 'protocolError' | 'shutdown';

/** What a connection asks of the server that holds it. */
export interface ConnectionHost {
  readonly limits: ClientLimits;
  /** The protocol is known. Null: the connection gives its socket away to `released`. */
  recognized(connection: ClientConnection, protocol: ClientProtocol): ProtocolHandler | null;
  /** The socket has no listeners any more, is paused, and has the bytes already read put back. */
  released(socket: Socket): void;
  /** There are replies to write: `flush` wants to be called. */
  needsFlush(connection: ClientConnection): void;
  /** The memory that the connection holds has changed by so much. */
  heldBytesChanged(deltaBytes: number): void;
  cut(connection: ClientConnection, reason: CutReason): void;
  closed(connection: ClientConnection): void;
}

/** After a fatal error reply the rest of the client's bytes is read and thrown away for so long: a reset would take the reply with it. */
const LINGER_MS = 1000;

export class ClientConnection {
  /** Unique in the process. */
  readonly id: number;
  readonly remoteAddress: string;
  /** How replies that are text leave: as UTF-8, or a byte a character. Set by the protocol. */
  replyEncoding: 'utf8' | 'latin1' = 'utf8';
  readonly #socket: Socket;
  readonly #host: ConnectionHost;
  readonly #ring = new ReplyRing();
  #handler: ProtocolHandler | null = null;
  #firstBytes: Buffer | null = null;
  #heldBytes = 0;
  #flushAsked = false;
  #closed = false;
  /** No more requests come: the client ended its side, or this side wants no more. */
  #inputEnded = false;
  /** Bytes that still come are thrown away. */
  #discarding = false;
  /** The protocol wants no bytes for now. */
  #held = false;
  readonly #onData = (bytes: Buffer): void => this.#receive(bytes);
  readonly #onEnd = (): void => this.#receiveEnd();
  readonly #onDrain = (): void => this.#updateFlow();
  readonly #onError = (): void => {};
  readonly #onClose = (): void => this.#markClosed();

  constructor(host: ConnectionHost, socket: Socket, id: number) {
    this.#host = host;
    this.#socket = socket;
    this.id = id;
    this.remoteAddress = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('drain', this.#onDrain);
    // What went wrong with a client's connection is the client's affair; `close` follows.
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Memory held for the client: unfinished input, requests without reply, replies not yet sent. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** The place of the next request's reply. `requestBytes` is what working on it keeps in memory. */
  reserve(requestBytes = 0): number {
    return this.#ring.reserve(requestBytes);
  }

  /** In any order; each reserved slot once. The bytes include the line's end. After the close it does nothing. */
  reply(slot: number, reply: Reply): void {
    if (this.#closed) return;
    if (this.#ring.fill(slot, reply)) this.#askForFlush();
    if (this.#ring.replyBytes > this.#host.limits.replyBytesPauseMax) {
      this.flush();
      if (this.#replyBytesPending() > this.#host.limits.replyBytesMax) this.#host.cut(this, 'slowReader');
    }
  }

  /** Writes every reply whose turn it is. */
  flush(): void {
    this.#flushAsked = false;
    if (this.#closed) return;
    const chunks = this.#ring.take();
    if (chunks.length === 1) {
      this.#write(chunks[0] as Reply);
    } else if (chunks.length > 1) {
      this.#socket.cork();
      for (const chunk of chunks) this.#write(chunk);
      this.#socket.uncork();
    }
    if (this.#inputEnded && this.#ring.outstanding === 0) this.#finish();
    this.#updateFlow();
  }

  /** While true, nothing is read from the client. */
  holdInput(held: boolean): void {
    this.#held = held;
    this.#updateFlow();
  }

  /** Reads no further request, sends what is owed, then closes. */
  endInput(): void {
    if (this.#inputEnded || this.#closed) return;
    this.#inputEnded = true;
    this.#discarding = true;
    this.#socket.resume();
    this.#askForFlush();
  }

  /** Sends the replies given so far, then closes, whatever is still owed. */
  close(): void {
    this.flush();
    this.#socket.destroySoon();
  }

  destroy(): void {
    this.#socket.destroy();
    this.#markClosed();
  }

  #receive(bytes: Buffer): void {
    if (this.#discarding) return;
    if (this.#handler !== null) {
      this.#handler.onBytes(bytes);
    } else {
      const first = this.#firstBytes === null ? bytes : Buffer.concat([this.#firstBytes, bytes]);
      const protocol = recognizeProtocol(first);
      this.#firstBytes = protocol === null ? first : null;
      if (protocol === null) return;
      this.#handler = this.#host.recognized(this, protocol);
      if (this.#handler === null) {
        this.#letGo(first);
        return;
      }
      this.#handler.onBytes(first);
    }
    this.#updateFlow();
  }

  #receiveEnd(): void {
    if (!this.#discarding) this.#handler?.onEnd();
    this.#inputEnded = true;
    this.#askForFlush();
  }

  #write(reply: Reply): void {
    if (typeof reply === 'string') this.#socket.write(reply, this.replyEncoding);
    else this.#socket.write(reply);
  }

  #askForFlush(): void {
    if (this.#flushAsked) return;
    this.#flushAsked = true;
    this.#host.needsFlush(this);
  }

  #finish(): void {
    if (this.#socket.writableEnded) return;
    this.#socket.end();
    if (this.#discarding) setTimeout(() => this.destroy(), LINGER_MS).unref();
  }

  #replyBytesPending(): number {
    return this.#ring.replyBytes + this.#socket.writableLength;
  }

  /** Backpressure: stops reading while the client has too much under way or does not read its replies. */
  #updateFlow(): void {
    if (this.#closed) return;
    const { limits } = this.#host;
    const replyBytes = this.#replyBytesPending();
    const requestBytes = this.#ring.requestBytes;
    const heldBytes = replyBytes + requestBytes + (this.#handler?.bufferedBytes ?? 0);
    if (heldBytes !== this.#heldBytes) {
      const deltaBytes = heldBytes - this.#heldBytes;
      this.#heldBytes = heldBytes;
      this.#host.heldBytesChanged(deltaBytes);
      if (this.#closed) return;
    }
    if (this.#discarding) return;
    const { outstanding } = this.#ring;
    if (this.#socket.isPaused()) {
      // Only at the half, so that a client at its limit does not stop and start with every request.
      if (
        !this.#held &&
        outstanding <= limits.requestsOutstandingMax / 2 &&
        requestBytes <= limits.requestBytesMax / 2 &&
        replyBytes <= limits.replyBytesPauseMax / 2
      ) {
        this.#socket.resume();
      }
    } else if (
      this.#held ||
      outstanding >= limits.requestsOutstandingMax ||
      requestBytes >= limits.requestBytesMax ||
      replyBytes >= limits.replyBytesPauseMax
    ) {
      this.#socket.pause();
    }
  }

  /** Hands the socket over, with the bytes that were already read. */
  #letGo(bytes: Buffer): void {
    const socket = this.#socket;
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('drain', this.#onDrain);
    socket.off('error', this.#onError);
    socket.off('close', this.#onClose);
    socket.pause();
    socket.unshift(bytes);
    this.#markClosed();
    this.#host.released(socket);
  }

  #markClosed(): void {
    if (this.#closed) return;
    this.#closed = true;
    const heldBytes = this.#heldBytes;
    this.#heldBytes = 0;
    this.#host.heldBytesChanged(-heldBytes);
    this.#host.closed(this);
  }
}
