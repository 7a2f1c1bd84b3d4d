// The frame: how one entry (or one record that is no entry) stands in the log file and on the wire.
//
//   0  u32  length of the whole frame in bytes, header included
//   4  u32  CRC-32 of the bytes from 8 to the end
//   8  u48  index (u32 low, u16 high)
//  14  u48  term  (u32 low, u16 high)
//  20  u8   kind: EntryKind, or from 64 up a record of the log file that is no entry
//  21  u8   format version, 1
//  22  u16  reserved, 0
//  24       data
//
// All little endian. A frame of length 0 does not exist: zeros mean "nothing written here yet".
import { type Entry, EntryKind } from '../raft/types.ts';
import { crc32 } from './crc32.ts';
import { readU32, readU48, writeU32, writeU48 } from './little-endian.ts';

export const FRAME_HEADER_BYTES = 24;
export const FRAME_VERSION = 1;
/** Largest frame: a bulk write at its limit fits with room to spare. */
export const FRAME_BYTES_MAX = 64 * 1024 * 1024;

/** Kinds of frames that are no log entries; they never travel in AppendEntries. */
export const RecordKind = { hardState: 64, segmentHeader: 65 } as const;

export interface FrameHeader {
  length: number;
  crc: number;
  index: number;
  term: number;
  kind: number;
  version: number;
}

// Proposals of one moment stand side by side in one slab: a view costs a tenth of an allocation, and a run
// of entries leaves for disk and peers as one chunk (appendFrames). An entry keeps its slab alive, which is
// bounded: logs drop entries in order, so at most one slab a log outlives its other entries.
const SLAB_BYTES = 64 * 1024;
const SLAB_FRAME_BYTES_MAX = SLAB_BYTES / 8;
let slab = new ArrayBuffer(0);
let slabUsed = 0;

/** A proposed entry (index and term 0) whose `data` has `dataBytes` zeros to fill in, with room for the header before them. */
export function allocateEntry(kind: EntryKind, dataBytes: number): Entry & { frame: Uint8Array } {
  const length = FRAME_HEADER_BYTES + dataBytes;
  if (!(dataBytes >= 0 && length <= FRAME_BYTES_MAX)) {
    throw new RangeError(
      `an entry of ${dataBytes} bytes; at most ${FRAME_BYTES_MAX - FRAME_HEADER_BYTES} fit a frame`,
    );
  }
  if (length > SLAB_FRAME_BYTES_MAX) {
    const frame = new Uint8Array(length);
    return { index: 0, term: 0, kind, data: frame.subarray(FRAME_HEADER_BYTES), frame };
  }
  if (slabUsed + length > slab.byteLength) {
    slab = new ArrayBuffer(SLAB_BYTES);
    slabUsed = 0;
  }
  const frame = new Uint8Array(slab, slabUsed, length);
  const data = new Uint8Array(slab, slabUsed + FRAME_HEADER_BYTES, dataBytes);
  slabUsed += length;
  return { index: 0, term: 0, kind, data, frame };
}

/** Writes the header of `frame`, whose data is already in place, and its CRC. */
export function sealFrame(frame: Uint8Array, header: { index: number; term: number; kind: number }): void {
  writeU32(frame, 0, frame.length);
  writeU48(frame, 8, header.index);
  writeU48(frame, 14, header.term);
  frame[20] = header.kind;
  frame[21] = FRAME_VERSION;
  frame[22] = 0;
  frame[23] = 0;
  writeU32(frame, 4, crc32(frame, 8));
}

/** The entry's frame; encoded at the first call (after the core gave it an index) and kept. */
export function frameOf(entry: Entry): Uint8Array {
  if (entry.index < 1) throw new RangeError('an entry has no frame before it has an index');
  let frame = entry.frame;
  if (frame === undefined) {
    frame = new Uint8Array(FRAME_HEADER_BYTES + entry.data.length);
    frame.set(entry.data, FRAME_HEADER_BYTES);
    entry.data = frame.subarray(FRAME_HEADER_BYTES);
    entry.frame = frame;
  }
  // A frame that was allocated but not yet sealed still has the index 0.
  if (readU48(frame, 8) !== entry.index || readU48(frame, 14) !== entry.term) sealFrame(frame, entry);
  return frame;
}

