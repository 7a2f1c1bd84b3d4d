// Replies out of a byte stream, each as the bytes that it is: to be passed on without looking inside. Also cuts an
// array's reply into its elements.
import { readByteString } from './byte-string.ts';
import type { ByteString } from './command.ts';

const NOTHING = new Uint8Array(0);
const CARRIAGE_RETURN = 0x0d;
const HEADER_BYTES_MAX = 64 * 1024;

const SIMPLE = new Set('+-:,(#_');
const BLOB = new Set('$=!');
const LIST = new Set('*~>');
const PAIRS = new Set('%|');

export class RespReplyReader {
  /** The stream is no RESP: nothing more can be read from it. */
  broken = false;
  readonly #replyBytesMax: number;
  #buffer: Uint8Array = NOTHING;
  #start = 0;
  #at = 0;
  #end = 0;
  /** Values that are still to come until the reply is whole; 0 between replies. */
  #missing = 0;

  constructor(replyBytesMax: number) {
    this.#replyBytesMax = replyBytesMax;
  }

  feed(bytes: Uint8Array): void {
    const held = this.#end - this.#start;
    if (held === 0) {
      this.#buffer = bytes;
      this.#start = this.#at = 0;
      this.#end = bytes.length;
      return;
    }
    if (this.#end + bytes.length > this.#buffer.length || this.#start > 0) {
      const buffer = new Uint8Array(Math.max(held + bytes.length, held * 2));
      buffer.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = buffer;
      this.#at -= this.#start;
      this.#start = 0;
      this.#end = held;
    }
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
    if (this.#end > this.#replyBytesMax) this.broken = true;
  }

  /** The next whole reply, or null when more bytes are needed or the stream is broken. */
  next(): ByteString | null {
    if (this.broken || this.#at >= this.#end) return null;
    if (this.#missing === 0) this.#missing = 1;
    while (this.#missing > 0) {
      const end = this.#skipValue();
      if (end === -1) return null;
      this.#at = end;
    }
    const reply = readByteString(this.#buffer, this.#start, this.#at);
    this.#start = this.#at;
    return reply;
  }

  /** The end of the value at `#at`, of an aggregate only its header's; -1: not all there. */
  #skipValue(): number {
    if (this.#at >= this.#end) return -1;
    const type = String.fromCharCode(this.#buffer[this.#at] as number);
    if (!SIMPLE.has(type) && !BLOB.has(type) && !LIST.has(type) && !PAIRS.has(type)) {
      this.broken = true;
      return -1;
    }
    const lineEnd = this.#buffer.indexOf(CARRIAGE_RETURN, this.#at);
    if (lineEnd === -1 || lineEnd + 1 >= this.#end) {
      this.broken ||= this.#end - this.#at > HEADER_BYTES_MAX;
      return -1;
    }
    const end = lineEnd + 2;
    if (SIMPLE.has(type)) {
      this.#missing--;
      return end;
    }
    const count = Number(readByteString(this.#buffer, this.#at + 1, lineEnd));
    if (!Number.isSafeInteger(count)) {
      this.broken = true;
      return -1;
    }
    if (BLOB.has(type)) {
      const blobEnd = count < 0 ? end : end + count + 2;
      if (blobEnd > this.#end) return -1;
      this.#missing--;
      return blobEnd;
    }
    // An attribute stands before the value that it belongs to, so that one is still to come.
    this.#missing += Math.max(0, PAIRS.has(type) ? count * 2 : count) - (type === '|' ? 0 : 1);
    return end;
  }
}

/** The elements of a whole array reply, encoded; null when it is none. */
export function elementsOf(reply: ByteString): ByteString[] | null {
  const header = /^\*(\d+)\r\n/.exec(reply);
  if (header === null) return null;
  const body = reply.slice(header[0].length);
  const bytes = new Uint8Array(body.length);
  for (let at = 0; at < body.length; at++) bytes[at] = body.charCodeAt(at);
  const reader = new RespReplyReader(Number.MAX_SAFE_INTEGER);
  reader.feed(bytes);
  const elements: ByteString[] = [];
  for (let element = reader.next(); element !== null; element = reader.next()) elements.push(element);
  return elements.length === Number(header[1]) ? elements : null;
}
