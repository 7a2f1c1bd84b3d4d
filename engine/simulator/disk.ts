// A simulated disk with one log file: one write in flight, batches that come meanwhile share the next (group
// commit), and every way in which a disk lets its owner down. It keeps the contract of engine/storage's LogStore.
import { frameOf } from '../protocol/frame.ts';
import { readU32 } from '../protocol/little-endian.ts';
import type { Entry, HardState } from '../raft/types.ts';
import { encodeBatch, type FoundImage, readImage } from './disk-image.ts';
import type { Random } from './random.ts';
import { ShadowLog } from './shadow-log.ts';
import { SnapshotShelf } from './snapshot-shelf.ts';

export interface DiskBatch {
  hardState: HardState | null;
  entries: readonly Entry[];
}

export interface DiskHost {
  readonly now: () => number;
  readonly schedule: (delay: number, kind: string, run: () => void) => void;
  /** Time that a sync takes when nothing is wrong. */
  readonly syncTime: readonly [min: number, max: number];
  /** The batch is durable, and so is everything before it: the disk's view has just taken it in. */
  readonly batchDurable: (batch: DiskBatch) => void;
  /** A write or sync failed: this disk takes nothing more from this life of the node. */
  readonly failed: () => void;
}

interface QueuedBatch {
  batch: DiskBatch;
  onDurable: () => void;
  /** A snapshot takes the place of everything before. */
  restart: { index: number; term: number } | null;
}

/** Checksum of an entry's frame, which is over its index, term, kind and data. */
export function sumOf(entry: Entry): number {
  return readU32(frameOf(entry), 4);
}

const SECTOR_BYTES = 512;
const NOTHING_SAVED: HardState = { currentTerm: 0, votedFor: 0, commitIndex: 0 };

export class SimulatedDisk {
  /** What is durable and was reported so, for checkers: grows batch by batch, in the order of the reports. */
  durableLog = new ShadowLog();
  durableHardState: HardState = NOTHING_SAVED;
  readonly shelf = new SnapshotShelf();
  /** While entries that were acknowledged are missing. */
  refetchIndex = 0;
  /** The folder was emptied, and the node is not whole again: a mark that stays through restarts. [E14] */
  hasLostMemory = false;
  /** Syncs take this many times as long. */
  slowness = 1;
  isFull = false;
  /** Syncs return no earlier. */
  hungUntil = 0;
  /** The next write or sync fails. */
  isFailing = false;

  readonly #host: DiskHost;
  readonly #random: Random;
  #bytes = new Uint8Array(4096);
  #length = 0;
  /** Where each whole batch begins. */
  #batchStarts: number[] = [];
  #nextSequence = 1;
  #firstSequence = 1;
  /** Last index of the log as written, durable or not. */
  #lastIndexWritten = 0;
  #hardStateWritten: HardState = NOTHING_SAVED;
  #queue: QueuedBatch[] = [];
  #inFlight: { bytes: Uint8Array; batches: QueuedBatch[]; since: number; isRestart: boolean } | null = null;
  /** Rises with each crash: what was under way before never returns. */
  #life = 0;

  constructor(host: DiskHost, random: Random) {
    this.#host = host;
    this.#random = random;
  }

  /** Takes a batch; `onDurable` is called later, in the order of the calls. */
  append(batch: DiskBatch, onDurable: () => void): void {
    this.#queue.push({ batch, onDurable, restart: null });
    this.#begin();
  }

  /** A durable snapshot that ends here takes the place of the log, with all batches so far. [W6] */
  restartAt(point: { index: number; term: number }): void {
    const restart = { index: point.index, term: point.term };
    this.#queue.push({ batch: { hardState: null, entries: [] }, onDurable: () => undefined, restart });
    this.#begin();
  }

  /** Entries up to `index` are covered by a durable snapshot. Does nothing while they are still being written. */
  compact(index: number): void {
    if (this.#inFlight !== null || index > this.durableLog.lastIndex) return;
    const found = readImage(this.#bytes.slice(0, this.#length), {
      base: this.durableLog.baseIndex,
      sequence: this.#firstSequence,
    });
    found.entries = found.entries.filter((entry) => entry.index > index);
    this.durableLog.compact(index);
    this.#rewrite(found);
  }

  /** How long the sync in flight has lasted; 0 when none is. */
  get syncInFlightTime(): number {
    return this.#inFlight === null ? 0 : this.#host.now() - this.#inFlight.since;
  }

  get batchCount(): number {
    return this.#batchStarts.length;
  }

