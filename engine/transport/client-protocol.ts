// Tells the protocols of the client port apart by a connection's first bytes, and says what a protocol
// must offer to be served there.

export type ClientProtocol = 'jsonLines' | 'http' | 'resp';

/** One connection's parser and dispatcher. Created when the first bytes have told the protocol. */
export interface ProtocolHandler {
  /** Everything that was readable at once; also the bytes that told the protocol. */
  onBytes(bytes: Buffer): void;
  /** The client has ended its side: no more bytes come, but it still wants its replies. */
  onEnd(): void;
  /** Bytes of unfinished requests that the handler keeps. */
  readonly bufferedBytes: number;
}

/** An HTTP request line ends within so many bytes, or it is none. */
const REQUEST_LINE_BYTES_MAX = 8 * 1024;
const WHITESPACE_BYTES_MAX = 64;
const LONGEST_METHOD_BYTES = 7;

const TAB = 0x09;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const SLASH = 0x2f;
const OPENING_BRACE = 0x7b;

/**
 * `{`, after white space or none, opens JSON lines; a request line with `HTTP/1.` opens HTTP; everything
 * else is RESP, also its inline commands such as `GET /key`. Null: too early to tell.
 */
export function recognizeProtocol(bytes: Buffer): ClientProtocol | null {
  let at = 0;
  while (at < bytes.length && isWhitespace(bytes[at] as number)) at++;
  if (at === bytes.length) return at > WHITESPACE_BYTES_MAX ? 'resp' : null;
  if (bytes[at] === OPENING_BRACE) return 'jsonLines';
  return at === 0 ? recognizeRequestLine(bytes) : 'resp';
}

function recognizeRequestLine(bytes: Buffer): ClientProtocol | null {
  let at = 0;
  while (at < bytes.length && at <= LONGEST_METHOD_BYTES && isCapital(bytes[at] as number)) at++;
  if (at === 0 || at > LONGEST_METHOD_BYTES) return 'resp';
  if (at === bytes.length) return null;
  if (bytes[at] !== SPACE) return 'resp';
  if (at + 1 === bytes.length) return null;
  if (bytes[at + 1] !== SLASH) return 'resp';
  const end = bytes.indexOf(NEWLINE, at);
  if (end === -1) return bytes.length > REQUEST_LINE_BYTES_MAX ? 'resp' : null;
  return /^[A-Z]+ \/[^ ]* HTTP\/1\.[01]\r?$/.test(bytes.toString('latin1', 0, end)) ? 'http' : 'resp';
}

function isWhitespace(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === NEWLINE || byte === CARRIAGE_RETURN;
}

function isCapital(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a;
}
