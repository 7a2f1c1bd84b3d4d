// Reads the batches of one segment into a replay, and says where and how it ended. Pure: works on bytes.
import { crc32 } from '../protocol/crc32.ts';
import { FRAME_BYTES_MAX, FRAME_HEADER_BYTES, FRAME_VERSION, isEntryKind } from '../protocol/frame.ts';
import type { EntryKind } from '../raft/types.ts';
import type { LogReplay } from './log-replay.ts';
import {
  BATCH_HEAD_BYTES,
  type BatchHead,
  isZero,
  readBatchHead,
  readU32,
  readU48,
  type SegmentHeader,
  sameBytes,
} from './segment-format.ts';

export interface ScanEnd {
  /** Behind the last whole batch. */
  endBytes: number;
  /** Sequence of the last whole batch, or one less than the first when there is none. */
  lastBatch: number;
  /** Highest index that was entered, replaced or not; 0 when there was none. */
  maxIndex: number;
  /** Null when everything up to the end was whole. */
  hole: Hole | null;
}

export interface Hole {
  /** Of the first record that is not whole: everything before it is. */
  offsetBytes: number;
  /** The batch that it is in. */
  batchSequence: number;
  reason: string;
}

/**
 * Replays the batches from `offset` up to `endBytes` (the file's end, or what the next segment says counts).
 * A whole batch enters the replay whole. Of a broken one the records before the break are entered only when
 * `keepPartial`; a torn write is dropped as a whole, for nothing of it was acknowledged.
 */
export function scanSegment(
  bytes: Uint8Array,
  from: { header: SegmentHeader; offset: number; batch: number; endBytes: number; keepPartial: boolean },
  replay: LogReplay,
): ScanEnd {
  let { offset, batch } = from;
  let maxIndex = 0;
  while (offset < from.endBytes) {
    const head = readBatchHead(bytes, offset);
    const reason = misplaced(head, { header: from.header, batch, lastIndex: replay.lastIndex });
    if (head === null || reason !== null) {
      if (isZero(bytes, offset, from.endBytes)) break;
      const hole = { offsetBytes: offset, batchSequence: batch, reason: reason ?? 'no batch begins here' };
      return { endBytes: offset, lastBatch: batch - 1, maxIndex, hole };
    }
    // A batch that was torn before this log went on elsewhere ends where its successor says.
    const limit = Math.min(offset + head.batchBytes, from.endBytes);
    const broken = checkRecords(bytes, offset + BATCH_HEAD_BYTES, limit, head.lastIndexBefore);
    if (broken === null || from.keepPartial) {
      const reached = enterRecords(bytes, { offset, limit: broken?.offsetBytes ?? limit, head }, replay);
      maxIndex = Math.max(maxIndex, reached);
    }
    if (broken !== null) {
      return { endBytes: offset, lastBatch: batch - 1, maxIndex, hole: { ...broken, batchSequence: batch } };
    }
    offset = limit;
    batch++;
  }
  return { endBytes: offset, lastBatch: batch - 1, maxIndex, hole: null };
}

interface Break {
  offsetBytes: number;
  reason: string;
}

/** Why the batch is not the next one; null when it is, or when there is none. */
function misplaced(
  head: BatchHead | null,
  place: { header: SegmentHeader; batch: number; lastIndex: number },
): string | null {
  if (head === null) return null;
  if (head.segmentSequence !== place.header.sequence || !sameBytes(head.logId, place.header.logId)) {
    return 'a batch of another segment stands here';
  }
  if (head.batchSequence !== place.batch)
    return `batch ${head.batchSequence} stands where ${place.batch} belongs`;
  if (head.lastIndexBefore !== place.lastIndex) {
    return `the batch follows index ${head.lastIndexBefore}, but the log is at ${place.lastIndex}`;
  }
  return null;
}