  /** Room again, or a faster disk: what waits goes on. */
  resume(): void {
    this.#begin();
  }

  /** Nothing of what was lost is missing any more. */
  markWhole(): void {
    this.refetchIndex = 0;
    this.hasLostMemory = false;
  }

  /** The folder is emptied while nobody uses it. */
  wipe(): void {
    this.#length = 0;
    this.#batchStarts = [];
    this.#firstSequence = 1;
    this.#nextSequence = 1;
    this.durableLog = new ShadowLog();
    this.durableHardState = NOTHING_SAVED;
    this.hasLostMemory = true;
    this.shelf.clear();
  }

  #begin(): void {
    if (this.#inFlight !== null || this.isFull || this.#queue.length === 0) return;
    const batches = this.#queue;
    this.#queue = [];
    const restart = batches.findLast((queued) => queued.restart !== null)?.restart ?? null;
    const frames: Uint8Array[] = [];
    const lastIndexBefore = restart?.index ?? this.#lastIndexWritten;
    let lastIndex = this.#lastIndexWritten;
    for (const { batch, restart: point } of batches) {
      if (point !== null) {
        frames.length = 0;
        lastIndex = point.index;
      }
      if (batch.hardState !== null) this.#hardStateWritten = batch.hardState;
      for (const entry of batch.entries) {
        if (entry.index > lastIndex + 1)
          throw new RangeError(`entry ${entry.index} after ${lastIndex} for the disk`);
        frames.push(frameOf(entry));
        lastIndex = entry.index;
      }
    }
    const { refetchIndex } = this;
    const hardState = this.#hardStateWritten;
    const sequence = this.#nextSequence;
    const bytes = encodeBatch({ sequence, lastIndexBefore, hardState, refetchIndex }, frames);
    this.#lastIndexWritten = lastIndex;
    this.#inFlight = { bytes, batches, since: this.#host.now(), isRestart: restart !== null };
    this.#awaitSync(Math.ceil(this.#random.within(this.#host.syncTime) * this.slowness));
  }

