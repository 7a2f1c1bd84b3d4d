// The bytes of a simulated log file: batches of production frames, one head before each, as engine/storage has
// them, in one file without segments. Recovery tells a torn tail from corruption by the same rule: a whole head
// behind a hole proves that the hole was once whole. [W7] [W8]
import { crc32 } from '../protocol/crc32.ts';
import { RecordKind, readEntry, sealFrame } from '../protocol/frame.ts';
import { readU32, readU48, writeU32, writeU48 } from '../protocol/little-endian.ts';
import type { Entry, HardState } from '../raft/types.ts';

/** First record of every write: what production's batch head says, but for ids of log and segment. */
export interface BatchHead {
  /** Rises by one with each batch. */
  sequence: number;
  /** Of the whole batch, this record included. */
  batchBytes: number;
  /** Last index of the log before this batch. */
  lastIndexBefore: number;
  hardState: HardState;
  /** While above the log's last index: this log lost entries that it had acknowledged up to here. */
  refetchIndex: number;
}

export const HEAD_BYTES = 24 + 28;

/** The batch as it is written, head and frames. */
export function encodeBatch(head: Omit<BatchHead, 'batchBytes'>, frames: readonly Uint8Array[]): Uint8Array {
  let length = HEAD_BYTES;
  for (const frame of frames) length += frame.length;
  const bytes = new Uint8Array(length);
  const record = bytes.subarray(0, HEAD_BYTES);
  writeU48(record, 24, head.sequence);
  writeU32(record, 30, length);
  writeU48(record, 34, head.hardState.votedFor);
  writeU48(record, 40, head.hardState.commitIndex);
  writeU48(record, 46, head.refetchIndex);
  const { currentTerm: term } = head.hardState;
  sealFrame(record, { index: head.lastIndexBefore, term, kind: RecordKind.hardState });
  let at = HEAD_BYTES;
  for (const frame of frames) {
    bytes.set(frame, at);
    at += frame.length;
  }
  return bytes;
}

function readHead(bytes: Uint8Array, at: number): BatchHead | null {
  const isHead =
    at + HEAD_BYTES <= bytes.length &&
    bytes[at + 20] === RecordKind.hardState &&
    readU32(bytes, at) === HEAD_BYTES &&
    readU32(bytes, at + 4) === crc32(bytes, at + 8, at + HEAD_BYTES);
  if (!isHead) return null;
  return {
    sequence: readU48(bytes, at + 24),
    batchBytes: readU32(bytes, at + 30),
    lastIndexBefore: readU48(bytes, at + 8),
    hardState: {
      currentTerm: readU48(bytes, at + 14),
      votedFor: readU48(bytes, at + 34),
      commitIndex: readU48(bytes, at + 40),
    },
    refetchIndex: readU48(bytes, at + 46),
  };
}

/** What a log file turned out to hold. */
export interface FoundImage {
  hardState: HardState;
  /** Contiguous from the index after `base`; views of the bytes, without frames. */
  entries: Entry[];
  nextSequence: number;
  /** Highest index that may have been acknowledged; above the last entry after corruption. */
  lastDurableIndexKnown: number;
  refetchIndex: number;
  /** Whole batches end here. */
  endBytes: number;
  verdict: 'whole' | 'tornTail' | 'corruption';
}

/** `base`: index of the last entry before the first batch; `sequence`: of that batch. */
export function readImage(
  bytes: Uint8Array,
  { base, sequence }: { base: number; sequence: number },
): FoundImage {
  const found: FoundImage = {
    hardState: { currentTerm: 0, votedFor: 0, commitIndex: 0 },
    entries: [],
    nextSequence: sequence,
    lastDurableIndexKnown: 0,
    refetchIndex: 0,
    endBytes: 0,
    verdict: 'whole',
  };
  const lastIndex = (): number => base + found.entries.length;
  while (found.endBytes < bytes.length) {
    const at = found.endBytes;
    const head = readHead(bytes, at);
    const follows =
      head !== null && head.sequence === found.nextSequence && head.lastIndexBefore === lastIndex();
    const records = follows ? readRecords(bytes, at, head) : null;
    if (head === null || !follows || records === null || !records.isWhole) {
      endAtHole(bytes, { at, sequence: found.nextSequence, records: records?.entries ?? [], base }, found);
      break;
    }
    enter(records.entries, base, found);
    found.hardState = head.hardState;
    found.refetchIndex = head.refetchIndex;
    found.nextSequence = head.sequence + 1;
    found.endBytes = at + head.batchBytes;
  }
  found.lastDurableIndexKnown = Math.max(found.lastDurableIndexKnown, found.refetchIndex, lastIndex());
  return found;
}

function readRecords(
  bytes: Uint8Array,
  start: number,
  head: BatchHead,
): { entries: Entry[]; isWhole: boolean } {
  const entries: Entry[] = [];
  const end = start + head.batchBytes;
  let lastIndex = head.lastIndexBefore;
  let at = start + HEAD_BYTES;
  while (at < end) {
    const entry = readEntry(bytes, at);
    if (typeof entry === 'string') break;
    const { index, term, kind, data } = entry;
    if (index < 1 || index > lastIndex + 1) break;
    entries.push({ index, term, kind, data });
    lastIndex = index;
    at += entry.frameBytes;
  }
  return { entries, isWhole: at === end && end <= bytes.length };
}

/** An entry at an index that is there replaces it and all behind it. [W3] */
function enter(entries: readonly Entry[], base: number, found: FoundImage): void {
  for (const entry of entries) {
    found.entries.length = entry.index - base - 1;
    found.entries.push(entry);
  }
}

interface HoleInImage {
  at: number;
  /** Of the batch that is not whole. */
  sequence: number;
  /** Its whole records before the break. */
  records: readonly Entry[];
  base: number;
}

/** A write that nobody was promised, unless a later batch proves that it was once whole. */
function endAtHole(bytes: Uint8Array, hole: HoleInImage, found: FoundImage): void {
  found.verdict = 'tornTail';
  const replaysBefore = found.entries.length + hole.base;
  let known = 0;
  let sequence = hole.sequence;
  for (let at = hole.at; at + HEAD_BYTES <= bytes.length; at++) {
    if (bytes[at] !== HEAD_BYTES) continue;
    const head = readHead(bytes, at);
    if (head === null || head.sequence <= sequence) continue;
    found.verdict = 'corruption';
    sequence = head.sequence;
    found.hardState = head.hardState;
    found.refetchIndex = head.refetchIndex;
    const records = readRecords(bytes, at, head);
    known = records.entries.at(-1)?.index ?? head.lastIndexBefore;
  }
  if (found.verdict === 'tornTail') return;
  enter(hole.records, hole.base, found);
  found.nextSequence = sequence + 1;
  // A log that was no longer behind the hole than before it may have been cut and written anew in the hole.
  const kept = hole.base + found.entries.length;
  found.lastDurableIndexKnown = known <= Math.max(kept, replaysBefore) ? Math.max(kept, known) + 1 : known;
}
