// Reads a folder's segments back into a log, and decides what a defect is: a torn tail (a write that nobody
// had been promised) or corruption (whole batches behind it). It only reads; file-log-store.ts acts on it.
import type { HardState } from '../raft/types.ts';
import { type FileSystem, joinPath } from './file-system.ts';
import { type ChainedSegment, type LogFolder, readLogFolder, type SegmentFile } from './log-folder.ts';
import { LogReplay, type SnapshotPoint } from './log-replay.ts';
import { BATCH_HEAD_BYTES, SEGMENT_HEADER_BYTES, type SegmentHeader } from './segment-format.ts';
import { findLaterBatch, type Hole, lastIndexOfBatch, type ScanEnd, scanSegment } from './segment-scan.ts';
import type { RecoveryVerdict } from './types.ts';

/** A segment that belongs to the log. */
export interface KeptSegment {
  name: string;
  sequence: number;
  sizeBytes: number;
  /** Highest index in it, replaced or not; 0 when it has no entry. */
  maxIndex: number;
}

export interface FoundLog {
  replay: LogReplay;
  /** Null: there is no log. */
  logId: Uint8Array | null;
  kept: KeptSegment[];
  /** Write on here, after zeros up to `zeroToBytes`; null: a new segment must be begun. */
  tail: { header: SegmentHeader; positionBytes: number; sizeBytes: number; zeroToBytes: number } | null;
  /** Where a new segment would continue; sequence 0 when nothing before it counts. */
  previous: { sequence: number; endBytes: number };
  nextSequence: number;
  nextBatch: number;
  lastDurableIndexKnown: number;
  /** Files without anything acknowledged in them. */
  discard: string[];
  /** Files out of the log, kept for whoever wants to look. */
  setAside: string[];
  verdicts: RecoveryVerdict[];
}

/** What is known of the log behind the hole that ends it. */
interface Beyond {
  lastIndex: number;
  lastBatch: number;
  hardState: HardState;
  refetchIndex: number;
}

/** A log that ends where its segments do, or at a hole. `snapshot.index` 0: there is none. */
export async function recoverLog(
  fs: FileSystem,
  folder: string,
  snapshot: SnapshotPoint,
  lostSnapshot: SnapshotPoint | null = null,
): Promise<FoundLog> {
  const files = await readLogFolder(fs, folder, snapshot.index);
  return new Recovery(fs, { folder, snapshot, lostSnapshot, files }).run();
}

class Recovery {
  readonly #fs: FileSystem;
  readonly #folder: string;
  readonly #snapshot: SnapshotPoint;
  readonly #files: LogFolder;
  readonly #found: FoundLog;
  readonly #lostSnapshot: SnapshotPoint | null;
  /** Set once the log has ended at a hole. */
  #beyond: Beyond | null = null;

