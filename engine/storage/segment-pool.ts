// Prepares the next segment while the current one is written: filled with zeros, synced, named. A full disk
// shows here first, while the current segment still has room: that room is the log's reserve.
import { type FileHandle, type FileSystem, FileSystemError, joinPath } from './file-system.ts';
import { segmentName } from './segment-format.ts';

export interface PreparedSegment {
  name: string;
  sequence: number;
  handle: FileHandle;
  sizeBytes: number;
}

export interface SegmentPoolOptions {
  fs: FileSystem;
  folder: string;
  segmentBytes: number;
  firstSequence: number;
  /** Raised when there is no room for the next segment, cleared when there is again. */
  onNoSpace: (noSpace: boolean) => void;
  /** Anything but a full disk. */
  onError: (error: FileSystemError) => void;
  /** How often a full disk is tried again, and how that wait is made. */
  retryMs: number;
  wait: (ms: number) => Promise<void>;
}

/** Small enough that a log write never waits long behind one, large enough to be quick. */
const FILL_BYTES = 256 * 1024;
const ZEROS = new Uint8Array(FILL_BYTES);

export class SegmentPool {
  readonly #options: SegmentPoolOptions;
  #nextSequence: number;
  #ready: PreparedSegment | null = null;
  #preparing: Promise<PreparedSegment> | null = null;
  #closed = false;

  constructor(options: SegmentPoolOptions) {
    this.#options = options;
    this.#nextSequence = options.firstSequence;
  }

  /** Starts preparing unless a segment is ready or on its way. */
  prepare(): void {
    if (this.#ready !== null || this.#preparing !== null || this.#closed) return;
    const preparing = this.#prepareUntilDone(this.#nextSequence++);
    this.#preparing = preparing;
    preparing.then(
      (segment) => {
        if (this.#preparing !== preparing) return;
        this.#preparing = null;
        this.#ready = segment;
      },
      (error: unknown) => {
        if (!this.#closed) this.#options.onError(error as FileSystemError);
      },
    );
  }

  /** The next segment if it is ready and large enough, without a wait. */
  takeReady(sizeBytesMin: number): PreparedSegment | null {
    const segment = this.#ready;
    if (segment === null || segment.sizeBytes < sizeBytesMin) return null;
    this.#ready = null;
    return segment;
  }

  /** The next segment, enlarged when it must hold more than usual. */
  async take(sizeBytesMin: number): Promise<PreparedSegment> {
    this.prepare();
    const segment = this.#ready ?? (await this.#preparing);
    if (segment === null) throw new Error('a closed pool prepares nothing');
    this.#ready = null;
    if (segment.sizeBytes < sizeBytesMin) {
      await this.#untilRoom(() => this.#fill(segment, sizeBytesMin));
    }
    return segment;
  }

  /** Waits for what is under way; a segment that was ready stays on disk, blank. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#preparing?.catch(() => undefined);
    await this.#ready?.handle.close();
    this.#ready = null;
  }

  async #prepareUntilDone(sequence: number): Promise<PreparedSegment> {
    const { fs, folder, segmentBytes } = this.#options;
    const name = segmentName(sequence);
    const path = joinPath(folder, name);
    const handle = await this.#untilRoom(() =>
      fs.open(path, 'create', { overZeros: true, durableWrites: true }),
    );
    const segment = { name, sequence, handle, sizeBytes: 0 };
    try {
      await this.#untilRoom(() => this.#fill(segment, segmentBytes));
      await this.#untilRoom(() => fs.syncFolder(folder));
      return segment;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async #fill(segment: PreparedSegment, sizeBytes: number): Promise<void> {
    let at = segment.sizeBytes;
    while (at < sizeBytes) {
      if (this.#closed) throw closedError(this.#options.folder);
      const length = Math.min(FILL_BYTES, sizeBytes - at);
      await segment.handle.write(ZEROS.subarray(0, length), at);
      at += length;
      // Piece by piece, lest one large flush holds up the log's own writes.
      await segment.handle.sync();
    }
    segment.sizeBytes = sizeBytes;
  }

  /**
   * Tries again while the disk is full. Unlike a failed write of EIO this is no page in doubt: what is filled
   * is zeros, filled anew from the start, and nothing counts on it before all of it is synced.
   */
  async #untilRoom<Value>(attempt: () => Promise<Value>): Promise<Value> {
    let full = false;
    for (;;) {
      try {
        const value = await attempt();
        if (full) this.#options.onNoSpace(false);
        return value;
      } catch (error) {
        if (!(error instanceof FileSystemError) || error.code !== 'ENOSPC') throw error;
        if (this.#closed) throw error;
        if (!full) this.#options.onNoSpace(true);
        full = true;
        await this.#options.wait(this.#options.retryMs);
      }
    }
  }
}

function closedError(path: string): FileSystemError {
  return new FileSystemError({ operation: 'close', code: 'ECANCELED', path });
}
