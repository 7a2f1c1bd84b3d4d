// Every record of a log's files with its offset, for `quorumlab wal dump`; and a verdict without touching
// anything, for `wal verify`. For the folder of a stopped node: nothing is locked or written here.
import { crc32 } from '../protocol/crc32.ts';
import { FRAME_BYTES_MAX, FRAME_HEADER_BYTES, isEntryKind } from '../protocol/frame.ts';
import { type EntryKind, EntryKind as EntryKinds, type HardState } from '../raft/types.ts';
import { type FileSystem, joinPath } from './file-system.ts';
import { readLogFolder } from './log-folder.ts';
import { recoverLog } from './recovery.ts';
import {
  BATCH_HEAD_BYTES,
  isZero,
  readBatchHead,
  readSegmentHeader,
  readU32,
  readU48,
  SEGMENT_HEADER_BYTES,
  segmentName,
  sequenceOfSegmentName,
} from './segment-format.ts';
import { findLaterBatch } from './segment-scan.ts';
import type { RecoveryVerdict } from './types.ts';

interface Located {
  file: string;
  offsetBytes: number;
  lengthBytes: number;
  /** Out of the log: an earlier recovery cut it in front of this, and the next segment says so. */
  givenUp: boolean;
}

export type InspectedRecord = Located &
  (
    | {
        kind: 'segmentHeader';
        sequence: number;
        previousSequence: number;
        previousEndBytes: number;
        baseIndex: number;
      }
    | { kind: 'batch'; batchSequence: number; batchBytes: number; hardState: HardState; refetchIndex: number }
    /** `data` is a view of the file's bytes. */
    | { kind: 'entry'; index: number; term: number; entryKind: keyof typeof EntryKinds; data: Uint8Array }
    /** Bytes up to the next whole batch, or to the last that is not zero. */
    | { kind: 'bad'; reason: string; bytes: Uint8Array }
    /** Zeros to the end of the file. */
    | { kind: 'blank' }
  );

/**
 * The records of all segments, oldest first. One segment is in memory at a time. Rejects with a
 * FileSystemError, and with a LogStoreError `EVERSION` for a log of a later version.
 */
export async function* inspectLog(fs: FileSystem, folder: string): AsyncGenerator<InspectedRecord> {
  const ends = await countedEnds(fs, folder);
  const names = (await fs.readdir(folder)).filter((name) => sequenceOfSegmentName(name) !== null);
  for (const name of names.sort()) {
    const path = joinPath(folder, name);
    const bytes = new Uint8Array((await fs.stat(path))?.sizeBytes ?? 0);
    const handle = await fs.open(path, 'read');
    try {
      await handle.read(bytes, 0);
    } finally {
      await handle.close();
    }
    yield* inspectSegment(name, bytes, ends.get(name));
  }
}

/** Where segments stop to count, for those that another one continues. */
async function countedEnds(fs: FileSystem, folder: string): Promise<Map<string, number>> {
  const { chain } = await readLogFolder(fs, folder, 0);
  return new Map(chain.map(({ header }) => [segmentName(header.previousSequence), header.previousEndBytes]));
}

/** The records of one segment's bytes, in order and without a gap. */
function* inspectSegment(
  file: string,
  bytes: Uint8Array,
  countedEnd = Number.POSITIVE_INFINITY,
): Generator<InspectedRecord> {
  const sequence = sequenceOfSegmentName(file) ?? 0;
  const locate = (offsetBytes: number, lengthBytes: number): Located => ({
    file,
    offsetBytes,
    lengthBytes,
    givenUp: offsetBytes >= countedEnd,
  });
  const reading = readSegmentHeader(bytes);
  let offset = 0;
  if (reading.status === 'whole') {
    const { previousSequence, previousEndBytes, baseIndex } = reading.header;
    const located = locate(0, SEGMENT_HEADER_BYTES);
    yield { ...located, kind: 'segmentHeader', sequence, previousSequence, previousEndBytes, baseIndex };
    offset = SEGMENT_HEADER_BYTES;
  }
  const logId = reading.status === 'whole' ? reading.header.logId : null;
  while (offset < bytes.length) {
    if (isZero(bytes, offset, bytes.length)) {
      yield { ...locate(offset, bytes.length - offset), kind: 'blank' };
      return;
    }
    const record = recordAt(bytes, offset);
    if (typeof record !== 'string') {
      yield { ...locate(offset, record.lengthBytes), ...record };
      offset += record.lengthBytes;
      continue;
    }
    const later = findLaterBatch(bytes, offset + 1, { logId, segmentSequence: sequence, afterBatch: 0 });
    const end = later?.offsetBytes ?? bytes.findLastIndex((byte) => byte !== 0) + 1;
    yield {
      ...locate(offset, end - offset),
      kind: 'bad',
      reason: record,
      bytes: bytes.subarray(offset, end),
    };
    offset = end;
  }
}

