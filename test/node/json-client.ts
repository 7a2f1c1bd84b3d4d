// A client of one node in a test: lines out, replies in, in order. No retries, no redirects.
import { connect, type Socket } from 'node:net';

export interface Reply {
  id?: number;
  status: string;
  code?: string;
  outcome?: string;
  leader_id?: number | null;
  value?: unknown;
  success?: boolean;
  index?: number;
}

export class JsonClient {
  readonly #socket: Socket;
  readonly #waiting: ((reply: Reply) => void)[] = [];
  #text = '';
  #id = 0;

  constructor(address: string) {
    const colon = address.lastIndexOf(':');
    this.#socket = connect({ host: address.slice(0, colon), port: Number(address.slice(colon + 1)) });
    this.#socket.on('data', (bytes) => this.#receive(bytes.toString()));
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      for (const answer of this.#waiting.splice(0)) answer({ status: 'closed' });
    });
  }

  /** `status` is `closed` when the connection ended first. */
  ask(request: object): Promise<Reply> {
    this.#id += 1;
    this.#socket.write(`${JSON.stringify({ id: this.#id, ...request })}\n`);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(text: string): void {
    this.#text += text;
    const lines = this.#text.split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) this.#waiting.shift()?.(JSON.parse(line) as Reply);
  }
}
