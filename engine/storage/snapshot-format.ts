// The bytes of a snapshot file: a header block, data blocks, a trailer block; each with its number and CRC.
// What the data means is the state machine's business. Byte by byte in FORMAT.md.
import { crc32 } from 'node:zlib';
import { configurationCodec, encodeConfiguration } from '../protocol/configuration-codec.ts';
import type { Configuration } from '../raft/types.ts';
import { readU32, readU48, writeU32, writeU48 } from './segment-format.ts';

/** 1 lists the members' ids; 2, used where addresses or former members are known, holds a whole configuration. */
export const SNAPSHOT_FORMAT_VERSION = 2;
const VERSION_OF_IDS = 1;
export const BLOCK_HEADER_BYTES = 16;
/** Data in one block; the last may hold less. */
export const BLOCK_DATA_BYTES = 256 * 1024;

export const BlockKind = { header: 1, data: 2, trailer: 3 } as const;
export type BlockKind = (typeof BlockKind)[keyof typeof BlockKind];

/** `QLOGSNAP` */
const MAGIC = Uint8Array.of(0x51, 0x4c, 0x4f, 0x47, 0x53, 0x4e, 0x41, 0x50);
const TRAILER_PAYLOAD_BYTES = 16;
/** Magic, version, index and term: the same in every version. */
const HEADER_START_BYTES = 24;
export const TRAILER_BYTES = BLOCK_HEADER_BYTES + TRAILER_PAYLOAD_BYTES;
/** A header with thousands of members; anything larger is no header. */
const HEADER_BYTES_MAX = 64 * 1024;

/** What a snapshot stands for (Raft paper §7). */
export interface SnapshotIdentity {
  lastIncludedIndex: number;
  lastIncludedTerm: number;
  configuration: Configuration;
}

export interface SnapshotTrailer {
  dataBlocks: number;
  dataBytes: number;
  /** CRC of the CRCs of all blocks before it: no block may be missing, doubled or of another snapshot. */
  chain: number;
}

export interface Block {
  kind: BlockKind;
  number: number;
  payload: Uint8Array;
  /** Of the whole block. */
  length: number;
  crc: number;
}

/** Fills the header of a block whose payload already stands behind it; returns its CRC. */
export function sealBlock(block: Uint8Array, header: { kind: BlockKind; number: number }): number {
  writeU32(block, 0, block.length);
  writeU32(block, 8, header.number);
  block[12] = header.kind;
  block.fill(0, 13, BLOCK_HEADER_BYTES);
  const crc = crc32(block.subarray(8));
  writeU32(block, 4, crc);
  return crc;
}

/** Null when no whole block stands at `offset`. The payload is a view. */
export function readBlock(bytes: Uint8Array, offset: number): Block | null {
  if (offset + BLOCK_HEADER_BYTES > bytes.length) return null;
  const length = readU32(bytes, offset);
  if (length < BLOCK_HEADER_BYTES || offset + length > bytes.length) return null;
  const crc = readU32(bytes, offset + 4);
  if (crc32(bytes.subarray(offset + 8, offset + length)) !== crc) return null;
  const kind = bytes[offset + 12];
  if (kind !== BlockKind.header && kind !== BlockKind.data && kind !== BlockKind.trailer) return null;
  const payload = bytes.subarray(offset + BLOCK_HEADER_BYTES, offset + length);
  return { kind, number: readU32(bytes, offset + 8), payload, length, crc };
}

/** Length of the block at `offset`, unchecked; 0 when it cannot be one. */
export function blockLengthAt(bytes: Uint8Array, offset: number): number {
  if (offset + 4 > bytes.length) return 0;
  const length = readU32(bytes, offset);
  const most = Math.max(HEADER_BYTES_MAX, BLOCK_HEADER_BYTES + BLOCK_DATA_BYTES);
  return length < BLOCK_HEADER_BYTES || length > most ? 0 : length;
}

/** The chain over one more block's CRC. Begins with 0. */
export function extendChain(chain: number, blockCrc: number): number {
  const bytes = new Uint8Array(4);
  writeU32(bytes, 0, blockCrc);
  return crc32(bytes, chain);
}

export function encodeHeaderBlock(identity: SnapshotIdentity): Uint8Array {
  const { voters, votersOutgoing, learners, addresses = [], former = [] } = identity.configuration;
  if (addresses.length + former.length > 0) return encodeWhole(identity);
  const members = [...voters, ...votersOutgoing, ...learners];
  const block = new Uint8Array(BLOCK_HEADER_BYTES + 36 + 6 * members.length);
  const payload = writeHeaderStart(block, VERSION_OF_IDS, identity);
  writeU32(payload, 24, voters.length);
  writeU32(payload, 28, votersOutgoing.length);
  writeU32(payload, 32, learners.length);
  for (const [at, member] of members.entries()) writeU48(payload, 36 + 6 * at, member);
  sealBlock(block, { kind: BlockKind.header, number: 0 });
  return block;
}

