// Passes request lines of clients that asked for it on to the leader's client port, and its replies back.
// One connection, to whoever leads; its replies come in the order of the requests.
import { connect, type Socket } from 'node:net';
import { JsonLineSplitter } from '../protocol/json-line-splitter.ts';
import { errorReply } from '../protocol/json-reply.ts';
import { splitAddress } from './node-config.ts';
import { type ReplyTo, sendReply } from './request-desk.ts';

interface Passed {
  to: ReplyTo;
  at: number;
}

export interface ForwarderOptions {
  /** Longest reply line. */
  lineBytesMax: number;
  /** Requests on their way; more are refused. */
  outstandingMax: number;
  /** Bytes that the leader has not taken yet; more are refused. */
  queueBytesMax: number;
  /** Of the client port, the leader's like this node's; null for none. */
  password?: string | null;
  /** Milliseconds, monotonic. */
  now: () => number;
}

export const FORWARDER_LIMITS = { outstandingMax: 10_000, queueBytesMax: 64 * 1024 * 1024 } as const;

export class Forwarder {
  readonly #options: ForwarderOptions;
  #leader = '';
  #socket: Socket | null = null;
  #passed: Passed[] = [];
  /** The answer to this node's own password has come, or none is needed. */
  #introduced = true;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  forward(to: ReplyTo, line: string, leader: string): void {
    const { outstandingMax, queueBytesMax } = this.#options;
    const queuedBytes = this.#socket?.writableLength ?? 0;
    if (this.#passed.length >= outstandingMax || queuedBytes >= queueBytesMax) {
      sendReply(
        to,
        errorReply(
          to.id,
          'UNAVAILABLE',
          'too many requests are being passed on to the leader; try again later',
        ),
      );
      return;
    }
    const socket = leader === this.#leader && this.#socket !== null ? this.#socket : this.#dial(leader);
    this.#passed.push({ to, at: this.#options.now() });
    // The last member of a name wins: a node that lost leadership meanwhile answers instead of passing it on again.
    socket.write(`${line.trimEnd().slice(0, -1)},"forward":false}\n`);
  }

  /** Gives up what the leader has not answered since `before`, and the connection with it: its order is lost. */
  expire(before: number): void {
    const oldest = this.#passed[0];
    if (oldest !== undefined && oldest.at < before) this.#hangUp('the leader did not answer in time');
  }

  close(): void {
    this.#hangUp('this node is stopping');
  }

  #dial(leader: string): Socket {
    this.#hangUp('leadership changed');
    const { host, port } = splitAddress(leader);
    const socket = connect({ host, port, noDelay: true });
    const splitter = new JsonLineSplitter(this.#options.lineBytesMax);
    this.#leader = leader;
    this.#socket = socket;
    this.#introduced = true;
    const { password = null } = this.#options;
    if (password !== null) {
      socket.write(`${JSON.stringify({ command: 'auth', password })}\n`);
      this.#introduced = false;
    }
    socket.on('data', (chunk) => {
      for (const line of splitter.push(chunk)) {
        if (this.#socket !== socket) return;
        if (typeof line === 'string') this.#relay(line);
        else this.#hangUp('the leader sent a reply that cannot be read');
      }
    });
    const onEnd = (reason: string) => (): void => {
      if (this.#socket === socket) this.#hangUp(reason);
    };
    socket.on('error', (error) => onEnd(error.message)());
    socket.on('close', onEnd('the connection to the leader broke'));
    return socket;
  }

  #relay(line: string): void {
    if (!this.#introduced) {
      this.#introduced = true;
      if (!line.includes('"status":"ok"')) this.#hangUp('the leader has another password');
      return;
    }
    const passed = this.#passed.shift();
    if (passed !== undefined) sendReply(passed.to, `${line}\n`);
  }

  /** What was passed on and not answered may have been done. */
  #hangUp(reason: string): void {
    const passed = this.#passed;
    this.#passed = [];
    this.#socket?.destroy();
    this.#socket = null;
    for (const { to } of passed) {
      sendReply(to, errorReply(to.id, 'TIMEOUT', `${reason}; the request may have been carried out`));
    }
  }
}
