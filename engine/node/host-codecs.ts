// Node's own, faster ways with byte strings, for the pure codecs.
import {
  type ByteStringCodec,
  installByteStringCodec,
  PURE_BYTE_STRING_CODEC,
} from '../protocol/byte-string.ts';

function bufferOf(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const NODE_CODEC: ByteStringCodec = {
  ...PURE_BYTE_STRING_CODEC,
  // Only ASCII takes one byte a character.
  isAscii: (text) => Buffer.byteLength(text, 'utf8') === text.length,
  fromText: (text) => Buffer.from(text, 'utf8').toString('latin1'),
  write: (target, offset, value) => void bufferOf(target).write(value, offset, 'latin1'),
  read: (source, start, end) => bufferOf(source).toString('latin1', start, end),
};

export function installHostCodecs(): void {
  installByteStringCodec(NODE_CODEC);
}