function encodeWhole(identity: SnapshotIdentity): Uint8Array {
  const configuration = encodeConfiguration(identity.configuration);
  const block = new Uint8Array(BLOCK_HEADER_BYTES + HEADER_START_BYTES + configuration.length);
  writeHeaderStart(block, SNAPSHOT_FORMAT_VERSION, identity).set(configuration, HEADER_START_BYTES);
  sealBlock(block, { kind: BlockKind.header, number: 0 });
  return block;
}

/** Returns the payload. */
function writeHeaderStart(block: Uint8Array, version: number, identity: SnapshotIdentity): Uint8Array {
  const payload = block.subarray(BLOCK_HEADER_BYTES);
  payload.set(MAGIC);
  writeU32(payload, 8, version);
  writeU48(payload, 12, identity.lastIncludedIndex);
  writeU48(payload, 18, identity.lastIncludedTerm);
  return payload;
}

/** Null when the block is no header of a version that is known. */
export function decodeHeaderBlock(block: Block): SnapshotIdentity | null {
  const { payload } = block;
  if (block.kind !== BlockKind.header || block.number !== 0 || payload.length < HEADER_START_BYTES)
    return null;
  if (MAGIC.some((byte, at) => payload[at] !== byte)) return null;
  const version = readU32(payload, 8);
  const configuration =
    version === VERSION_OF_IDS
      ? decodeIds(payload)
      : version === SNAPSHOT_FORMAT_VERSION
        ? configurationCodec.decode(payload.subarray(HEADER_START_BYTES))
        : null;
  if (configuration === null) return null;
  return {
    lastIncludedIndex: readU48(payload, 12),
    lastIncludedTerm: readU48(payload, 18),
    configuration,
  };
}

function decodeIds(payload: Uint8Array): Configuration | null {
  if (payload.length < 36) return null;
  const voters = readU32(payload, 24);
  const votersOutgoing = readU32(payload, 28);
  const learners = readU32(payload, 32);
  if (payload.length !== 36 + 6 * (voters + votersOutgoing + learners)) return null;
  const members = (from: number, count: number): number[] =>
    Array.from({ length: count }, (_, at) => readU48(payload, 36 + 6 * (from + at)));
  return {
    voters: members(0, voters),
    votersOutgoing: members(voters, votersOutgoing),
    learners: members(voters + votersOutgoing, learners),
  };
}

export function encodeTrailerBlock(trailer: SnapshotTrailer): Uint8Array {
  const block = new Uint8Array(TRAILER_BYTES);
  const payload = block.subarray(BLOCK_HEADER_BYTES);
  writeU32(payload, 0, trailer.dataBlocks);
  writeU48(payload, 4, trailer.dataBytes);
  writeU32(payload, 10, trailer.chain);
  sealBlock(block, { kind: BlockKind.trailer, number: trailer.dataBlocks + 1 });
  return block;
}

export function decodeTrailerBlock(block: Block): SnapshotTrailer | null {
  const { payload } = block;
  if (block.kind !== BlockKind.trailer || payload.length !== TRAILER_PAYLOAD_BYTES) return null;
  const dataBlocks = readU32(payload, 0);
  if (block.number !== dataBlocks + 1) return null;
  return { dataBlocks, dataBytes: readU48(payload, 4), chain: readU32(payload, 10) };
}

const NAME = /^snapshot-(\d{12})-(\d{12})\.snap$/;

/** Sorts by index, then term. */
export function snapshotName(point: { lastIncludedIndex: number; lastIncludedTerm: number }): string {
  const index = String(point.lastIncludedIndex).padStart(12, '0');
  return `snapshot-${index}-${String(point.lastIncludedTerm).padStart(12, '0')}.snap`;
}

/** What a snapshot of this name stands for; null for other names. */
export function pointOfName(name: string): { index: number; term: number } | null {
  const match = NAME.exec(name);
  return match === null ? null : { index: Number(match[1]), term: Number(match[2]) };
}

export function isSnapshotName(name: string): boolean {
  return NAME.test(name);
}

/** One being written here, or received: nothing counts on it yet. */
export const TEMPORARY_SUFFIX = '.tmp';
export const PARTIAL_SUFFIX = '.part';
