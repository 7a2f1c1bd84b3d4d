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

/**
 * An entry that stands, frame and all, somewhere in a larger piece of memory: a slab of proposals, or a message. Views
 * of it are made when they are asked for: an entry lives as long as the log keeps it, and two views that nobody needs
 * would be most of its memory and of the garbage collector's work.
 */
export class FramedEntry implements Entry {
  index: number;
  term: number;
  readonly kind: EntryKind;
  readonly bytes: Uint8Array;
  /** The frame is `bytes[start, end)`. */
  readonly start: number;
  readonly end: number;

  constructor(kind: EntryKind, bytes: Uint8Array, start: number, end: number) {
    this.index = 0;
    this.term = 0;
    this.kind = kind;
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  get dataStart(): number {
    return this.start + FRAME_HEADER_BYTES;
  }

  get frameBytes(): number {
    return this.end - this.start;
  }

  get data(): Uint8Array {
    return this.bytes.subarray(this.start + FRAME_HEADER_BYTES, this.end);
  }

  get frame(): Uint8Array {
    return this.bytes.subarray(this.start, this.end);
  }
}

// Proposals of one moment stand side by side in one slab, and a run of entries leaves for disk and peers as one
// chunk (appendFrames). An entry keeps its slab alive, which is bounded: logs drop entries in order, so at most one
// slab a log outlives its other entries.
const SLAB_BYTES = 64 * 1024;
const SLAB_FRAME_BYTES_MAX = SLAB_BYTES / 8;
let slab = new Uint8Array(0);
let slabUsed = 0;

/** A proposed entry (index and term 0) with `dataBytes` zeros to fill in from `dataStart` on, and room for the header before them. */
export function allocateEntry(kind: EntryKind, dataBytes: number): FramedEntry {
  const length = FRAME_HEADER_BYTES + dataBytes;
  if (!(dataBytes >= 0 && length <= FRAME_BYTES_MAX)) {
    throw new RangeError(
      `an entry of ${dataBytes} bytes; at most ${FRAME_BYTES_MAX - FRAME_HEADER_BYTES} fit a frame`,
    );
  }
  if (length > SLAB_FRAME_BYTES_MAX) return new FramedEntry(kind, new Uint8Array(length), 0, length);
  if (slabUsed + length > slab.length) {
    slab = new Uint8Array(SLAB_BYTES);
    slabUsed = 0;
  }
  const start = slabUsed;
  slabUsed += length;
  return new FramedEntry(kind, slab, start, slabUsed);
}

/** Writes the header of the frame `bytes[start, end)`, whose data is already in place, and its CRC. */
export function sealFrame(
  bytes: Uint8Array,
  { index, term, kind }: { index: number; term: number; kind: number },
  start = 0,
  end = bytes.length,
): void {
  writeU32(bytes, start, end - start);
  writeU48(bytes, start + 8, index);
  writeU48(bytes, start + 14, term);
  bytes[start + 20] = kind;
  bytes[start + 21] = FRAME_VERSION;
  bytes[start + 22] = 0;
  bytes[start + 23] = 0;
  writeU32(bytes, start + 4, crc32(bytes, start + 8, end));
}

/** The entry with its frame in place, which is encoded at the first call (after the core gave it an index) and kept. */
function framed(entry: Entry): Entry {
  if (entry.index < 1) throw new RangeError('an entry has no frame before it has an index');
  if (entry instanceof FramedEntry) {
    const { bytes, start, end } = entry;
    // A frame that was allocated but not yet sealed still has the index 0.
    if (readU48(bytes, start + 8) !== entry.index || readU48(bytes, start + 14) !== entry.term) {
      sealFrame(bytes, entry, start, end);
    }
    return entry;
  }
  let { frame } = entry;
  if (frame === undefined) {
    if (entry.data.length > FRAME_BYTES_MAX - FRAME_HEADER_BYTES) {
      throw new RangeError(
        `entry ${entry.index} of ${entry.data.length} bytes is larger than any frame may be`,
      );
    }
    frame = new Uint8Array(FRAME_HEADER_BYTES + entry.data.length);
    frame.set(entry.data, FRAME_HEADER_BYTES);
    entry.data = frame.subarray(FRAME_HEADER_BYTES);
    entry.frame = frame;
  }
  if (readU48(frame, 8) !== entry.index || readU48(frame, 14) !== entry.term) sealFrame(frame, entry);
  return entry;
}

/** The entry's frame; see `framed`. */
export function frameOf(entry: Entry): Uint8Array {
  return framed(entry).frame as Uint8Array;
}

/**
 * Pushes the frames of `entries`, in order, onto `chunks` without copying, and returns their bytes.
 * Frames that stand side by side in memory (proposed in one turn, or received in one message) become one
 * chunk, so a batch of a thousand small entries is a handful of buffers to `writev`.
 */
export function appendFrames(entries: readonly Entry[], chunks: Uint8Array[]): number {
  let bytesTotal = 0;
  let source: Uint8Array | null = null;
  let from = 0;
  let to = 0;
  for (const entry of entries) {
    framed(entry);
    if (!(entry instanceof FramedEntry)) {
      if (source !== null) chunks.push(chunkOf(source, from, to));
      source = null;
      chunks.push(entry.frame as Uint8Array);
      bytesTotal += (entry.frame as Uint8Array).length;
      continue;
    }
    const { bytes, start, end } = entry;
    bytesTotal += end - start;
    if (source !== bytes || start !== to) {
      if (source !== null) chunks.push(chunkOf(source, from, to));
      source = bytes;
      from = start;
    }
    to = end;
  }
  if (source !== null) chunks.push(chunkOf(source, from, to));
  return bytesTotal;
}

function chunkOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
}

export function isEntryKind(kind: number): kind is EntryKind {
  return kind >= EntryKind.command && kind <= EntryKind.configuration;
}

/**
 * The entry whose frame begins at `offset`, checked; it keeps `bytes` as its encoding. A reason instead where there is
 * none.
 */
export function readEntry(bytes: Uint8Array, offset: number): FramedEntry | string {
  const left = bytes.length - offset;
  const length = left < FRAME_HEADER_BYTES ? 0 : readU32(bytes, offset);
  if (length < FRAME_HEADER_BYTES || length > left) {
    return `an entry of ${length} bytes where ${left} are left`;
  }
  const end = offset + length;
  if (crc32(bytes, offset + 8, end) !== readU32(bytes, offset + 4)) return 'CRC does not match';
  const version = bytes[offset + 21] as number;
  if (version !== FRAME_VERSION) return `unknown version ${version}`;
  const kind = bytes[offset + 20] as number;
  if (!isEntryKind(kind)) return `an entry of kind ${kind}`;
  const entry = new FramedEntry(kind, bytes, offset, end);
  entry.index = readU48(bytes, offset + 8);
  entry.term = readU48(bytes, offset + 14);
  return entry;
}
