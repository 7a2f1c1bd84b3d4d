// One pipelined connection to one node: lines out, replies matched to requests in order. Knows nothing of
// leaders, retries or deadlines. Requests of one turn of the event loop leave in one write.
import { connect, type Socket } from 'node:net';
import { parseReply, type Reply } from '../protocol/json-client.ts';

/** A request and what becomes of it: exactly one of the two calls comes, once. */
export interface Exchange {
  /** One request, without its line end. */
  readonly line: string;
  answered(reply: Reply, link: NodeLink): void;
  /** The connection is gone. `sent` false: no byte of the request left this process. */
  lost(sent: boolean, link: NodeLink): void;
}

export interface NodeLinkListener {
  linkOpened(link: NodeLink): void;
  /** Comes after every exchange on it was told. */
  linkClosed(link: NodeLink): void;
}

/** Lines are joined into writes of about this size. */
const WRITE_CHARS_MAX = 1024 * 1024;
const RECONNECT_MS_MIN = 10;
const RECONNECT_MS_MAX = 500;

export interface NodeLinkOptions {
  connectTimeoutMs: number;
  /** A reply longer than this is a broken peer, not a reply. */
  replyCharsMax: number;
  /** Named before anything else; null for none. */
  password: string | null;
}

export class NodeLink {
  readonly address: string;
  /** The node's id as it said itself; null until it did. */
  nodeId: number | null = null;
  state: 'closed' | 'connecting' | 'open' = 'closed';
  /** Why it is not open, in plain words; null before the first failure. */
  failure: string | null = null;

  readonly #host: string;
  readonly #port: number;
  readonly #listener: NodeLinkListener;
  readonly #options: NodeLinkOptions;
  #socket: Socket | null = null;
  #connectTimer: NodeJS.Timeout | null = null;
  #unsent: Exchange[] = [];
  #awaiting: Exchange[] = [];
  #awaitingHead = 0;
  #flushScheduled = false;
  #partial: string[] = [];
  #partialChars = 0;
  #failuresInRow = 0;
  #retryAt = 0;
  /** Of the last reply, or of the request that ended an idle time: the younger. */
  #heardAt = 0;

  constructor(address: string, listener: NodeLinkListener, options: NodeLinkOptions) {
    const { host, port } = splitAddress(address);
    this.address = address;
    this.#host = host;
    this.#port = port;
    this.#listener = listener;
    this.#options = options;
  }

  get awaitingCount(): number {
    return this.#awaiting.length - this.#awaitingHead;
  }

  /** For how long requests have been waiting without a single reply, in milliseconds. 0 when none waits. */
  quietMs(now: number): number {
    return this.awaitingCount === 0 ? 0 : now - this.#heardAt;
  }

  /** When a closed link may be tried again: a dead node is not hammered. In `performance.now()` time. */
  get retryAt(): number {
    return this.#retryAt;
  }

