// RESP on one client connection: bytes into commands, one after the other, for a sink that knows what they mean.
// Stops in the middle of what was readable when the sink says so, and then reads nothing more from the socket.
import { error } from '../protocol/resp-encode.ts';
import { type RespArgs, type RespLimits, RespParser } from '../protocol/resp-parser.ts';
import type { ClientConnection } from './client-connection.ts';
import type { ProtocolHandler } from './client-protocol.ts';

export interface RespSink {
  /** `args` is valid during the call only. */
  command(args: RespArgs): void;
  /** The commands that were readable at once have all been given. */
  batchEnded(): void;
  /** What follows is no RESP; the connection ends after the error reply. */
  refused(): void;
}

export class RespHandler implements ProtocolHandler {
  readonly #connection: ClientConnection;
  readonly #sink: RespSink;
  readonly #parser: RespParser;
  #blocked = false;
  #reading = false;

  constructor(
    connection: ClientConnection,
    limits: RespLimits,
    createSink: (handler: RespHandler) => RespSink,
  ) {
    this.#connection = connection;
    this.#parser = new RespParser(limits);
    connection.replyEncoding = 'latin1';
    this.#sink = createSink(this);
  }

  get bufferedBytes(): number {
    return this.#parser.bufferedBytes;
  }

  onBytes(bytes: Uint8Array): void {
    this.#parser.feed(bytes);
    this.#read();
  }

  /** A command without its end is no command. */
  onEnd(): void {}

  /** True: only what it takes to authenticate is read, nothing large. */
  restrict(restricted: boolean): void {
    this.#parser.restricted = restricted;
  }

  /** No further command before `resume`: it depends on what an earlier one is still waiting for. */
  pause(): void {
    this.#blocked = true;
    this.#connection.holdInput(true);
  }

  resume(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    if (this.#connection.closed) return;
    this.#connection.holdInput(false);
    if (!this.#reading) this.#read();
  }

  #read(): void {
    const parser = this.#parser;
    this.#reading = true;
    while (!this.#blocked && !this.#connection.closed && parser.next()) this.#sink.command(parser);
    this.#reading = false;
    this.#sink.batchEnded();
    if (parser.error === null || this.#blocked) return;
    this.#sink.refused();
    this.#connection.reply(this.#connection.reserve(), error(`ERR ${parser.error}`));
    this.#connection.endInput();
  }
}
