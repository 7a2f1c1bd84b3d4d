// RESP requests out of a byte stream: arrays of bulk strings, and inline commands. Incremental: a command may come
// in any number of pieces, and no byte is looked at twice but for a bounded header. Limits and error texts are
// Redis's. Replies are resp-encode.ts.
import { readByteString } from './byte-string.ts';
import type { ByteString } from './command.ts';
import { splitInline } from './resp-inline.ts';

export interface RespLimits {
  /** Elements of one command's array. */
  elementsMax: number;
  /** Bytes of one command, its headers included. */
  requestBytesMax: number;
}

export const RESP_LIMITS_DEFAULT: RespLimits = {
  elementsMax: 1_048_576,
  requestBytesMax: 16 * 1024 * 1024,
};

/** The command that was parsed last. Valid until the parser is used again: copy what is kept. */
export interface RespArgs {
  /** Its name included; at least 1. */
  readonly argc: number;
  /** Where the bytes of the arguments are. */
  readonly source: Uint8Array;
  start(at: number): number;
  end(at: number): number;
  /** A copy. */
  text(at: number): ByteString;
  /** Bytes that the command took on the wire. */
  readonly requestBytes: number;
}

/** An inline command or a header line without its end. */
const LINE_BYTES_MAX = 64 * 1024;
const RESTRICTED_ELEMENTS_MAX = 10;
const RESTRICTED_BULK_BYTES_MAX = 16_384;
const OFFSETS_INITIAL = 16;
const OFFSETS_KEPT_MAX = 2048;
const NOTHING = new Uint8Array(0);

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const DOLLAR = 0x24;
const ASTERISK = 0x2a;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

const INCOMPLETE = -1;
const INVALID = -2;

export class RespParser implements RespArgs {
  argc = 0;
  source: Uint8Array = NOTHING;
  requestBytes = 0;
  /** Why nothing more can be read from this stream, in Redis's words, without `ERR `. Null: all is well. */
  error: string | null = null;
  /** The client has not authenticated: it may send little. */
  restricted = false;
  readonly #limits: RespLimits;
  /** Pairs of start and end in `source`. */
  #offsets = new Int32Array(OFFSETS_INITIAL);
  #buffer: Uint8Array = NOTHING;
  /** The buffer is a copy with room to grow; otherwise it belongs to who fed it. */
  #owned = false;
  /** Of the command that is being read. */
  #commandStart = 0;
  #at = 0;
  #end = 0;
  /** Elements of the array that are still to come; 0 between commands. */
  #missing = 0;
  /** Bytes of the element whose header has been read, or -1. */
  #bulkBytes = -1;
  /** Searched for a line end in vain up to here. */
  #searched = 0;
  #elements = 0;

  constructor(limits: RespLimits = RESP_LIMITS_DEFAULT) {
    this.#limits = limits;
  }

  /** Bytes that are kept of commands not yet returned. */
  get bufferedBytes(): number {
    return this.#end - this.#commandStart;
  }

  start(at: number): number {
    return this.#offsets[at * 2] as number;
  }

  end(at: number): number {
    return this.#offsets[at * 2 + 1] as number;
  }

