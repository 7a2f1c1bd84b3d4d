// The two records of a log file that are no entries: the header of a segment and the head of a batch; and
// file names. Byte by byte in FORMAT.md. Entries stand as engine/protocol/frame.ts has them.
import { crc32 } from '../protocol/crc32.ts';
import { FRAME_HEADER_BYTES, FRAME_VERSION, RecordKind, sealFrame } from '../protocol/frame.ts';
import type { HardState } from '../raft/types.ts';

/** Of the whole log format: segments, batches and snapshots' names. */
export const LOG_FORMAT_VERSION = 1;
export const LOG_ID_BYTES = 8;

/** `QLOGSEG` and the format version as a digit. */
const MAGIC = Uint8Array.of(0x51, 0x4c, 0x4f, 0x47, 0x53, 0x45, 0x47, 0x31);

/** First record of a segment: where it stands in the chain. */
export interface SegmentHeader {
  /** Drawn when the log was made: a segment of another log, or a forged record, is never taken for ours. */
  logId: Uint8Array;
  /** From 1, rising; as in the file's name. */
  sequence: number;
  /** The segment that this one continues; 0 when the log begins here. */
  previousSequence: number;
  /** What counts in that segment, in bytes: whatever stands behind was given up when this one began. */
  previousEndBytes: number;
  /** Index and term of the last entry before this segment; 0 and 0 when there is none. */
  baseIndex: number;
  baseTerm: number;
  /** Sequence of the first batch in here. */
  firstBatch: number;
}

/**
 * First record of every write. A batch is only written when the one before is durable, so a whole head
 * proves that everything before it was on disk: that is how corruption is told from a torn tail.
 */
export interface BatchHead {
  logId: Uint8Array;
  segmentSequence: number;
  /** Rises by one with each batch of the log. */
  batchSequence: number;
  /** Of the whole batch, this record included. */
  batchBytes: number;
  /** Last index of the log before this batch. */
  lastIndexBefore: number;
  hardState: HardState;
  /** While above the log's last index: this log lost entries that it had acknowledged up to here. 0: none. */
  refetchIndex: number;
}

export const SEGMENT_HEADER_BYTES = FRAME_HEADER_BYTES + 64;
export const BATCH_HEAD_BYTES = FRAME_HEADER_BYTES + 48;

const U32 = 0x1_0000_0000;

export function readU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

export function readU48(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at) + ((bytes[at + 4] as number) | ((bytes[at + 5] as number) << 8)) * U32;
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = (value >>> 8) & 0xff;
  bytes[at + 2] = (value >>> 16) & 0xff;
  bytes[at + 3] = value >>> 24;
}

export function writeU48(bytes: Uint8Array, at: number, value: number): void {
  writeU32(bytes, at, (value % U32) | 0);
  const high = Math.floor(value / U32);
  bytes[at + 4] = high & 0xff;
  bytes[at + 5] = (high >>> 8) & 0xff;
}

/** Fills the first SEGMENT_HEADER_BYTES of `into`. */
export function writeSegmentHeader(into: Uint8Array, header: SegmentHeader): void {
  const record = into.subarray(0, SEGMENT_HEADER_BYTES);
  record.fill(0);
  record.set(MAGIC, 24);
  writeU32(record, 32, LOG_FORMAT_VERSION);
  record.set(header.logId, 40);
  writeU48(record, 48, header.sequence);
  writeU48(record, 54, header.previousSequence);
  writeU48(record, 60, header.previousEndBytes);
  writeU48(record, 66, header.firstBatch);
  sealFrame(record, { index: header.baseIndex, term: header.baseTerm, kind: RecordKind.segmentHeader });
}

export type SegmentHeaderReading =
  | { status: 'whole'; header: SegmentHeader }
  | { status: 'blank' }
  /** Sound, but written by a later version of this program. */
  | { status: 'unknownVersion'; version: number }
  | { status: 'bad' };

