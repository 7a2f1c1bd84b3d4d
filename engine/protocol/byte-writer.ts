// A growing buffer for the binary encoders that do not know their size beforehand.
import { varintBytes, writeVarint } from './byte-reader.ts';
import { writeByteString } from './byte-string.ts';
import type { ByteString } from './command.ts';
import type { FieldCodec } from './field-codec.ts';
import { writeU32, writeU48, writeU53 } from './little-endian.ts';

export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(bytesExpected: number) {
    this.#bytes = new Uint8Array(bytesExpected);
  }

  get length(): number {
    return this.#length;
  }

  /** Room for `count` more bytes; returns where they begin. */
  #grow(count: number): number {
    const start = this.#length;
    const length = start + count;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, start));
      this.#bytes = grown;
    }
    this.#length = length;
    return start;
  }

  u8(value: number): void {
    const at = this.#grow(1); // before #bytes is looked at: growing replaces it
    this.#bytes[at] = value;
  }

  u32(value: number): void {
    const at = this.#grow(4);
    writeU32(this.#bytes, at, value);
  }

  u48(value: number): void {
    const at = this.#grow(6);
    writeU48(this.#bytes, at, value);
  }

  u53(value: number): void {
    const at = this.#grow(8);
    writeU53(this.#bytes, at, value);
  }

  varint(value: number): void {
    const at = this.#grow(varintBytes(value));
    writeVarint(this.#bytes, at, value);
  }

  byteString(value: ByteString): void {
    const at = this.#grow(value.length);
    writeByteString(this.#bytes, at, value);
  }

  /** A varint length, then as many bytes: what ByteReader.lengthAndByteString reads. */
  lengthAndByteString(value: ByteString): void {
    this.varint(value.length);
    this.byteString(value);
  }

  /** The bytes `source[start, end)` as they are. */
  raw(source: Uint8Array, start: number, end: number): void {
    const at = this.#grow(end - start);
    this.#bytes.set(source.subarray(start, end), at);
  }

  field<Value>(codec: Pick<FieldCodec<Value>, 'bytes' | 'write'>, value: Value): void {
    const at = this.#grow(codec.bytes(value));
    codec.write(this.#bytes, at, value);
  }

  /** Forgets what was written; what `take` gave is written over. */
  clear(): void {
    this.#length = 0;
  }

  /** What was written, as a view: good until the writer is used again. */
  take(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}
