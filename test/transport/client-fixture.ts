// A real client port on loopback and clients that speak to it.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ClientConnection } from '../../engine/transport/client-connection.ts';
import {
  type ClientServer,
  type ClientServerOptions,
  openClientServer,
} from '../../engine/transport/client-server.ts';
import type { HttpPages } from '../../engine/transport/http-pages.ts';
import type { ClientRequest } from '../../engine/transport/json-lines-handler.ts';

export interface Waiting extends ClientRequest {
  connection: ClientConnection;
}

export const PAGES: HttpPages = {
  metrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'quorumlab_up 1\n' }),
  live: () => [{ name: 'loop', passed: true }],
  ready: () => [
    { name: 'leader', passed: false, message: 'nobody leads' },
    { name: 'disk', passed: true },
  ],
  status: () => ({ nodeId: 1 }),
};

/** A client port that keeps every request until the test answers it. */
export class TestServer {
  readonly waiting: Waiting[] = [];
  readonly batches: number[] = [];
  readonly closed: ClientConnection[] = [];
  #server: ClientServer | null = null;

  get server(): ClientServer {
    if (this.#server === null) throw new Error('not open');
    return this.#server;
  }

  async open(options: Partial<ClientServerOptions> = {}): Promise<this> {
    this.#server = await openClientServer({
      host: '127.0.0.1',
      port: 0,
      onRequests: (connection, requests) => {
        this.batches.push(requests.length);
        for (const request of requests) this.waiting.push({ connection, ...request });
      },
      onClosed: (connection) => this.closed.push(connection),
      pages: PAGES,
      ...options,
    });
    return this;
  }

  /** Answers everything that waits: with the request's id, or with what `line` makes of it. */
  answerAll(
    line: (waiting: Waiting) => string = ({ request }) => `${JSON.stringify({ id: request.id })}\n`,
  ): void {
    for (const waiting of this.waiting.splice(0)) waiting.connection.reply(waiting.slot, line(waiting));
  }
}

export class TestClient {
  readonly socket: Socket;
  text = '';
  ended = false;
  closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      this.text += text;
    });
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('error', () => {});
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }

  /** The replies, parsed. */
  get replies(): Record<string, unknown>[] {
    return this.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

export async function connectClient(server: ClientServer): Promise<TestClient> {
  const socket = connect({ host: '127.0.0.1', port: server.listening.port, allowHalfOpen: true });
  const client = new TestClient(socket);
  await once(socket, 'connect');
  return client;
}

export function ping(id: number): string {
  return `{"command":"ping","id":${id}}\n`;
}
