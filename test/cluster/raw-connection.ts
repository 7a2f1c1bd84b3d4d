// A client without any wits: one line out, one line in. What a node says reaches the test as it was said.
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { eventually, type TestNode } from './harness.ts';

export type Reply = Record<string, unknown>;

export class RawConnection {
  readonly #socket: Socket;
  readonly #replies: Reply[] = [];
  closed = false;

  constructor(node: TestNode) {
    this.#socket = connect(node.port, '127.0.0.1');
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.closed = true;
    });
    createInterface({ input: this.#socket }).on('line', (line) =>
      this.#replies.push(JSON.parse(line) as Reply),
    );
  }

  send(request: object): void {
    this.#socket.write(`${JSON.stringify(request)}\n`);
  }

  next(): Promise<Reply> {
    return eventually('a reply', () => this.#replies.shift());
  }

  ask(request: object): Promise<Reply> {
    this.send(request);
    return this.next();
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** One request on a connection of its own. */
export async function ask(node: TestNode, request: object): Promise<Reply> {
  const connection = new RawConnection(node);
  const reply = await connection.ask(request);
  connection.close();
  return reply;
}