/** The first record in `[start, limit)` that is not whole or does not follow; null when all are and do. */
function checkRecords(
  bytes: Uint8Array,
  start: number,
  limit: number,
  lastIndexBefore: number,
): Break | null {
  let at = start;
  let lastIndex = lastIndexBefore;
  while (at < limit) {
    if (at + FRAME_HEADER_BYTES > limit) return { offsetBytes: at, reason: 'the file ends inside a record' };
    const length = readU32(bytes, at);
    if (length < FRAME_HEADER_BYTES || length > FRAME_BYTES_MAX) {
      return { offsetBytes: at, reason: `impossible record length ${length}` };
    }
    if (at + length > limit) return { offsetBytes: at, reason: `a record of ${length} bytes does not fit` };
    if (crc32(bytes, at + 8, at + length) !== readU32(bytes, at + 4)) {
      return { offsetBytes: at, reason: 'CRC does not match' };
    }
    const index = readU48(bytes, at + 8);
    if (bytes[at + 21] !== FRAME_VERSION || !isEntryKind(bytes[at + 20] as number)) {
      return { offsetBytes: at, reason: `unknown record kind ${bytes[at + 20]}, version ${bytes[at + 21]}` };
    }
    if (index < 1 || index > lastIndex + 1) {
      return { offsetBytes: at, reason: `index ${index} does not follow ${lastIndex}` };
    }
    lastIndex = index;
    at += length;
  }
  return null;
}

function enterRecords(
  bytes: Uint8Array,
  batch: { offset: number; limit: number; head: BatchHead },
  replay: LogReplay,
): number {
  replay.hardState = batch.head.hardState;
  replay.refetchIndex = batch.head.refetchIndex;
  let at = batch.offset + BATCH_HEAD_BYTES;
  let maxIndex = 0;
  while (at < batch.limit) {
    const end = at + readU32(bytes, at);
    const index = readU48(bytes, at + 8);
    replay.add(
      index,
      readU48(bytes, at + 14),
      bytes[at + 20] as EntryKind,
      bytes.subarray(at + FRAME_HEADER_BYTES, end),
    );
    if (index > maxIndex) maxIndex = index;
    at = end;
  }
  return maxIndex;
}

/** What stands behind a hole: it proves that the hole was once whole, and how far the log had come. */
export interface LaterBatch {
  offsetBytes: number;
  head: BatchHead;
}

/**
 * The first whole head behind `start` of a batch after `afterBatch`. Found by looking at every byte, since the
 * hole may have swallowed lengths; the log's id keeps a client's value from passing as one. A null `logId`
 * (the only segment lost its header) takes any.
 */
export function findLaterBatch(
  bytes: Uint8Array,
  start: number,
  wanted: { logId: Uint8Array | null; segmentSequence: number; afterBatch: number },
): LaterBatch | null {
  for (let at = start; at + BATCH_HEAD_BYTES <= bytes.length; at++) {
    if (bytes[at] !== BATCH_HEAD_BYTES) continue;
    const head = readBatchHead(bytes, at);
    if (head === null || head.segmentSequence !== wanted.segmentSequence) continue;
    if (head.batchSequence <= wanted.afterBatch) continue;
    if (wanted.logId !== null && !sameBytes(wanted.logId, head.logId)) continue;
    return { offsetBytes: at, head };
  }
  return null;
}

/** The last index that the whole leading records of a batch reach. */
export function lastIndexOfBatch(bytes: Uint8Array, later: LaterBatch): number {
  const start = later.offsetBytes + BATCH_HEAD_BYTES;
  const limit = Math.min(bytes.length, later.offsetBytes + later.head.batchBytes);
  const end = checkRecords(bytes, start, limit, later.head.lastIndexBefore)?.offsetBytes ?? limit;
  let lastIndex = later.head.lastIndexBefore;
  for (let at = start; at < end; at += readU32(bytes, at)) lastIndex = readU48(bytes, at + 8);
  return lastIndex;
}