/**
 * Pushes the frames of `entries`, in order, onto `chunks` without copying, and returns their bytes.
 * Frames that stand side by side in memory (proposed in one turn, or received in one message) become one
 * chunk, so a batch of a thousand small entries is a handful of buffers to `writev`.
 */
export function appendFrames(entries: readonly Entry[], chunks: Uint8Array[]): number {
  let bytes = 0;
  let run: Uint8Array | null = null;
  let runBytes = 0;
  for (const entry of entries) {
    const frame = frameOf(entry);
    bytes += frame.length;
    if (run !== null && run.buffer === frame.buffer && run.byteOffset + runBytes === frame.byteOffset) {
      runBytes += frame.length;
      continue;
    }
    if (run !== null) chunks.push(chunkOf(run, runBytes));
    run = frame;
    runBytes = frame.length;
  }
  if (run !== null) chunks.push(chunkOf(run, runBytes));
  return bytes;
}

/** `bytes` from where `first` begins: `first` itself when that is all. */
function chunkOf(first: Uint8Array, bytes: number): Uint8Array {
  return bytes === first.length ? first : new Uint8Array(first.buffer, first.byteOffset, bytes);
}

/** The header at `offset`, unchecked but for its presence; null when fewer than FRAME_HEADER_BYTES are left. */
export function readFrameHeader(bytes: Uint8Array, offset: number): FrameHeader | null {
  if (offset + FRAME_HEADER_BYTES > bytes.length) return null;
  return {
    length: readU32(bytes, offset),
    crc: readU32(bytes, offset + 4),
    index: readU48(bytes, offset + 8),
    term: readU48(bytes, offset + 14),
    kind: bytes[offset + 20] as number,
    version: bytes[offset + 21] as number,
  };
}

export type FrameReading =
  | { status: 'whole'; header: FrameHeader; frame: Uint8Array }
  /** The bytes end before the frame does. */
  | { status: 'incomplete'; bytesMissing: number }
  /** Length 0: nothing was written here. */
  | { status: 'blank' }
  | { status: 'corrupt'; reason: string };

/** Reads and checks the frame at `offset`. The frame is a view into `bytes`, not a copy. */
export function readFrame(bytes: Uint8Array, offset: number): FrameReading {
  const header = readFrameHeader(bytes, offset);
  if (header === null) {
    for (let at = offset; at < bytes.length; at++) {
      if (bytes[at] !== 0)
        return { status: 'incomplete', bytesMissing: FRAME_HEADER_BYTES - (bytes.length - offset) };
    }
    return { status: 'blank' };
  }
  if (header.length === 0) return { status: 'blank' };
  if (header.length < FRAME_HEADER_BYTES || header.length > FRAME_BYTES_MAX) {
    return { status: 'corrupt', reason: `impossible length ${header.length}` };
  }
  const end = offset + header.length;
  if (end > bytes.length) return { status: 'incomplete', bytesMissing: end - bytes.length };
  if (crc32(bytes, offset + 8, end) !== header.crc)
    return { status: 'corrupt', reason: 'CRC does not match' };
  if (header.version !== FRAME_VERSION)
    return { status: 'corrupt', reason: `unknown version ${header.version}` };
  return { status: 'whole', header, frame: bytes.subarray(offset, end) };
}

export function isEntryKind(kind: number): kind is EntryKind {
  return kind >= EntryKind.command && kind <= EntryKind.configuration;
}

/** The entry in a whole frame; keeps the frame as its encoding. The kind must be an entry's. */
export function entryFromFrame(header: FrameHeader, frame: Uint8Array): Entry {
  if (!isEntryKind(header.kind)) throw new TypeError(`kind ${header.kind} is no entry`);
  return {
    index: header.index,
    term: header.term,
    kind: header.kind,
    data: frame.subarray(FRAME_HEADER_BYTES),
    frame,
  };
}
