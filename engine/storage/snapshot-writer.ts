// Writes a snapshot in slices: blocks with CRC into a temporary file, synced piece by piece so that the log's
// own writes never wait behind one large flush. It has a name, and counts, only after `finish`.
import type { FileHandle, FileSystem } from './file-system.ts';
import { readU32 } from './segment-format.ts';
import {
  BLOCK_DATA_BYTES,
  BLOCK_HEADER_BYTES,
  BlockKind,
  encodeHeaderBlock,
  encodeTrailerBlock,
  extendChain,
  type SnapshotIdentity,
  sealBlock,
} from './snapshot-format.ts';

const SYNC_EVERY_BYTES = 2 * 1024 * 1024;

/** One use: write…, then `finish` or `abort`. A rejection of any call leaves only `abort`. */
export class SnapshotWriter {
  readonly identity: SnapshotIdentity;
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #publish: (sizeBytes: number, dataBytes: number) => Promise<void>;
  readonly #onEnd: () => void;
  #block = new Uint8Array(BLOCK_HEADER_BYTES + BLOCK_DATA_BYTES);
  #filled = BLOCK_HEADER_BYTES;
  #position = 0;
  #unsyncedBytes = 0;
  #dataBlocks = 0;
  #dataBytes = 0;
  #chain = 0;
  #ended = false;
  #closed = false;

  constructor(of: {
    fs: FileSystem;
    path: string;
    handle: FileHandle;
    identity: SnapshotIdentity;
    /** Gives the finished, synced file its name. */
    publish: (sizeBytes: number, dataBytes: number) => Promise<void>;
    onEnd: () => void;
  }) {
    this.identity = of.identity;
    this.#fs = of.fs;
    this.#path = of.path;
    this.#handle = of.handle;
    this.#publish = of.publish;
    this.#onEnd = of.onEnd;
  }

  /** Bytes written so far, for a progress figure. */
  get dataBytes(): number {
    return this.#dataBytes;
  }

  /** Takes a copy of `bytes`. Wait for it before the next call: that is the flow control. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#ended) throw new Error('write on a snapshot that has ended');
    let from = 0;
    while (from < bytes.length) {
      const taken = Math.min(bytes.length - from, this.#block.length - this.#filled);
      this.#block.set(bytes.subarray(from, from + taken), this.#filled);
      this.#filled += taken;
      from += taken;
      if (this.#filled === this.#block.length) await this.#flush();
    }
  }

  /** The snapshot is complete, durable and in force when this resolves. */
  async finish(): Promise<void> {
    if (this.#ended) throw new Error('a snapshot ends once');
    if (this.#position === 0) await this.#writeHeader();
    if (this.#filled > BLOCK_HEADER_BYTES) await this.#flush();
    const trailer = { dataBlocks: this.#dataBlocks, dataBytes: this.#dataBytes, chain: this.#chain };
    await this.#append(encodeTrailerBlock(trailer));
    await this.#handle.sync();
    await this.#close();
    await this.#publish(this.#position, this.#dataBytes);
    this.#ended = true;
    this.#onEnd();
  }

  /** Nothing remains; fine to call after a failure, and twice. */
  async abort(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd();
    await this.#close();
    // Gone when its folder's sync was what failed: then it may or may not be in force after a crash.
    if ((await this.#fs.stat(this.#path)) !== null) await this.#fs.unlink(this.#path);
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#handle.close();
  }

  async #writeHeader(): Promise<void> {
    const header = encodeHeaderBlock(this.identity);
    this.#chain = extendChain(0, readU32(header, 4));
    await this.#append(header);
  }

  async #flush(): Promise<void> {
    if (this.#position === 0) await this.#writeHeader();
    const block = this.#block.subarray(0, this.#filled);
    this.#dataBlocks++;
    this.#dataBytes += this.#filled - BLOCK_HEADER_BYTES;
    this.#chain = extendChain(
      this.#chain,
      sealBlock(block, { kind: BlockKind.data, number: this.#dataBlocks }),
    );
    this.#filled = BLOCK_HEADER_BYTES;
    await this.#append(block);
  }

  async #append(block: Uint8Array): Promise<void> {
    await this.#handle.write(block, this.#position);
    this.#position += block.length;
    this.#unsyncedBytes += block.length;
    if (this.#unsyncedBytes < SYNC_EVERY_BYTES) return;
    this.#unsyncedBytes = 0;
    await this.#handle.sync();
  }
}
