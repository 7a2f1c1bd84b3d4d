// The first bytes on a peer connection, both ways: who speaks, of which cluster, to whom; or why not.
//
//   0       8 bytes magic, so that a stranger is told apart by its first byte
//   8  u16  protocol version
//  10  u16  length of the whole handshake in bytes
//  12  u32  CRC-32 of the bytes 16 to the end
//  16  u32  from
//  20  u32  to; 0 when the sender does not know whom it will find
//  24  u8   bytes of the cluster id
//  25  u8   bytes of the authentication; 0 for none
//  26  u16  bytes of the refusal; 0: welcome
//  28       cluster id (UTF-8), authentication, refusal (UTF-8)
//
// The dialling side sends first. The other side answers with its own, or with one that carries a refusal and
// then closes. Each side checks version, cluster id, `from` and `to`.
import type { NodeId } from '../raft/types.ts';
import { crc32 } from './crc32.ts';
import { readU16, readU32, writeU16, writeU32 } from './little-endian.ts';

export const PEER_VERSION = 1;
export const HANDSHAKE_HEAD_BYTES = 28;
export const HANDSHAKE_BYTES_MAX = 1024;
export const CLUSTER_ID_BYTES_MAX = 64;
export const REFUSAL_BYTES_MAX = 512;
const AUTHENTICATION_BYTES_MAX = 255;
/** No text protocol and no TLS record begins like this, and a line-ending translation breaks it. */
const MAGIC = new Uint8Array([0x89, 0x51, 0x4c, 0x50, 0x0d, 0x0a, 0x1a, 0x0a]);

export interface Handshake {
  version: number;
  clusterId: string;
  from: NodeId;
  /** 0: whoever is there. */
  to: NodeId;
  /** What proves that the sender knows the cluster's secret; empty for none. Opaque here. */
  authentication: Uint8Array;
  /** Null: welcome. Otherwise why the sender will not talk, in words. */
  refusal: string | null;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** At most `bytesMax` bytes of UTF-8, cut between characters. */
function boundedText(text: string, bytesMax: number): Uint8Array {
  let end = Math.min(text.length, bytesMax);
  let bytes = encoder.encode(text.slice(0, end));
  while (bytes.length > bytesMax) {
    end -= Math.ceil((bytes.length - bytesMax) / 3);
    bytes = encoder.encode(text.slice(0, end));
  }
  return bytes;
}

/** Throws RangeError when a field is out of its bounds; only a refusal is cut to fit. */
export function encodeHandshake(handshake: Omit<Handshake, 'version'>): Uint8Array {
  const clusterId = encoder.encode(handshake.clusterId);
  const { authentication } = handshake;
  if (clusterId.length > CLUSTER_ID_BYTES_MAX)
    throw new RangeError(`a cluster id of ${clusterId.length} bytes`);
  if (authentication.length > AUTHENTICATION_BYTES_MAX) {
    throw new RangeError(`an authentication of ${authentication.length} bytes`);
  }
  // An empty reason would read as a welcome.
  const refusal =
    handshake.refusal === null
      ? new Uint8Array(0)
      : boundedText(handshake.refusal || 'no reason given', REFUSAL_BYTES_MAX);
  const bytes = new Uint8Array(
    HANDSHAKE_HEAD_BYTES + clusterId.length + authentication.length + refusal.length,
  );
  bytes.set(MAGIC);
  writeU16(bytes, 8, PEER_VERSION);
  writeU16(bytes, 10, bytes.length);
  writeU32(bytes, 16, handshake.from);
  writeU32(bytes, 20, handshake.to);
  bytes[24] = clusterId.length;
  bytes[25] = authentication.length;
  writeU16(bytes, 26, refusal.length);
  let at = HANDSHAKE_HEAD_BYTES;
  for (const field of [clusterId, authentication, refusal]) {
    bytes.set(field, at);
    at += field.length;
  }
  writeU32(bytes, 12, crc32(bytes, 16));
  return bytes;
}

export type HandshakeReading =
  | { status: 'whole'; handshake: Handshake; bytes: number }
  | { status: 'incomplete' }
  /** `version`: the other side speaks another version of this protocol, and everything else is unknown. */
  | { status: 'refused'; code: 'magic' | 'version' | 'corrupt'; message: string };

function corrupt(message: string): HandshakeReading {
  return { status: 'refused', code: 'corrupt', message };
}

/** Reads a handshake from the start of `bytes`, as soon as anything can be said about it. Keeps no view. */
export function readHandshake(bytes: Uint8Array): HandshakeReading {
  for (let at = 0; at < Math.min(bytes.length, MAGIC.length); at++) {
    if (bytes[at] !== MAGIC[at]) {
      return {
        status: 'refused',
        code: 'magic',
        message: 'not a Quorumlab peer: its first bytes are something else',
      };
    }
  }
  if (bytes.length < 12) return { status: 'incomplete' };
  const version = readU16(bytes, 8);
  if (version !== PEER_VERSION) {
    const message = `speaks version ${version} of the peer protocol, not ${PEER_VERSION}`;
    return { status: 'refused', code: 'version', message };
  }
  const length = readU16(bytes, 10);
  if (length < HANDSHAKE_HEAD_BYTES || length > HANDSHAKE_BYTES_MAX) {
    return corrupt(`a handshake of ${length} bytes`);
  }
  if (bytes.length < length) return { status: 'incomplete' };
  if (crc32(bytes, 16, length) !== readU32(bytes, 12))
    return corrupt('the CRC of the handshake does not match');
  return readFields(bytes, length);
}

function readFields(bytes: Uint8Array, length: number): HandshakeReading {
  const authenticationAt = HANDSHAKE_HEAD_BYTES + (bytes[24] as number);
  const refusalAt = authenticationAt + (bytes[25] as number);
  if (refusalAt + readU16(bytes, 26) !== length) return corrupt('the fields of the handshake do not add up');
  let clusterId: string;
  let refusal: string;
  try {
    clusterId = decoder.decode(bytes.subarray(HANDSHAKE_HEAD_BYTES, authenticationAt));
    refusal = decoder.decode(bytes.subarray(refusalAt, length));
  } catch {
    return corrupt('the handshake holds text that is not UTF-8');
  }
  const handshake: Handshake = {
    version: PEER_VERSION,
    clusterId,
    from: readU32(bytes, 16),
    to: readU32(bytes, 20),
    // Not `slice`: on a Buffer of Node.js that is a view.
    authentication: new Uint8Array(bytes.subarray(authenticationAt, refusalAt)),
    refusal: refusal === '' ? null : refusal,
  };
  if (handshake.from === 0) return corrupt('the handshake names no sender');
  return { status: 'whole', handshake, bytes: length };
}
