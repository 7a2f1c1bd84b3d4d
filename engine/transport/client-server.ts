// The client port: one listener for JSON lines, HTTP and whatever protocol is given a handler, told apart by
// the first bytes. Counts what it refuses. Knows nothing about commands.
import type { Server as HttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { DEFAULT_JSON_LIMITS, type JsonLimits } from '../protocol/json-line.ts';
import { errorReply } from '../protocol/json-reply.ts';
import { ClientConnection, type ConnectionHost, type CutReason } from './client-connection.ts';
import { CLIENT_LIMITS_DEFAULT, type ClientLimits } from './client-limits.ts';
import type { ClientProtocol, ProtocolHandler } from './client-protocol.ts';
import { createPagesServer, type HttpPages } from './http-pages.ts';
import { type ClientRequest, JsonLinesHandler, type JsonLinesOptions } from './json-lines-handler.ts';
import { type Listening, listen } from './listen.ts';
import { SILENT_LOG, type TransportLog } from './log.ts';

export interface ClientServerOptions {
  host: string;
  port: number;
  /** When the port is taken: listen on a free one, and log that. */
  replaceTakenPort?: boolean | undefined;
  limits?: Partial<ClientLimits> | undefined;
  jsonLimits?: Partial<JsonLimits> | undefined;
  /** All whole requests that were readable at once on one connection, in order. Each wants one `connection.reply(slot, …)`, in any order. */
  onRequests(connection: ClientConnection, requests: readonly ClientRequest[]): void;
  /** Its replies go nowhere from now on. */
  onClosed?: ((connection: ClientConnection) => void) | undefined;
  pages: HttpPages;
  /** Serves every connection that speaks neither JSON lines nor HTTP. Without it such a connection is told so and closed. */
  resp?: ((connection: ClientConnection) => ProtocolHandler) | undefined;
  log?: TransportLog | undefined;
}

/** Counted since the server was opened. */
export interface ClientServerStatus {
  connections: number;
  httpConnections: number;
  heldBytes: number;
  acceptedTotal: number;
  /** Turned away at `connectionsMax` or `httpConnectionsMax`. */
  refusedTotal: number;
  slowReadersCutTotal: number;
  memoryCutTotal: number;
  /** Answered with an error here: lines that are no sound request, protocols that are not spoken. */
  requestsRefusedTotal: number;
}

export interface ClientServer {
  readonly listening: Listening;
  /** Writes the replies given since the last call. Comes by itself at the end of the turn; call it to be earlier. */
  flush(): void;
  status(): ClientServerStatus;
  /** Stops listening; lets connections take the replies that are due now, then closes them. */
  close(): Promise<void>;
}

/** How long a client may take the replies that are due when the server closes. */
const CLOSE_MS_MAX = 500;

const NOT_SPOKEN_HERE = errorReply(
  null,
  'INVALID_JSON',
  'this port speaks JSON lines (one object a line, starting with {) and HTTP (GET /status)',
);

const HTTP_UNAVAILABLE = 'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

const IGNORES_EVERYTHING: ProtocolHandler = { onBytes: () => {}, onEnd: () => {}, bufferedBytes: 0 };

/** Rejects when the port cannot be had. */
export async function openClientServer(options: ClientServerOptions): Promise<ClientServer> {
  const server = new ListeningClientServer(options);
  await server.open(options);
  return server;
}

class ListeningClientServer implements ClientServer, ConnectionHost {
  readonly limits: ClientLimits;
  readonly #options: ClientServerOptions;
  readonly #jsonLines: JsonLinesOptions;
  readonly #log: TransportLog;
  readonly #server: Server;
  readonly #pages: HttpServer;
  readonly #connections = new Set<ClientConnection>();
  readonly #httpSockets = new Set<Socket>();
  #listening: Listening | null = null;
  #toFlush: ClientConnection[] = [];
  #flushScheduled = false;
  #nextId = 1;
  #heldBytes = 0;
  #acceptedTotal = 0;
  #refusedTotal = 0;
  #slowReadersCutTotal = 0;
  #memoryCutTotal = 0;
  #requestsRefusedTotal = 0;

  constructor(options: ClientServerOptions) {
    this.limits = { ...CLIENT_LIMITS_DEFAULT, ...options.limits };
    this.#options = options;
    this.#jsonLines = {
      limits: { ...DEFAULT_JSON_LIMITS, ...options.jsonLimits },
      onRequests: options.onRequests,
      onRefused: () => {
        this.#requestsRefusedTotal++;
      },
    };
    this.#log = options.log ?? SILENT_LOG;
    this.#pages = createPagesServer(options.pages);
    this.#server = createServer(
      // Half-open: a client may end its side and still wants its replies. Keep-alive finds the ones that vanished.
      { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 },
      (socket) => this.#accept(socket),
    );
  }

  get listening(): Listening {
    if (this.#listening === null) throw new Error('not listening yet');
    return this.#listening;
  }

  async open(where: { host: string; port: number; replaceTakenPort?: boolean | undefined }): Promise<void> {
    this.#listening = await listen(this.#server, where);
    // Running out of descriptors concerns the connection that could not be accepted, not the others.
    this.#server.on('error', (error) => this.#log.warn({ error: error.message }, 'client port'));
    if (this.#listening.portReplaced) {
      const { address } = this.#listening;
      this.#log.warn(
        { wanted: where.port, address },
        `client port ${where.port} is taken; listening on ${address}`,
      );
    }
  }

  status(): ClientServerStatus {
    return {
      connections: this.#connections.size + this.#httpSockets.size,
      httpConnections: this.#httpSockets.size,
      heldBytes: this.#heldBytes,
      acceptedTotal: this.#acceptedTotal,
      refusedTotal: this.#refusedTotal,
      slowReadersCutTotal: this.#slowReadersCutTotal,
      memoryCutTotal: this.#memoryCutTotal,
      requestsRefusedTotal: this.#requestsRefusedTotal,
    };
  }

  needsFlush(connection: ClientConnection): void {
    this.#toFlush.push(connection);
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.flush();
    });
  }

  flush(): void {
    if (this.#toFlush.length === 0) return;
    const connections = this.#toFlush;
    this.#toFlush = [];
    for (const connection of connections) connection.flush();
  }

  recognized(connection: ClientConnection, protocol: ClientProtocol): ProtocolHandler | null {
    if (protocol === 'jsonLines') {
      return new JsonLinesHandler(connection, this.#jsonLines);
    }
    if (protocol === 'http') return null;
    if (this.#options.resp !== undefined) return this.#options.resp(connection);
    this.#requestsRefusedTotal++;
    connection.reply(connection.reserve(), NOT_SPOKEN_HERE);
    connection.endInput();
    return IGNORES_EVERYTHING;
  }

  released(socket: Socket): void {
    if (this.#httpSockets.size >= this.limits.httpConnectionsMax) {
      this.#refuse(socket, HTTP_UNAVAILABLE);
      return;
    }
    this.#httpSockets.add(socket);
    socket.once('close', () => this.#httpSockets.delete(socket));
    this.#pages.emit('connection', socket);
    // The server's parser is in place; the bytes that were put back may come.
    process.nextTick(() => socket.resume());
  }

  heldBytesChanged(deltaBytes: number): void {
    this.#heldBytes += deltaBytes;
    if (deltaBytes <= 0 || this.#heldBytes <= this.limits.heldBytesMax) return;
    let greediest: ClientConnection | null = null;
    for (const connection of this.#connections) {
      if (greediest === null || connection.heldBytes > greediest.heldBytes) greediest = connection;
    }
    if (greediest !== null) this.cut(greediest, 'memory');
  }

  cut(connection: ClientConnection, reason: CutReason): void {
    const { id, remoteAddress, heldBytes } = connection;
    if (reason === 'slowReader') this.#slowReadersCutTotal++;
    if (reason === 'memory') this.#memoryCutTotal++;
    this.#log.warn(
      { connection: id, remoteAddress, heldBytes, reason },
      `client connection cut off: ${reason}`,
    );
    connection.destroy();
  }

  closed(connection: ClientConnection): void {
    this.#connections.delete(connection);
    this.#options.onClosed?.(connection);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections) connection.close();
    for (const socket of this.#httpSockets) socket.destroy();
    // A client that does not read must not keep the node from stopping.
    const deadline = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy();
    }, CLOSE_MS_MAX);
    await closed;
    clearTimeout(deadline);
  }

  #accept(socket: Socket): void {
    if (this.#connections.size + this.#httpSockets.size >= this.limits.connectionsMax) {
      const message = `connection limit of ${this.limits.connectionsMax} reached (setting connectionsMax)`;
      this.#refuse(socket, errorReply(null, 'UNAVAILABLE', message));
      return;
    }
    this.#acceptedTotal++;
    this.#connections.add(new ClientConnection(this, socket, this.#nextId++));
  }

  #refuse(socket: Socket, text: string): void {
    this.#refusedTotal++;
    socket.on('error', () => {});
    socket.end(text);
    socket.destroySoon();
  }
}