  constructor(
    fs: FileSystem,
    of: { folder: string; snapshot: SnapshotPoint; lostSnapshot: SnapshotPoint | null; files: LogFolder },
  ) {
    this.#fs = fs;
    this.#folder = of.folder;
    this.#snapshot = of.snapshot;
    this.#lostSnapshot = of.lostSnapshot;
    this.#files = of.files;
    const first = of.files.complete ? of.files.chain[0]?.header : undefined;
    this.#found = {
      replay: new LogReplay(of.snapshot, { index: first?.baseIndex ?? 0, term: first?.baseTerm ?? 0 }),
      logId: of.files.logId,
      kept: [],
      tail: null,
      previous: { sequence: 0, endBytes: 0 },
      nextSequence: of.files.highestSequence + 1,
      nextBatch: first?.firstBatch ?? 1,
      lastDurableIndexKnown: 0,
      discard: [...of.files.blank],
      setAside: [...of.files.orphans],
      verdicts: [],
    };
  }

  async run(): Promise<FoundLog> {
    const { chain, complete } = this.#files;
    const [oldest] = chain;
    if (complete) for (const segment of this.#files.headless) this.#sayUnneeded(segment);
    if (oldest !== undefined && !complete) this.#endBefore(oldest, 'the segments before it are missing');
    let reading = oldest === undefined ? null : this.#read(oldest);
    for (const [at, segment] of chain.entries()) {
      const bytes = (await reading) ?? new Uint8Array(0);
      const next = chain[at + 1];
      // The next file comes from the disk while this one is being checked.
      reading = next === undefined ? null : this.#read(next);
      if (this.#beyond !== null) this.#surveyAside(segment, bytes);
      else if (next === undefined) await this.#replayNewest(segment, bytes);
      else this.#replayInner(segment, { bytes, next });
    }
    await this.#judgeSuspects();
    this.#finish();
    return this.#found;
  }

  /** A segment with a successor: what counts in it ends where the successor says, and all of it was durable. */
  #replayInner(segment: ChainedSegment, { bytes, next }: { bytes: Uint8Array; next: ChainedSegment }): void {
    this.#keep(segment);
    const { header } = next;
    const endBytes = next.brokenBefore ? bytes.length : Math.min(bytes.length, header.previousEndBytes);
    const end = this.#scan(segment, bytes, endBytes);
    this.#found.previous = { sequence: segment.sequence, endBytes: end.endBytes };
    const joins =
      end.endBytes === header.previousEndBytes && header.baseIndex === this.#found.replay.lastIndex;
    if (end.hole === null && joins && !next.brokenBefore) {
      this.#found.nextBatch = header.firstBatch;
      return;
    }
    const hole = end.hole ?? {
      offsetBytes: end.endBytes,
      batchSequence: end.lastBatch + 1,
      reason: next.brokenBefore ? 'the segments behind it are missing' : 'records are missing here',
    };
    if (header.baseIndex > this.#snapshot.index) {
      this.#endAt(segment, bytes, { ...end, hole });
      return;
    }
    this.#sayCovered(segment, hole, endBytes);
    this.#found.replay.resumeAt(header.baseIndex);
    this.#found.nextBatch = header.firstBatch;
  }

  /** The segment that was written last: only here can a write have been torn. */
  async #replayNewest(segment: ChainedSegment, bytes: Uint8Array): Promise<void> {
    this.#keep(segment);
    const end = this.#scan(segment, bytes, bytes.length);
    const { hole, endBytes } = end;
    this.#found.previous = { sequence: segment.sequence, endBytes };
    const goesOn =
      hole !== null && (this.#laterBatch(segment, bytes, hole) !== null || (await this.#suspectsGoOn(hole)));
    if (hole !== null && goesOn) {
      this.#endAt(segment, bytes, { ...end, hole });
      return;
    }
    const zeroToBytes = hole === null ? endBytes : lastNonZero(bytes) + 1;
    const { header } = segment;
    this.#found.tail = { header, positionBytes: endBytes, sizeBytes: bytes.length, zeroToBytes };
    if (hole === null) return;
    const lostBytes = zeroToBytes - endBytes;
    this.#say('tornTail', segment.name, { offsetBytes: endBytes, lostBytes }, [
      `cut a torn write of ${lostBytes} bytes at offset ${endBytes} of ${segment.name}`,
      `(${hole.reason} at ${hole.offsetBytes}); it had not been acknowledged`,
    ]);
  }

  /** Scans, and goes on behind each hole that the snapshot covers. A hole that ends the log is the caller's. */
  #scan(segment: ChainedSegment, bytes: Uint8Array, endBytes: number): ScanEnd {
    const { replay } = this.#found;
    let offset = SEGMENT_HEADER_BYTES;
    let batch = this.#found.nextBatch;
    for (;;) {
      const from = { header: segment.header, offset, batch, endBytes, keepPartial: false };
      const end = scanSegment(bytes, from, replay);
      this.#reach(end.maxIndex);
      this.#found.nextBatch = end.lastBatch + 1;
      const later =
        end.hole === null ? null : this.#laterBatch(segment, bytes.subarray(0, endBytes), end.hole);
      if (end.hole === null || later === null || later.head.lastIndexBefore > this.#snapshot.index)
        return end;
      this.#sayCovered(segment, end.hole, later.offsetBytes);
      replay.resumeAt(later.head.lastIndexBefore);
      offset = later.offsetBytes;
      batch = later.head.batchSequence;
    }
  }

  #laterBatch(segment: ChainedSegment, bytes: Uint8Array, hole: Hole): ReturnType<typeof findLaterBatch> {
    const { logId, sequence } = segment.header;
    const wanted = { logId, segmentSequence: sequence, afterBatch: hole.batchSequence };
    return findLaterBatch(bytes, hole.offsetBytes, wanted);
  }

  /** Whether a segment without a sound header holds a batch of behind the hole. */
  async #suspectsGoOn(hole: Hole): Promise<boolean> {
    for (const { sequence, ...suspect } of this.#files.suspects) {
      const wanted = { logId: this.#files.logId, segmentSequence: sequence, afterBatch: hole.batchSequence };
      if (findLaterBatch(await this.#read(suspect), 0, wanted) !== null) return true;
    }
    return false;
  }

  /** Corruption. The whole records before the hole stay; what is behind it only tells how far the log had come. */
  #endAt(segment: ChainedSegment, bytes: Uint8Array, end: ScanEnd & { hole: Hole }): void {
    const { replay, previous } = this.#found;
    const { hole } = end;
    const from = { header: segment.header, offset: end.endBytes, batch: hole.batchSequence };
    const partial = scanSegment(bytes, { ...from, endBytes: hole.offsetBytes, keepPartial: true }, replay);
    this.#reach(partial.maxIndex);
    previous.endBytes = hole.offsetBytes;
    this.#openBeyond(end.lastBatch);
    const lostBytes = Math.max(0, lastNonZero(bytes) + 1 - hole.offsetBytes);
    this.#sayCorrupt(segment, { offsetBytes: hole.offsetBytes, lostBytes }, hole.reason);
    this.#survey(bytes, hole.offsetBytes, segment.sequence);
  }

  #endBefore(segment: SegmentFile, reason: string): void {
    this.#openBeyond(0);
    this.#sayCorrupt(segment, { offsetBytes: 0, lostBytes: 0 }, reason);
  }

  #openBeyond(lastBatch: number): void {
    const { lastIndex, hardState, refetchIndex } = this.#found.replay;
    this.#beyond = { lastIndex, lastBatch, hardState, refetchIndex };
  }

  #surveyAside(segment: SegmentFile, bytes: Uint8Array): void {
    this.#found.setAside.push(segment.name);
    this.#survey(bytes, 0, segment.sequence);
  }

  /** Follows the whole batches behind a hole. */
  #survey(bytes: Uint8Array, start: number, sequence: number): void {
    const beyond = this.#beyond;
    if (beyond === null) return;
    let at = start;
    for (;;) {
      const wanted = { logId: this.#files.logId, segmentSequence: sequence, afterBatch: beyond.lastBatch };
      const later = findLaterBatch(bytes, at, wanted);
      if (later === null) return;
      beyond.lastBatch = later.head.batchSequence;
      beyond.lastIndex = lastIndexOfBatch(bytes, later);
      beyond.hardState = later.head.hardState;
      beyond.refetchIndex = later.head.refetchIndex;
      at = later.offsetBytes + BATCH_HEAD_BYTES;
    }
  }

  /** Segments behind the chain without a header: torn when they were begun, unless batches stand in them. */
  async #judgeSuspects(): Promise<void> {
    for (const suspect of this.#files.suspects) {
      const bytes = await this.#read(suspect);
      const firstBatch = this.#found.nextBatch;
      const wanted = { logId: this.#files.logId, segmentSequence: suspect.sequence, afterBatch: firstBatch };
      if (this.#beyond === null && findLaterBatch(bytes, 0, wanted) === null) {
        this.#found.discard.push(suspect.name);
        const lostBytes = lastNonZero(bytes) + 1;
        this.#say('tornTail', suspect.name, { offsetBytes: 0, lostBytes }, [
          `cut a torn write of ${lostBytes} bytes at the beginning of ${suspect.name};`,
          'it had not been acknowledged',
        ]);
        continue;
      }
      if (this.#beyond === null) {
        this.#found.tail = null;
        this.#openBeyond(firstBatch - 1);
        this.#sayCorrupt(
          suspect,
          { offsetBytes: 0, lostBytes: lastNonZero(bytes) + 1 },
          'its header is not whole',
        );
      }
      this.#surveyAside(suspect, bytes);
    }
  }

  #finish(): void {
    const { replay } = this.#found;
    const beyond = this.#beyond;
    if (beyond !== null) {
      replay.hardState = beyond.hardState;
      this.#found.nextBatch = Math.max(this.#found.nextBatch, beyond.lastBatch + 1);
      this.#found.nextSequence = this.#files.highestSequence + 1;
      this.#found.tail = null;
    }
    const refetchIndex = beyond?.refetchIndex ?? replay.refetchIndex;
    // A log that was no longer behind the hole than before it may have been cut and written anew in the hole: what
    // stands before it must not pass for the whole, so it misses at least one entry more.
    const kept =
      beyond !== null && beyond.lastIndex <= replay.lastIndex ? replay.lastIndex + 1 : replay.lastIndex;
    const known = Math.max(beyond?.lastIndex ?? 0, refetchIndex, kept, this.#snapshot.index);
    this.#found.lastDurableIndexKnown = known;
    if (this.#files.chain.length > 0) this.#fitSnapshot();
    this.#judgeLostSnapshot();
  }

  /**
   * A snapshot that was in force is corrupt, and the log does not hold what it stood for: the log was about to give
   * way to it, and may be of another history. It gives way now, and what the snapshot held is refetched. [W8]
   */
  #judgeLostSnapshot(): void {
    const lost = this.#lostSnapshot;
    const { replay } = this.#found;
    if (lost === null || lost.index <= this.#snapshot.index) return;
    if (replay.entries[lost.index - replay.entriesBase - 1]?.term === lost.term) return;
    const [oldest] = this.#files.chain;
    if (oldest !== undefined) {
      const what = `the snapshot up to ${lost.index} is corrupt, and the log does not hold what it held`;
      this.#sayCorrupt(oldest, { offsetBytes: 0, lostBytes: 0 }, what);
    }
    this.#restartAtSnapshot(this.#found.setAside);
    this.#found.lastDurableIndexKnown = Math.max(this.#found.lastDurableIndexKnown, lost.index);
  }

  /** A log that does not reach or does not match the snapshot gives way to it, as in figure 13 of the paper. */
  #fitSnapshot(): void {
    const { replay } = this.#found;
    const { index, term } = this.#snapshot;
    const [oldest] = this.#files.chain;
    if (replay.entriesBase > index && oldest !== undefined) {
      this.#sayCorrupt(
        oldest,
        { offsetBytes: 0, lostBytes: 0 },
        `the snapshot up to ${replay.entriesBase} is missing`,
      );
      this.#restartAtSnapshot(this.#found.setAside);
      return;
    }
    const differs = replay.termAtSnapshot !== 0 && term !== 0 && replay.termAtSnapshot !== term;
    if (replay.lastIndex >= index && !differs) return;
    this.#restartAtSnapshot(this.#beyond === null ? this.#found.discard : this.#found.setAside);
    // Entries of another history than the snapshot's were never committed: nothing to refetch.
    if (this.#beyond === null) this.#found.lastDurableIndexKnown = index;
  }

  #restartAtSnapshot(oldSegments: string[]): void {
    const { hardState } = this.#found.replay;
    this.#found.replay = new LogReplay(this.#snapshot, this.#snapshot);
    this.#found.replay.hardState = hardState;
    oldSegments.push(...this.#found.kept.map((kept) => kept.name));
    this.#found.kept = [];
    this.#found.tail = null;
    this.#found.previous = { sequence: 0, endBytes: 0 };
  }

  #keep({ name, sequence, sizeBytes }: SegmentFile): void {
    this.#found.kept.push({ name, sequence, sizeBytes, maxIndex: 0 });
  }

  #reach(maxIndex: number): void {
    const kept = this.#found.kept.at(-1);
    if (kept !== undefined && maxIndex > kept.maxIndex) kept.maxIndex = maxIndex;
  }

  async #read({ name, sizeBytes }: Pick<SegmentFile, 'name' | 'sizeBytes'>): Promise<Uint8Array> {
    const handle = await this.#fs.open(joinPath(this.#folder, name), 'read');
    try {
      const bytes = new Uint8Array(new ArrayBuffer(sizeBytes));
      const length = await handle.read(bytes, 0);
      return length === sizeBytes ? bytes : bytes.subarray(0, length);
    } finally {
      await handle.close();
    }
  }

  #sayCorrupt(segment: SegmentFile, range: { offsetBytes: number; lostBytes: number }, reason: string): void {
    this.#say('corruption', segment.name, range, [
      `corrupt at offset ${range.offsetBytes} of ${segment.name} (${reason}), with later batches behind it;`,
      'kept what is before it',
    ]);
  }

  #sayCovered(segment: SegmentFile, hole: Hole, endBytes: number): void {
    const range = { offsetBytes: hole.offsetBytes, lostBytes: endBytes - hole.offsetBytes };
    this.#say('corruption', segment.name, range, [
      `corrupt at offset ${hole.offsetBytes} of ${segment.name} (${hole.reason});`,
      'the snapshot covers all of it: nothing is lost',
    ]);
  }

  /** In front of what the log needs: damage, or a segment whose first write a crash cut short. It cannot be told which. */
  #sayUnneeded({ name, sizeBytes }: SegmentFile): void {
    this.#say('leftover', name, { offsetBytes: 0, lostBytes: sizeBytes }, [
      `${name} has no whole header and is put aside;`,
      'the snapshot covers all of it: nothing is lost',
    ]);
  }

  #say(
    kind: RecoveryVerdict['kind'],
    file: string,
    range: { offsetBytes: number; lostBytes: number },
    words: readonly string[],
  ): void {
    this.#found.verdicts.push({ kind, file, ...range, message: words.join(' ') });
  }
}

/** -1 when all are zero. */
function lastNonZero(bytes: Uint8Array): number {
  let at = bytes.length - 1;
  while (at >= 0 && bytes[at] === 0) at--;
  return at;
}