  text(at: number): ByteString {
    return readByteString(this.source, this.#offsets[at * 2] as number, this.#offsets[at * 2 + 1] as number);
  }

  /** More of the stream. The bytes must stay as they are until `next` has returned false. */
  feed(bytes: Uint8Array): void {
    if (this.error !== null || bytes.length === 0) return;
    if (this.#commandStart === this.#end) {
      this.#buffer = bytes;
      this.#owned = false;
      this.#commandStart = this.#at = this.#searched = 0;
      this.#end = bytes.length;
      return;
    }
    this.#makeRoom(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** True: `argc`, `text` and the others describe the next command. False: more bytes are needed, or `error` says what is wrong. */
  next(): boolean {
    while (this.error === null && this.#at < this.#end) {
      const verdict = this.#missing > 0 ? this.#readElements() : this.#readBeginning();
      if (verdict === true) return true;
      if (verdict === false) break;
    }
    if (this.error !== null) {
      this.#forget();
    } else if (this.#commandStart === this.#end) {
      this.#buffer = this.source = NOTHING;
      this.#owned = false;
    } else {
      this.#keep();
    }
    return false;
  }

  /** True: a command. False: needs more bytes, or failed. Null: go on. */
  #readBeginning(): boolean | null {
    this.#commandStart = this.#at;
    if (this.#offsets.length > OFFSETS_KEPT_MAX) this.#offsets = new Int32Array(OFFSETS_INITIAL);
    if (this.#buffer[this.#at] !== ASTERISK) return this.#readInline();
    const count = this.#readNumber('too big mbulk count string');
    if (count === INCOMPLETE) return false;
    if (count === INVALID || count > this.#limits.elementsMax) return this.#fail('invalid multibulk length');
    if (this.restricted && count > RESTRICTED_ELEMENTS_MAX) {
      return this.#fail('unauthenticated multibulk length');
    }
    this.#elements = 0;
    this.#bulkBytes = -1;
    // Redis takes an array without elements, and one of a negative length, for nothing at all.
    this.#missing = Math.max(0, count);
    if (this.#missing === 0) this.#commandStart = this.#at;
    return null;
  }

  #readElements(): boolean {
    while (this.#missing > 0) {
      if (this.#bulkBytes < 0) {
        if (this.#at >= this.#end) return this.#checkSize();
        const first = this.#buffer[this.#at] as number;
        if (first !== DOLLAR) return this.#fail(`expected '$', got '${String.fromCharCode(first)}'`);
        const bytes = this.#readNumber('too big bulk count string');
        if (bytes === INCOMPLETE) return this.error === null ? this.#checkSize() : false;
        if (bytes < 0) return this.#fail('invalid bulk length');
        if (this.restricted && bytes > RESTRICTED_BULK_BYTES_MAX) {
          return this.#fail('unauthenticated bulk length');
        }
        if (this.#at - this.#commandStart + bytes > this.#limits.requestBytesMax)
          return this.#failSize('invalid bulk length');
        this.#bulkBytes = bytes;
      }
      // The two bytes behind it are skipped, whatever they are: so does Redis.
      if (this.#end - this.#at < this.#bulkBytes + 2) return false;
      this.#addElement(this.#at, this.#at + this.#bulkBytes);
      this.#at += this.#bulkBytes + 2;
      this.#bulkBytes = -1;
      this.#missing--;
    }
    this.source = this.#buffer;
    return this.#finishCommand();
  }

  #readInline(): boolean | null {
    const newline = this.#buffer.indexOf(NEWLINE, Math.max(this.#searched, this.#at));
    if (newline === -1 || newline >= this.#end) {
      this.#searched = this.#end;
      return this.#end - this.#at > LINE_BYTES_MAX ? this.#fail('too big inline request') : false;
    }
    const lineEnd =
      newline > this.#at && this.#buffer[newline - 1] === CARRIAGE_RETURN ? newline - 1 : newline;
    const line = splitInline(this.#buffer, this.#at, lineEnd);
    if (line === null) return this.#fail('unbalanced quotes in request');
    this.#at = newline + 1;
    if (line.ends.length === 0) {
      this.#commandStart = this.#at;
      return null;
    }
    this.#elements = 0;
    let start = 0;
    for (const end of line.ends) {
      this.#addElement(start, end);
      start = end;
    }
    this.source = line.bytes;
    return this.#finishCommand();
  }

  #finishCommand(): true {
    this.argc = this.#elements;
    this.requestBytes = this.#at - this.#commandStart;
    this.#commandStart = this.#searched = this.#at;
    return true;
  }

  #addElement(start: number, end: number): void {
    const at = this.#elements * 2;
    if (at === this.#offsets.length) {
      const offsets = new Int32Array(at * 2);
      offsets.set(this.#offsets);
      this.#offsets = offsets;
    }
    this.#offsets[at] = start;
    this.#offsets[at + 1] = end;
    this.#elements++;
  }

  /** The number of a header line, and past it; INCOMPLETE or INVALID otherwise. Small and whole, as headers are: -1 when negative. */
  #readNumber(tooLong: string): number {
    const buffer = this.#buffer;
    const end = this.#end;
    const begin = this.#at + 1;
    let at = begin;
    let value = 0;
    for (; at < end; at++) {
      const byte = buffer[at] as number;
      if (byte < ZERO || byte > NINE) break;
      value = value * 10 + (byte - ZERO);
    }
    // The quick way: digits and then the line's end.
    if (at < end && buffer[at] === CARRIAGE_RETURN && at > begin) {
      if (at + 1 >= end) return INCOMPLETE;
      const canonical = buffer[begin] !== ZERO || at === begin + 1;
      if (!canonical || at - begin > 15) return INVALID;
      this.#at = at + 2;
      return value;
    }
    return this.#readOddNumber(begin, tooLong);
  }

  #readOddNumber(begin: number, tooLong: string): number {
    const lineEnd = this.#buffer.indexOf(CARRIAGE_RETURN, Math.max(begin, this.#searched));
    if (lineEnd === -1 || lineEnd >= this.#end) {
      this.#searched = this.#end;
      if (this.#end - begin > LINE_BYTES_MAX) this.#fail(tooLong);
      return INCOMPLETE;
    }
    if (lineEnd + 1 >= this.#end) return INCOMPLETE;
    if (this.#buffer[begin] !== MINUS || lineEnd - begin < 2 || lineEnd - begin > 16) return INVALID;
    for (let at = begin + 1; at < lineEnd; at++) {
      const byte = this.#buffer[at] as number;
      if (byte < ZERO || byte > NINE || (at === begin + 1 && byte === ZERO)) return INVALID;
    }
    // Any negative number means the same: in an array's header nothing, in an element's header an error.
    if (this.#buffer[begin - 1] !== ASTERISK) return INVALID;
    this.#at = lineEnd + 2;
    return 0;
  }

  #checkSize(): false {
    if (this.#end - this.#commandStart > this.#limits.requestBytesMax) this.#failSize('too big request');
    return false;
  }

  #failSize(what: string): false {
    return this.#fail(
      `${what} (a request may have ${this.#limits.requestBytesMax} bytes, setting lineBytesMax)`,
    );
  }

  #fail(message: string): false {
    this.error ??= `Protocol error: ${message}`;
    return false;
  }

  /** Whoever fed the bytes may have them back: what is unfinished is copied. */
  #keep(): void {
    if (!this.#owned) this.#makeRoom(0);
  }

  /** The unfinished command at the front of a buffer of this parser's own, with room for so many bytes behind it. */
  #makeRoom(bytes: number): void {
    const start = this.#commandStart;
    const held = this.#end - start;
    if (this.#owned && this.#end + bytes <= this.#buffer.length) return;
    const needed = held + bytes;
    // Doubling, so that a large value that comes in small pieces is not copied over and over.
    const capacity = this.#owned ? Math.max(needed, held * 2) : Math.max(needed, 64);
    const buffer = new Uint8Array(capacity);
    buffer.set(this.#buffer.subarray(start, this.#end));
    this.#buffer = buffer;
    this.#owned = true;
    this.#commandStart = 0;
    this.#at -= start;
    this.#end = held;
    this.#searched = Math.max(0, this.#searched - start);
    if (this.#missing > 0) {
      for (let at = 0; at < this.#elements * 2; at++)
        this.#offsets[at] = (this.#offsets[at] as number) - start;
    }
  }

  #forget(): void {
    this.#buffer = this.source = NOTHING;
    this.#offsets = new Int32Array(OFFSETS_INITIAL);
    this.#commandStart = this.#at = this.#end = 0;
  }
}