  connect(): void {
    if (this.state !== 'closed') return;
    this.state = 'connecting';
    const socket = connect({ host: this.#host, port: this.#port });
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 5_000);
    socket.setEncoding('utf8');
    this.#connectTimer = setTimeout(() => {
      this.abandon(`no connection within ${this.#options.connectTimeoutMs} ms`);
    }, this.#options.connectTimeoutMs);
    socket.on('connect', () => this.#connected(socket));
    socket.on('data', (chunk: string) => {
      if (socket === this.#socket) this.#received(chunk);
    });
    socket.on('drain', () => {
      if (socket === this.#socket) this.#flush();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (socket === this.#socket) this.abandon(plainReason(error));
    });
    socket.on('end', () => {
      if (socket === this.#socket) this.abandon('connection closed by the node');
    });
    socket.on('close', () => {
      if (socket === this.#socket) this.abandon('connection closed');
    });
  }

  /** Queues the request; it leaves at the end of this turn. The link must be open. */
  send(exchange: Exchange): void {
    this.#unsent.push(exchange);
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  /** Drops the connection; every exchange on it is lost, in order. */
  abandon(reason: string): void {
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    this.state = 'closed';
    this.failure = reason;
    this.#failuresInRow++;
    this.#retryAt =
      performance.now() +
      Math.min(RECONNECT_MS_MAX, RECONNECT_MS_MIN * 2 ** Math.min(this.#failuresInRow - 1, 10));
    this.#clearConnectTimer();
    socket.on('error', () => {});
    socket.destroy();
    this.#partial = [];
    this.#partialChars = 0;
    const sent = this.#awaiting.slice(this.#awaitingHead);
    const unsent = this.#unsent;
    this.#awaiting = [];
    this.#awaitingHead = 0;
    this.#unsent = [];
    for (const exchange of sent) exchange.lost(true, this);
    for (const exchange of unsent) exchange.lost(false, this);
    this.#listener.linkClosed(this);
  }

  #connected(socket: Socket): void {
    if (socket !== this.#socket) return;
    this.#clearConnectTimer();
    this.state = 'open';
    const { password } = this.#options;
    if (password !== null) this.send(introduction(password));
    this.#listener.linkOpened(this);
  }

  #clearConnectTimer(): void {
    if (this.#connectTimer !== null) clearTimeout(this.#connectTimer);
    this.#connectTimer = null;
  }

  #flush(): void {
    const socket = this.#socket;
    if (socket === null || this.state !== 'open') return;
    let at = 0;
    if (this.#unsent.length > 0 && this.awaitingCount === 0) this.#heardAt = performance.now();
    while (at < this.#unsent.length && !socket.writableNeedDrain) {
      let text = '';
      while (at < this.#unsent.length && text.length < WRITE_CHARS_MAX) {
        const exchange = this.#unsent[at++] as Exchange;
        text += `${exchange.line}\n`;
        this.#awaiting.push(exchange);
      }
      socket.write(text);
    }
    this.#unsent = at === this.#unsent.length ? [] : this.#unsent.slice(at);
  }

  #received(chunk: string): void {
    this.#heardAt = performance.now();
    this.#failuresInRow = 0;
    let start = 0;
    for (let end = chunk.indexOf('\n'); end !== -1; end = chunk.indexOf('\n', start)) {
      let line = chunk.slice(start, end);
      if (this.#partialChars > 0) {
        line = this.#partial.join('') + line;
        this.#partial = [];
        this.#partialChars = 0;
      }
      start = end + 1;
      if (!this.#answer(line)) return;
    }
    if (start === chunk.length) return;
    // Only the new chunk is searched for a line end: a long reply in many pieces costs linear time.
    this.#partial.push(start === 0 ? chunk : chunk.slice(start));
    this.#partialChars += chunk.length - start;
    if (this.#partialChars > this.#options.replyCharsMax) {
      this.abandon(`a reply of more than ${this.#options.replyCharsMax} characters`);
    }
  }

  /** False when the connection is no longer this one's. */
  #answer(line: string): boolean {
    const socket = this.#socket;
    const reply = parseReply(line);
    if (reply === null) {
      this.abandon(`this is no Quorumlab client port: it answered ${JSON.stringify(line.slice(0, 80))}`);
      return false;
    }
    const exchange = this.#awaiting[this.#awaitingHead];
    if (exchange === undefined) {
      // A node that refuses the connection as such says so before any request.
      this.abandon(reply.status === 'error' ? reply.message : 'a reply without a request');
      return false;
    }
    this.#awaitingHead++;
    if (this.#awaitingHead === this.#awaiting.length) {
      this.#awaiting = [];
      this.#awaitingHead = 0;
    } else if (this.#awaitingHead === 4096) {
      this.#awaiting = this.#awaiting.slice(4096);
      this.#awaitingHead = 0;
    }
    exchange.answered(reply, this);
    return socket === this.#socket;
  }
}

/** What a refusal means, every request behind it is told as well. */
function introduction(password: string): Exchange {
  return { line: JSON.stringify({ command: 'auth', password }), answered: () => {}, lost: () => {} };
}

/** `host:port`, `[::1]:port`. Throws a TypeError that says what is wrong. */
export function splitAddress(address: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port < 1 || port > 65_535) {
    throw new TypeError(`"${address}" is no address: write host:port, for example 127.0.0.1:7001`);
  }
  return { host, port };
}

function plainReason(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ECONNREFUSED':
      return 'connection refused';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'connection reset';
    case 'ENOTFOUND':
      return 'no such host';
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'host not reachable';
    default:
      return error.message;
  }
}
