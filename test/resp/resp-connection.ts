// A RESP client without any wits, for nodes in this process: commands out, replies in as the bytes that they are.
import { connect, type Socket } from 'node:net';
import { bulks } from '../../engine/protocol/resp-encode.ts';
import { RespReplyReader } from '../../engine/protocol/resp-reply-reader.ts';
import { waitUntil } from '../main/wait-until.ts';

export class RespConnection {
  closed = false;
  readonly #socket: Socket;
  readonly #reader = new RespReplyReader(256 * 1024 * 1024);
  readonly #replies: string[] = [];

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.closed = true;
    });
    this.#socket.on('data', (bytes) => {
      this.#reader.feed(bytes);
      for (let reply = this.#reader.next(); reply !== null; reply = this.#reader.next())
        this.#replies.push(reply);
    });
  }

  /** Replies that have come and were not taken. */
  get received(): number {
    return this.#replies.length;
  }

  sendBytes(bytes: string): void {
    this.#socket.write(bytes, 'latin1');
  }

  send(...commands: (readonly string[])[]): void {
    this.sendBytes(commands.map((argv) => bulks(argv)).join(''));
  }

  async take(count: number): Promise<string[]> {
    await waitUntil(`${count} replies`, () => this.#replies.length >= count);
    return this.#replies.splice(0, count);
  }

  async pipeline(commands: readonly (readonly string[])[]): Promise<string[]> {
    this.send(...commands);
    return await this.take(commands.length);
  }

  async ask(...argv: string[]): Promise<string> {
    return (await this.pipeline([argv]))[0] as string;
  }

  /** Reads nothing from now on. */
  pause(): void {
    this.#socket.pause();
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Asks again until the reply is as wanted. */
export async function untilReply(
  client: RespConnection,
  argv: readonly string[],
  wanted: RegExp,
): Promise<void> {
  const deadline = performance.now() + 8000;
  for (;;) {
    const reply = await client.ask(...argv);
    if (wanted.test(reply)) return;
    if (performance.now() > deadline) throw new Error(`${argv.join(' ')} still answers ${reply}`);
  }
}
