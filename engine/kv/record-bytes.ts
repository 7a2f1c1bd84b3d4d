// A record as bytes, the same in memory and in snapshots:
//
//   u8 kind, bit 7 set: there is an end; u48 revision; u48 end if there is one;
//   varint length and key; varint length and value
//
// Bounds are the caller's: whatever lies in an arena was written by writeRecord, and what comes from a snapshot
// is read with a ByteReader first.
import { varintBytes } from '../protocol/byte-reader.ts';
import { readU48, writeU48 } from '../protocol/little-endian.ts';

export const END_FLAG = 0x80;
const REVISION_AT = 1;
const HEADER_BYTES = 7;
const END_BYTES = 6;
const VARINT_BYTES_MAX = 5;
/** Below this length a loop beats a view and a call into the engine. */
const SHORT_COPY = 24;

/**
 * Places in `bytes`, to be used again and again instead of an object for every record. From `lengthsStart` to `valueEnd`
 * they hold what a record ends with: length and key, length and value.
 */
export interface RecordFields {
  bytes: Uint8Array;
  kind: number;
  revision: number;
  /** 0: never. */
  expiresAt: number;
  lengthsStart: number;
  keyStart: number;
  keyEnd: number;
  valueStart: number;
  valueEnd: number;
}

const NO_BYTES = new Uint8Array(0);

export function emptyFields(): RecordFields {
  return {
    bytes: NO_BYTES,
    kind: 0,
    revision: 0,
    expiresAt: 0,
    lengthsStart: 0,
    keyStart: 0,
    keyEnd: 0,
    valueStart: 0,
    valueEnd: 0,
  };
}

/** A length and as many bytes, twice: what fields must point to. */
export function lengthsAndBytes(keyLength: number, valueLength: number): number {
  return varintBytes(keyLength) + keyLength + varintBytes(valueLength) + valueLength;
}

/** What `writeRecord` will take. */
export function recordBytes({ expiresAt, lengthsStart, valueEnd }: RecordFields): number {
  return (expiresAt === 0 ? HEADER_BYTES : HEADER_BYTES + END_BYTES) + valueEnd - lengthsStart;
}

/** Returns the offset behind the record. */
export function writeRecord(target: Uint8Array, at: number, fields: RecordFields): number {
  const { bytes, kind, expiresAt, lengthsStart, valueEnd } = fields;
  target[at] = expiresAt === 0 ? kind : kind | END_FLAG;
  writeU48(target, at + REVISION_AT, fields.revision);
  let to = at + HEADER_BYTES;
  if (expiresAt !== 0) {
    writeU48(target, to, expiresAt);
    to += END_BYTES;
  }
  copyBytes(bytes, lengthsStart, valueEnd, target, to);
  return to + valueEnd - lengthsStart;
}

/** Returns the offset behind the record. */
export function readRecord(bytes: Uint8Array, at: number, fields: RecordFields): number {
  const first = bytes[at] as number;
  fields.bytes = bytes;
  fields.kind = first & ~END_FLAG;
  fields.revision = revisionOf(bytes, at);
  fields.expiresAt = expiresAtOf(bytes, at);
  fields.lengthsStart = keyLengthAtOf(bytes, at);
  const keyLength = readVarint(bytes, fields.lengthsStart);
  fields.keyStart = fields.lengthsStart + varintBytes(keyLength);
  fields.keyEnd = fields.keyStart + keyLength;
  const valueLength = readVarint(bytes, fields.keyEnd);
  fields.valueStart = fields.keyEnd + varintBytes(valueLength);
  fields.valueEnd = fields.valueStart + valueLength;
  return fields.valueEnd;
}

export function revisionOf(bytes: Uint8Array, at: number): number {
  return readU48(bytes, at + REVISION_AT);
}

/** 0: never. */
export function expiresAtOf(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) < END_FLAG ? 0 : readU48(bytes, at + HEADER_BYTES);
}

/** Below 0, 0 or above, as the key of the record at `at` is less than, equal to or greater than `key[start, end)`. */
export function compareKey(
  bytes: Uint8Array,
  at: number,
  key: Uint8Array,
  start: number,
  end: number,
): number {
  const lengthAt = keyLengthAtOf(bytes, at);
  const length = readVarint(bytes, lengthAt);
  const from = lengthAt + varintBytes(length);
  const shorter = Math.min(length, end - start);
  for (let offset = 0; offset < shorter; offset++) {
    const difference = (bytes[from + offset] as number) - (key[start + offset] as number);
    if (difference !== 0) return difference;
  }
  return length - (end - start);
}

/** As compareKey is 0. */
export function hasKey(bytes: Uint8Array, at: number, key: Uint8Array, start: number, end: number): boolean {
  const lengthAt = keyLengthAtOf(bytes, at);
  const length = readVarint(bytes, lengthAt);
  if (length !== end - start) return false;
  const from = lengthAt + varintBytes(length);
  // From the end: keys of one family differ there.
  for (let offset = length - 1; offset >= 0; offset--) {
    if (bytes[from + offset] !== key[start + offset]) return false;
  }
  return true;
}

export function copyBytes(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): void {
  if (end - start > SHORT_COPY) {
    target.set(source.subarray(start, end), at);
    return;
  }
  for (let from = start, to = at; from < end; from++, to++) target[to] = source[from] as number;
}

function keyLengthAtOf(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) < END_FLAG ? at + HEADER_BYTES : at + HEADER_BYTES + END_BYTES;
}

function readVarint(bytes: Uint8Array, at: number): number {
  let value = bytes[at] as number;
  if (value < 0x80) return value;
  value &= 0x7f;
  let factor = 0x80;
  for (let from = at + 1; from < at + VARINT_BYTES_MAX; from++) {
    const byte = bytes[from] as number;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
    factor *= 0x80;
  }
  throw new RangeError(`no record at byte ${at}`);
}