/** `bytes` begins where the file does; SEGMENT_HEADER_BYTES of it are enough. */
export function readSegmentHeader(bytes: Uint8Array): SegmentHeaderReading {
  if (isZero(bytes, 0, Math.min(bytes.length, SEGMENT_HEADER_BYTES))) return { status: 'blank' };
  if (!isSoundRecord(bytes, 0, SEGMENT_HEADER_BYTES, RecordKind.segmentHeader)) return { status: 'bad' };
  for (let at = 0; at < MAGIC.length - 1; at++) {
    if (bytes[24 + at] !== MAGIC[at]) return { status: 'bad' };
  }
  const version = readU32(bytes, 32);
  if (version !== LOG_FORMAT_VERSION) return { status: 'unknownVersion', version };
  return {
    status: 'whole',
    header: {
      logId: bytes.slice(40, 40 + LOG_ID_BYTES),
      sequence: readU48(bytes, 48),
      previousSequence: readU48(bytes, 54),
      previousEndBytes: readU48(bytes, 60),
      baseIndex: readU48(bytes, 8),
      baseTerm: readU48(bytes, 14),
      firstBatch: readU48(bytes, 66),
    },
  };
}

/** Fills BATCH_HEAD_BYTES of `into` from `at`. */
export function writeBatchHead(into: Uint8Array, at: number, head: BatchHead): void {
  const record = into.subarray(at, at + BATCH_HEAD_BYTES);
  record.set(head.logId, 24);
  writeU48(record, 32, head.segmentSequence);
  writeU48(record, 38, head.batchSequence);
  writeU32(record, 44, head.batchBytes);
  writeU48(record, 48, head.hardState.votedFor);
  writeU48(record, 54, head.hardState.commitIndex);
  writeU48(record, 60, head.refetchIndex);
  record.fill(0, 66, BATCH_HEAD_BYTES);
  sealFrame(record, {
    index: head.lastIndexBefore,
    term: head.hardState.currentTerm,
    kind: RecordKind.hardState,
  });
}

/** Null unless a whole head stands at `at`. */
export function readBatchHead(bytes: Uint8Array, at: number): BatchHead | null {
  if (!isSoundRecord(bytes, at, BATCH_HEAD_BYTES, RecordKind.hardState)) return null;
  return {
    logId: bytes.slice(at + 24, at + 24 + LOG_ID_BYTES),
    segmentSequence: readU48(bytes, at + 32),
    batchSequence: readU48(bytes, at + 38),
    batchBytes: readU32(bytes, at + 44),
    lastIndexBefore: readU48(bytes, at + 8),
    hardState: {
      currentTerm: readU48(bytes, at + 14),
      votedFor: readU48(bytes, at + 48),
      commitIndex: readU48(bytes, at + 54),
    },
    refetchIndex: readU48(bytes, at + 60),
  };
}

/** The cheap checks come first: this is also asked at every byte behind a hole. */
function isSoundRecord(bytes: Uint8Array, at: number, length: number, kind: number): boolean {
  return (
    at + length <= bytes.length &&
    bytes[at + 20] === kind &&
    bytes[at + 21] === FRAME_VERSION &&
    readU32(bytes, at) === length &&
    readU32(bytes, at + 4) === crc32(bytes, at + 8, at + length)
  );
}

export function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  // By words where the alignment allows: sixteen megabytes are looked through at every start.
  while (at < end && (bytes.byteOffset + at) % 4 !== 0) if (bytes[at++] !== 0) return false;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, Math.max(0, (end - at) >> 2));
  for (let word = 0; word < words.length; word++) if (words[word] !== 0) return false;
  for (at += words.length * 4; at < end; at++) if (bytes[at] !== 0) return false;
  return true;
}

export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let at = 0; at < left.length; at++) if (left[at] !== right[at]) return false;
  return true;
}

const SEGMENT_NAME = /^segment-(\d{12})\.log$/;

export function segmentName(sequence: number): string {
  return `segment-${String(sequence).padStart(12, '0')}.log`;
}

/** Null when the name is no segment's. */
export function sequenceOfSegmentName(name: string): number | null {
  const match = SEGMENT_NAME.exec(name);
  return match?.[1] === undefined ? null : Number(match[1]);
}