type FoundRecord = { lengthBytes: number } & (
  | Omit<Extract<InspectedRecord, { kind: 'batch' }>, keyof Located>
  | Omit<Extract<InspectedRecord, { kind: 'entry' }>, keyof Located>
);

/** The record, or why there is none. */
function recordAt(bytes: Uint8Array, offset: number): FoundRecord | string {
  const head = readBatchHead(bytes, offset);
  if (head !== null) {
    const { batchSequence, batchBytes, hardState, refetchIndex } = head;
    const lengthBytes = BATCH_HEAD_BYTES;
    return { lengthBytes, kind: 'batch', batchSequence, batchBytes, hardState, refetchIndex };
  }
  if (offset + FRAME_HEADER_BYTES > bytes.length) return 'the file ends inside a record';
  const length = readU32(bytes, offset);
  if (length < FRAME_HEADER_BYTES || length > FRAME_BYTES_MAX) return `impossible record length ${length}`;
  if (offset + length > bytes.length) return `a record of ${length} bytes does not fit into the file`;
  const stored = readU32(bytes, offset + 4);
  const computed = crc32(bytes, offset + 8, offset + length);
  if (stored !== computed) return `CRC is ${hex32(computed)}, but ${hex32(stored)} is written`;
  const kind = bytes[offset + 20] as number;
  if (!isEntryKind(kind)) return `a whole record of the unexpected kind ${kind}`;
  return {
    lengthBytes: length,
    kind: 'entry',
    index: readU48(bytes, offset + 8),
    term: readU48(bytes, offset + 14),
    entryKind: nameOfKind(kind),
    data: bytes.subarray(offset + FRAME_HEADER_BYTES, offset + length),
  };
}

function nameOfKind(kind: EntryKind): keyof typeof EntryKinds {
  if (kind === EntryKinds.command) return 'command';
  return kind === EntryKinds.noop ? 'noop' : 'configuration';
}

function hex32(value: number): string {
  return value.toString(16).padStart(8, '0');
}

export interface LogVerification {
  /** Nothing is torn, corrupt or waiting to be refetched. */
  sound: boolean;
  firstIndex: number;
  lastIndex: number;
  hardState: HardState;
  /** Above `lastIndex`: entries that were acknowledged are missing. */
  lastDurableIndexKnown: number;
  segments: number;
  verdicts: RecoveryVerdict[];
}

/** What a start would find. `snapshot`: the newest sound one, which the log stands on. */
export async function verifyLog(
  fs: FileSystem,
  folder: string,
  snapshot: { index: number; term: number } = { index: 0, term: 0 },
): Promise<LogVerification> {
  const { replay, kept, verdicts, lastDurableIndexKnown } = await recoverLog(fs, folder, snapshot);
  return {
    sound: verdicts.length === 0 && lastDurableIndexKnown <= replay.lastIndex,
    firstIndex: replay.entriesBase + 1,
    lastIndex: replay.lastIndex,
    hardState: replay.hardState,
    lastDurableIndexKnown,
    segments: kept.length,
    verdicts,
  };
}

/** Lines of sixteen bytes: offset in the file, the bytes, and what of them can be printed. */
export function hexView(bytes: Uint8Array, offsetBytes: number, linesMax = 16): string[] {
  const lines: string[] = [];
  for (let start = 0; start < bytes.length && lines.length < linesMax; start += 16) {
    const row = [...bytes.subarray(start, start + 16)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${(offsetBytes + start).toString(16).padStart(8, '0')}  ${hex.padEnd(47)}  ${text}`);
  }
  const left = bytes.length - lines.length * 16;
  if (left > 0) lines.push(`… ${left} bytes more`);
  return lines;
}
