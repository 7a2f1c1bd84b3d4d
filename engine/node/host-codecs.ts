// What a process gives the pure layers: Node's own, faster ways with bytes, and a seed for hashes.
import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { installHashSeed } from '../kv/key-index.ts';
import {
  type ByteStringCodec,
  installByteStringCodec,
  PURE_BYTE_STRING_CODEC,
} from '../protocol/byte-string.ts';
import { installCrc32 } from '../protocol/crc32.ts';

/** Methods of Buffer that the types leave out; they work on any Uint8Array and make no view of it. */
interface Latin1Methods {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
  latin1Write(this: Uint8Array, value: string, offset: number): number;
}

const { latin1Slice, latin1Write } = Buffer.prototype as unknown as Latin1Methods;

const NODE_CODEC: ByteStringCodec = {
  ...PURE_BYTE_STRING_CODEC,
  // Only ASCII takes one byte a character.
  isAscii: (text) => Buffer.byteLength(text, 'utf8') === text.length,
  fromText: (text) => Buffer.from(text, 'utf8').toString('latin1'),
  write: (target, offset, value) => void latin1Write.call(target, value, offset),
  read: (source, start, end) => latin1Slice.call(source, start, end),
};

const HASH_SEED = randomInt(2 ** 32);

/** At the start, before there is any record. */
export function installHostCodecs(): void {
  installHashSeed(HASH_SEED);
  installByteStringCodec(NODE_CODEC);
  installCrc32((bytes, seed) => crc32(bytes, seed));
}
