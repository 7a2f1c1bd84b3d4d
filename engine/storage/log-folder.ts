// Which segment files a folder holds, and which of them make up the log: each names the one it continues.
import { type FileSystem, joinPath } from './file-system.ts';
import {
  BATCH_HEAD_BYTES,
  isZero,
  readBatchHead,
  readSegmentHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  sameBytes,
  segmentName,
  sequenceOfSegmentName,
} from './segment-format.ts';
import { LogStoreError } from './types.ts';

export interface SegmentFile {
  name: string;
  sequence: number;
  sizeBytes: number;
}

export interface ChainedSegment extends SegmentFile {
  header: SegmentHeader;
  /** A segment before this one is missing or lost its header, and is needed. */
  brokenBefore: boolean;
}

export interface LogFolder {
  /** Null when no segment has a sound header. */
  logId: Uint8Array | null;
  /** The log, oldest first. */
  chain: ChainedSegment[];
  /** Whether the chain's first segment is a beginning, or begins no later than the snapshot ends. */
  complete: boolean;
  /** Prepared and never used. */
  blank: string[];
  /** Without a sound header, behind the chain: torn when they were begun, or corrupt. */
  suspects: SegmentFile[];
  /** Given up by an earlier recovery, or before the log's beginning. */
  orphans: string[];
  /** Those of them that have no sound header any more. */
  headless: SegmentFile[];
  highestSequence: number;
}

type Found = SegmentFile & { reading: ReturnType<typeof readSegmentHeader> };

export async function readLogFolder(
  fs: FileSystem,
  folder: string,
  snapshotIndex: number,
): Promise<LogFolder> {
  const found: Found[] = [];
  for (const name of await fs.readdir(folder)) {
    const sequence = sequenceOfSegmentName(name);
    if (sequence !== null) found.push(await readOne(fs, folder, sequence));
  }
  found.sort((left, right) => left.sequence - right.sequence);
  const whole = new Map<number, ChainedSegment>();
  for (const { reading, ...file } of found) {
    if (reading.status === 'whole' && reading.header.sequence === file.sequence) {
      whole.set(file.sequence, { ...file, header: reading.header, brokenBefore: false });
    }
  }
  const newest = [...whole.values()].at(-1);
  for (const [sequence, segment] of whole) {
    if (newest !== undefined && !sameBytes(segment.header.logId, newest.header.logId)) whole.delete(sequence);
  }
  const { chain, complete } = linkChain(whole, snapshotIndex);
  const chained = new Set(chain.map((segment) => segment.sequence));
  const newestSequence = newest?.sequence ?? 0;
  const rest = found.filter((file) => !chained.has(file.sequence) && file.reading.status !== 'blank');
  const orphans = rest.filter((file) => file.sequence < newestSequence);
  return {
    logId: newest?.header.logId ?? null,
    chain,
    complete,
    blank: found.filter((file) => file.reading.status === 'blank').map((file) => file.name),
    suspects: rest.filter((file) => file.sequence > newestSequence),
    orphans: orphans.map((file) => file.name),
    headless: orphans.filter((file) => file.reading.status === 'bad'),
    highestSequence: found.at(-1)?.sequence ?? 0,
  };
}

async function readOne(fs: FileSystem, folder: string, sequence: number): Promise<Found> {
  const name = segmentName(sequence);
  const handle = await fs.open(joinPath(folder, name), 'read');
  try {
    const start = new Uint8Array(SEGMENT_HEADER_BYTES + BATCH_HEAD_BYTES);
    await handle.read(start, 0);
    const reading = readSegmentHeader(start);
    if (reading.status === 'unknownVersion') {
      throw new LogStoreError(
        `${name} has log format ${reading.version}, which this version cannot read: use the newer version that wrote it`,
        'open',
        'EVERSION',
      );
    }
    const sizeBytes = (await fs.stat(joinPath(folder, name)))?.sizeBytes ?? 0;
    // A header of zeros over a file that holds something lost its header; it was never blank.
    const lostHeader = reading.status === 'blank' && !(await isBlank(handle, sizeBytes));
    const sound = reading.status !== 'whole' || hasFirstHead(start, reading.header);
    return { name, sequence, sizeBytes, reading: lostHeader || !sound ? { status: 'bad' } : reading };
  } finally {
    await handle.close();
  }
}

/**
 * A header only counts together with the head behind it, which is part of the same write: alone it would
 * begin a log without its hard state.
 */
function hasFirstHead(start: Uint8Array, header: SegmentHeader): boolean {
  const head = readBatchHead(start, SEGMENT_HEADER_BYTES);
  return (
    head !== null &&
    head.segmentSequence === header.sequence &&
    head.batchSequence === header.firstBatch &&
    sameBytes(head.logId, header.logId)
  );
}

async function isBlank(handle: Awaited<ReturnType<FileSystem['open']>>, sizeBytes: number): Promise<boolean> {
  const bytes = new Uint8Array(sizeBytes);
  await handle.read(bytes, 0);
  return isZero(bytes, 0, bytes.length);
}

/**
 * From the newest segment back along `previousSequence`. Where that leads nowhere although the log needs it,
 * the chain goes on with the newest older segment, marked as broken: recovery keeps what is before the break.
 */
function linkChain(
  whole: ReadonlyMap<number, ChainedSegment>,
  snapshotIndex: number,
): { chain: ChainedSegment[]; complete: boolean } {
  const sequences = [...whole.keys()].sort((left, right) => right - left);
  const chain: ChainedSegment[] = [];
  let current = whole.get(sequences[0] ?? 0);
  while (current !== undefined) {
    chain.unshift(current);
    const { header } = current;
    if (header.previousSequence === 0) return { chain, complete: true };
    const previous = whole.get(header.previousSequence);
    if (previous === undefined) {
      // What the snapshot covers may be gone: compaction removed it.
      if (header.baseIndex <= snapshotIndex) return { chain, complete: true };
      current.brokenBefore = true;
      const older = sequences.find((sequence) => sequence < header.sequence);
      current = older === undefined ? undefined : whole.get(older);
    } else {
      current = previous;
    }
  }
  return { chain, complete: chain.length === 0 };
}
