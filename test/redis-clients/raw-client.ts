// A client without any wits: commands out as arrays of bulk strings, replies in as the bytes that they are.
import { connect, type Socket } from 'node:net';
import { bulks } from '../../engine/protocol/resp-encode.ts';
import { RespReplyReader } from '../../engine/protocol/resp-reply-reader.ts';
import { eventually } from '../cluster/harness.ts';

export class RawRespClient {
  readonly #socket: Socket;
  readonly #reader = new RespReplyReader(256 * 1024 * 1024);
  readonly #replies: string[] = [];
  closed = false;

  /** A port of this machine, or the path of a socket. */
  constructor(where: number | string) {
    this.#socket = typeof where === 'number' ? connect(where, '127.0.0.1') : connect(where);
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

  /** As the bytes are. */
  sendBytes(bytes: string): void {
    this.#socket.write(bytes, 'latin1');
  }

  /** The replies to the commands, all sent at once. */
  async pipeline(commands: readonly (readonly string[])[]): Promise<string[]> {
    this.sendBytes(commands.map((argv) => bulks(argv)).join(''));
    return await this.take(commands.length);
  }

  async ask(...argv: string[]): Promise<string> {
    return (await this.pipeline([argv]))[0] as string;
  }

  async take(count: number): Promise<string[]> {
    await eventually(`${count} replies`, () => this.#replies.length >= count || this.closed);
    if (this.#replies.length < count)
      throw new Error(`the connection closed after ${this.#replies.length} replies`);
    return this.#replies.splice(0, count);
  }

  close(): void {
    this.#socket.destroy();
  }
}