  #awaitSync(delay: number): void {
    const life = this.#life;
    this.#host.schedule(delay, 'sync', () => {
      if (life !== this.#life) return;
      const hungFor = this.hungUntil - this.#host.now();
      if (hungFor > 0) this.#awaitSync(hungFor);
      else if (this.isFailing) this.#host.failed();
      else this.#finish();
    });
  }

  #finish(): void {
    const written = this.#inFlight;
    if (written === null) return;
    this.#inFlight = null;
    if (written.isRestart) this.#beginFile();
    this.#store(written.bytes);
    this.#nextSequence += 1;
    const life = this.#life;
    for (const { batch, onDurable, restart } of written.batches) {
      if (restart !== null) this.durableLog.restartAt(restart);
      if (batch.hardState !== null) this.durableHardState = batch.hardState;
      for (const entry of batch.entries) this.durableLog.put(entry, sumOf(entry));
      this.#host.batchDurable(batch);
      onDurable();
      // The callback may have brought the node down.
      if (life !== this.#life) return;
    }
    this.#begin();
  }

  /** A new file, in the place of the old one from the moment that its first batch is whole. */
  #beginFile(): void {
    this.#length = 0;
    this.#batchStarts = [];
    this.#firstSequence = this.#nextSequence;
  }

  #store(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + bytes.length));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#batchStarts.push(this.#length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** The node is gone, and with it what was not written; `keepsWritten`: the machine lives on. */
  crash(keepsWritten: boolean): void {
    this.#life += 1;
    this.#queue = [];
    const written = this.#inFlight;
    this.#inFlight = null;
    // A file that was to take the place of another one is not there before it is whole.
    if (written !== null && !written.isRestart) this.#tear(written.bytes, keepsWritten);
    this.isFailing = false;
  }

  /** What is left of the write in flight: nothing, all, a prefix, or some sectors. */
  #tear(bytes: Uint8Array, keepsWritten: boolean): void {
    const random = this.#random;
    const fate = keepsWritten ? 0.3 : random.next();
    if (fate < 0.25) return;
    let left = bytes;
    if (fate >= 0.4) {
      left = bytes.slice();
      if (fate < 0.7) left = left.subarray(0, random.below(bytes.length + 1));
      else dropSectors(left, this.#length, random);
    }
    this.#store(left);
    // Not a whole batch, as far as anybody knows.
    this.#batchStarts.pop();
  }

  /** Turns over one bit in a durable batch that another one stands behind. False when there is none. */
  flipBit(): boolean {
    const last = this.#batchStarts.length - 1;
    if (last < 1) return false;
    // Every other time among the latest, where entries were replaced or are not committed yet.
    const first = this.#random.chance(0.5) ? Math.max(0, last - 4) : 0;
    const at = this.#random.within([this.#batchStarts[first] as number, this.#batchStarts[last] as number]);
    this.#bytes[at] = (this.#bytes[at] as number) ^ (1 << this.#random.below(8));
    return true;
  }

  /** What a starting node finds. The disk is put in order, durably, before the node hears of it. */
  start(): FoundImage {
    const bytes = this.#bytes.slice(0, this.#length);
    const found = readImage(bytes, { base: this.durableLog.baseIndex, sequence: this.#firstSequence });
    const lastIndex = this.durableLog.baseIndex + found.entries.length;
    this.refetchIndex = found.lastDurableIndexKnown > lastIndex ? found.lastDurableIndexKnown : 0;
    if (found.verdict === 'corruption') this.#rewrite(found);
    else this.#cut(found);
    const log = new ShadowLog();
    const { baseIndex, baseTerm } = this.durableLog;
    log.restartAt({ index: baseIndex, term: baseTerm });
    for (const entry of found.entries) log.put(entry, sumOf({ ...entry }));
    this.durableLog = log;
    this.#fitSnapshot(found);
    this.#judgeLostSnapshot(found);
    this.#hardStateWritten = found.hardState;
    this.durableHardState = found.hardState;
    this.#lastIndexWritten = log.lastIndex;
    return found;
  }

  /** A log that does not reach the snapshot, or does not match it, gives way to it. Paper figure 13 [W6] */
  #fitSnapshot(found: FoundImage): void {
    const { newest } = this.shelf;
    if (newest === null) return;
    const termHere = this.durableLog.termAt(newest.index);
    // Behind a snapshot that was damaged the log may begin too late for the older one: what is between is lost.
    const isMissing = newest.index < this.durableLog.baseIndex;
    if (!isMissing && termHere === newest.term) return;
    this.durableLog.restartAt({ index: newest.index, term: newest.term });
    found.entries = [];
    if (isMissing) found.verdict = 'corruption';
    if (found.verdict !== 'corruption') found.lastDurableIndexKnown = newest.index;
    this.refetchIndex = found.lastDurableIndexKnown > newest.index ? found.lastDurableIndexKnown : 0;
    this.#rewrite(found);
  }

  /** A log that does not hold what a damaged snapshot held may be of another history, and gives way. [W8] */
  #judgeLostSnapshot(found: FoundImage): void {
    const { lost, newest } = this.shelf;
    const base = { index: newest?.index ?? 0, term: newest?.term ?? 0 };
    if (lost === null || lost.index <= base.index) return;
    if (this.durableLog.termAt(lost.index) === lost.term) return;
    this.durableLog.restartAt(base);
    found.entries = [];
    found.verdict = 'corruption';
    found.lastDurableIndexKnown = Math.max(found.lastDurableIndexKnown, lost.index);
    this.refetchIndex = found.lastDurableIndexKnown;
    this.#rewrite(found);
  }

  #cut(found: FoundImage): void {
    this.#bytes.fill(0, found.endBytes, this.#length);
    this.#length = found.endBytes;
    this.#nextSequence = found.nextSequence;
    this.#batchStarts = batchStartsOf(this.#bytes.subarray(0, this.#length));
  }

  /** A new file with what is left, as if it had been a new segment. */
  #rewrite(found: FoundImage): void {
    const frames = found.entries.map((entry) => frameOf({ ...entry }));
    const { hardState, nextSequence: sequence } = found;
    const { refetchIndex } = this;
    this.#nextSequence = sequence;
    this.#beginFile();
    const lastIndexBefore = this.durableLog.baseIndex;
    this.#store(encodeBatch({ sequence, lastIndexBefore, hardState, refetchIndex }, frames));
    this.#nextSequence = sequence + 1;
  }
}

function dropSectors(bytes: Uint8Array, position: number, random: Random): void {
  for (let start = 0; start < bytes.length; ) {
    const stop = Math.min(
      bytes.length,
      (Math.floor((position + start) / SECTOR_BYTES) + 1) * SECTOR_BYTES - position,
    );
    if (random.chance(0.5)) bytes.fill(0, start, stop);
    start = stop;
  }
}

/** Of a file that is whole. */
function batchStartsOf(bytes: Uint8Array): number[] {
  const starts: number[] = [];
  for (let at = 0; at < bytes.length; at += readU32(bytes, at + 30)) starts.push(at);
  return starts;
}
