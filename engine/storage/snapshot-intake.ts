// Takes in a snapshot that a leader sends in chunks of its file (InstallSnapshot, Raft paper figure 13). What
// has arrived survives a restart as far as it is made of whole blocks: the leader goes on from there.
import type { FileHandle, FileSystem } from './file-system.ts';
import { BLOCK_HEADER_BYTES, blockLengthAt, readBlock } from './snapshot-format.ts';
import { SnapshotCorruptError, verifySnapshot } from './snapshot-reader.ts';

const SYNC_EVERY_BYTES = 2 * 1024 * 1024;
/** Read at once when the leftover of an earlier intake is looked through. */
const LOOK_BYTES = 1024 * 1024;

export interface IntakePoint {
  lastIncludedIndex: number;
  lastIncludedTerm: number;
  /** Of the leader's file. */
  totalBytes: number;
}

export class SnapshotIntake {
  readonly point: IntakePoint;
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #publish: () => Promise<void>;
  readonly #onEnd: () => void;
  #offset: number;
  #unsyncedBytes = 0;
  #ended = false;
  #busy = false;

  constructor(of: {
    fs: FileSystem;
    path: string;
    handle: FileHandle;
    point: IntakePoint;
    offset: number;
    publish: () => Promise<void>;
    onEnd: () => void;
  }) {
    this.point = of.point;
    this.#fs = of.fs;
    this.#path = of.path;
    this.#handle = of.handle;
    this.#offset = of.offset;
    this.#publish = of.publish;
    this.#onEnd = of.onEnd;
  }

  /** The leader continues here. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * Takes a chunk; resolves to the offset that is wanted next. A chunk that does not begin there, or comes
   * while another is being written, is not taken: the answer tells the leader where to go on.
   */
  async take(offset: number, bytes: Uint8Array): Promise<number> {
    if (this.#ended || this.#busy || offset !== this.#offset) return this.#offset;
    if (offset + bytes.length > this.point.totalBytes) return this.#offset;
    this.#busy = true;
    try {
      await this.#handle.write(bytes, offset);
      this.#unsyncedBytes += bytes.length;
      if (this.#unsyncedBytes >= SYNC_EVERY_BYTES) {
        this.#unsyncedBytes = 0;
        await this.#handle.sync();
      }
      this.#offset += bytes.length;
      return this.#offset;
    } finally {
      this.#busy = false;
    }
  }

  get isComplete(): boolean {
    return this.#offset === this.point.totalBytes;
  }

  /**
   * Checks all of it and puts it in force, durably. Rejects with SnapshotCorruptError when the chunks do not
   * make up the snapshot they were said to be (two leaders' files, say): all is dropped, and begins anew.
   */
  async finish(): Promise<void> {
    if (!this.isComplete) throw new Error(`only ${this.#offset} of ${this.point.totalBytes} bytes are here`);
    await this.#handle.sync();
    try {
      const { lastIncludedIndex, lastIncludedTerm } = await verifySnapshot(this.#fs, this.#path);
      if (
        lastIncludedIndex !== this.point.lastIncludedIndex ||
        lastIncludedTerm !== this.point.lastIncludedTerm
      ) {
        throw new SnapshotCorruptError(
          this.#path,
          0,
          'it is another snapshot than the one that was announced',
        );
      }
    } catch (error) {
      if (error instanceof SnapshotCorruptError) await this.drop();
      throw error;
    }
    this.#ended = true;
    this.#onEnd();
    await this.#handle.close();
    await this.#publish();
  }

  /** Closes, and keeps what has arrived for a later intake of the same snapshot. */
  async pause(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd();
    await this.#handle.close();
  }

  /** Nothing remains. */
  async drop(): Promise<void> {
    if (this.#ended) return;
    await this.pause();
    await this.#fs.unlink(this.#path);
  }
}

/** How much of a leftover can be kept: whole blocks that follow each other. */
export async function soundPrefixOf(fs: FileSystem, path: string, totalBytes: number): Promise<number> {
  const sizeBytes = (await fs.stat(path))?.sizeBytes ?? 0;
  if (sizeBytes > totalBytes) return 0;
  const handle = await fs.open(path, 'read');
  try {
    let offset = 0;
    let number = 0;
    for (;;) {
      const bytes = new Uint8Array(Math.min(LOOK_BYTES, sizeBytes - offset));
      if (bytes.length < BLOCK_HEADER_BYTES) return offset;
      await handle.read(bytes, offset);
      let at = 0;
      for (let block = readBlock(bytes, at); block !== null; block = readBlock(bytes, at)) {
        if (block.number !== number) return offset + at;
        number++;
        at += block.length;
      }
      // A block longer than the look is none; one cut off by it is read from its start.
      if (at === 0 || blockLengthAt(bytes, at) === 0) return offset + at;
      offset += at;
    }
  } finally {
    await handle.close();
  }
}
