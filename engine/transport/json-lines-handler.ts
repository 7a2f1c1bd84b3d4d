// JSON lines on one client connection: bytes into requests, one batch for everything readable at once. Lines
// that are no requests are answered here, in their place.
import type { JsonLimits, Request } from '../protocol/json-line.ts';
import {
  JsonLineSplitter,
  LINE_NOT_UTF8,
  LINE_TOO_LONG,
  type SplitLine,
} from '../protocol/json-line-splitter.ts';
import type { MemberRequest } from '../protocol/json-members.ts';
import { errorReply } from '../protocol/json-reply.ts';
import { parseRequest } from '../protocol/json-request.ts';
import type { ClientConnection } from './client-connection.ts';
import type { ProtocolHandler } from './client-protocol.ts';

/** A request and the place of its reply among the connection's replies. */
export interface ClientRequest {
  slot: number;
  request: Request | MemberRequest;
  /** As it came in, for passing it on. */
  line: string;
}

export interface JsonLinesOptions {
  limits: JsonLimits;
  onRequests(connection: ClientConnection, requests: readonly ClientRequest[]): void;
  /** A line was refused. */
  onRefused(): void;
}

const LINE_END = Uint8Array.of(0x0a);

export class JsonLinesHandler implements ProtocolHandler {
  readonly #connection: ClientConnection;
  readonly #options: JsonLinesOptions;
  #splitter: JsonLineSplitter;
  /** The splitter holds, or has held, the beginning of a line and keeps memory for the next one. */
  #splitterGrew = false;

  constructor(connection: ClientConnection, options: JsonLinesOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#splitter = new JsonLineSplitter(options.limits.lineBytesMax);
  }

  get bufferedBytes(): number {
    return this.#splitter.pendingBytes;
  }

  onBytes(bytes: Uint8Array): void {
    this.#handle(this.#splitter.push(bytes));
    if (this.#splitter.pendingBytes > 0) {
      this.#splitterGrew = true;
    } else if (this.#splitterGrew) {
      // Between lines, so that an idle connection is cheap also after a long line.
      this.#splitter = new JsonLineSplitter(this.#options.limits.lineBytesMax);
      this.#splitterGrew = false;
    }
  }

  /** The last line may lack its end. */
  onEnd(): void {
    if (this.#splitter.pendingBytes > 0) this.#handle(this.#splitter.push(LINE_END));
  }

  #handle(lines: readonly SplitLine[]): void {
    const requests: ClientRequest[] = [];
    for (const line of lines) {
      if (typeof line !== 'string') {
        this.#refuseLine(line);
        continue;
      }
      const request = parseRequest(line, this.#options.limits);
      if (request.type === 'refused') {
        this.#options.onRefused();
        this.#connection.reply(this.#connection.reserve(), request.reply);
      } else {
        requests.push({ slot: this.#connection.reserve(line.length), request, line });
      }
    }
    // A connection that was cut off meanwhile wants nothing done.
    if (requests.length > 0 && !this.#connection.closed) this.#options.onRequests(this.#connection, requests);
  }

  #refuseLine(fault: Exclude<SplitLine, string>): void {
    this.#options.onRefused();
    const { lineBytesMax } = this.#options.limits;
    const reply =
      fault === LINE_NOT_UTF8
        ? errorReply(null, 'INVALID_JSON', 'the line is not UTF-8')
        : errorReply(
            null,
            'TOO_LARGE',
            `a line is over the limit of ${lineBytesMax} bytes (setting lineBytesMax)`,
          );
    this.#connection.reply(this.#connection.reserve(), reply);
    if (fault === LINE_TOO_LONG) this.#connection.endInput();
  }
}
