// A cursor over bytes for the binary decoders: each read checks its bounds and throws DecodeError beyond them.
import { readByteString } from './byte-string.ts';
import type { ByteString } from './command.ts';
import { DecodeError } from './decode-error.ts';
import { readU32, readU48, readU53 } from './little-endian.ts';

const VARINT_BYTES_MAX = 5;

export class ByteReader {
  readonly bytes: Uint8Array;
  offset: number;
  readonly end: number;

  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    this.bytes = bytes;
    this.offset = offset;
    this.end = end;
  }

  /** Moves past `count` bytes and returns where they begin. */
  skip(count: number): number {
    const start = this.offset;
    if (count > this.end - start) {
      throw new DecodeError(`${count} bytes expected, ${this.end - start} left`, start);
    }
    this.offset = start + count;
    return start;
  }

  u8(): number {
    return this.bytes[this.skip(1)] as number;
  }

  u32(): number {
    return readU32(this.bytes, this.skip(4));
  }

  u48(): number {
    return readU48(this.bytes, this.skip(6));
  }

  u53(): number {
    const value = readU53(this.bytes, this.skip(8));
    if (!Number.isSafeInteger(value)) this.fail('a number beyond 2^53');
    return value;
  }

  /** LEB128 below 2^32, in its shortest form: one value has one encoding. */
  varint(): number {
    const first = this.u8();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let index = 1; index < VARINT_BYTES_MAX; index++) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte >= 0x80) continue;
      if (byte === 0) this.fail('a length that is not in its shortest form');
      if (value > 0xffff_ffff) this.fail('a length beyond 32 bits');
      return value;
    }
    return this.fail('a length of more than five bytes');
  }

  byteString(length: number): ByteString {
    const start = this.skip(length);
    return readByteString(this.bytes, start, start + length);
  }

  /** A varint length, then as many bytes. */
  lengthAndByteString(): ByteString {
    return this.byteString(this.varint());
  }

  get left(): number {
    return this.end - this.offset;
  }

  /** Nothing may follow. */
  finish(): void {
    if (this.offset !== this.end) this.fail(`${this.end - this.offset} bytes too many`);
  }

  fail(message: string): never {
    throw new DecodeError(message, this.offset);
  }
}

/** Bytes that a varint takes: 1 to 5. */
export function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

/** Writes a number below 2^32 and returns the offset after it. */
export function writeVarint(bytes: Uint8Array, offset: number, value: number): number {
  let at = offset;
  let rest = value;
  while (rest >= 0x80) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at] = rest;
  return at + 1;
}
