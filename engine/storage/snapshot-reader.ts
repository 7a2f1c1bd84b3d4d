// Reads a snapshot file block by block, checking each one, and the whole at its end.
import type { FileHandle, FileSystem } from './file-system.ts';
import {
  BLOCK_DATA_BYTES,
  BLOCK_HEADER_BYTES,
  type Block,
  BlockKind,
  blockLengthAt,
  decodeHeaderBlock,
  decodeTrailerBlock,
  extendChain,
  readBlock,
  type SnapshotIdentity,
  TRAILER_BYTES,
} from './snapshot-format.ts';

/** A snapshot that must not be used: the older one, or the leader's, takes its place. */
export class SnapshotCorruptError extends Error {
  override readonly name = 'SnapshotCorruptError';
  readonly path: string;
  readonly offsetBytes: number;

  constructor(path: string, offsetBytes: number, reason: string) {
    super(`${path} is corrupt at offset ${offsetBytes}: ${reason}`);
    this.path = path;
    this.offsetBytes = offsetBytes;
  }
}

/** Several blocks a read: a system call per block would double the time of a start. */
const READ_BYTES = 4 * (BLOCK_HEADER_BYTES + BLOCK_DATA_BYTES);

export class SnapshotReader {
  readonly sizeBytes: number;
  readonly #handle: FileHandle;
  #buffer = new Uint8Array(0);
  /** Where `#buffer` begins in the file, and the next block in it. */
  #bufferStart = 0;
  #at = 0;
  #identity: SnapshotIdentity | null = null;
  #nextNumber = 0;
  #dataBytes = 0;
  #chain = 0;
  #ended = false;

  private constructor(handle: FileHandle, sizeBytes: number) {
    this.#handle = handle;
    this.sizeBytes = sizeBytes;
  }

  /** Rejects with SnapshotCorruptError when there is no sound header, with FileSystemError when it cannot be read. */
  static async open(fs: FileSystem, path: string): Promise<SnapshotReader> {
    const sizeBytes = (await fs.stat(path))?.sizeBytes ?? 0;
    const reader = new SnapshotReader(await fs.open(path, 'read'), sizeBytes);
    try {
      const block = await reader.#nextBlock();
      const identity = decodeHeaderBlock(block);
      if (identity === null) throw reader.#corrupt('no header of a known version');
      reader.#identity = identity;
      return reader;
    } catch (error) {
      await reader.close();
      throw error;
    }
  }

  get identity(): SnapshotIdentity {
    if (this.#identity === null) throw new Error('a reader is only given out with its identity');
    return this.#identity;
  }

  /** Of the data handed out so far. */
  get dataBytes(): number {
    return this.#dataBytes;
  }

  /**
   * The next slice of the data, valid until the next call's result is asked for; null at the end, once the
   * whole has been found sound: only then may the state that was built from it be used.
   */
  async read(): Promise<Uint8Array | null> {
    if (this.#ended) return null;
    const block = await this.#nextBlock();
    if (block.kind === BlockKind.data) {
      this.#dataBytes += block.payload.length;
      return block.payload;
    }
    const before = this.#chainBefore;
    const trailer = decodeTrailerBlock(block);
    if (trailer === null) throw this.#corrupt('a block of an unexpected kind');
    if (trailer.chain !== before || trailer.dataBytes !== this.#dataBytes)
      throw this.#corrupt('blocks are missing');
    if (this.#position !== this.sizeBytes) throw this.#corrupt('something stands behind the trailer');
    this.#ended = true;
    return null;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  #chainBefore = 0;

  get #position(): number {
    return this.#bufferStart + this.#at;
  }

  async #nextBlock(): Promise<Block> {
    let block = readBlock(this.#buffer, this.#at);
    if (block === null) {
      await this.#fill();
      block = readBlock(this.#buffer, this.#at);
    }
    if (block === null) throw this.#corrupt('no whole block stands here');
    if (block.number !== this.#nextNumber)
      throw this.#corrupt(`block ${block.number} instead of ${this.#nextNumber}`);
    this.#nextNumber++;
    this.#at += block.length;
    this.#chainBefore = this.#chain;
    this.#chain = extendChain(this.#chain, block.crc);
    return block;
  }

  /** A fresh buffer from the next block on: views of the old one stay valid. */
  async #fill(): Promise<void> {
    const start = this.#position;
    const known = blockLengthAt(this.#buffer, this.#at);
    const wanted = Math.min(Math.max(READ_BYTES, known), this.sizeBytes - start);
    const buffer = new Uint8Array(Math.max(0, wanted));
    const length = buffer.length === 0 ? 0 : await this.#handle.read(buffer, start);
    this.#buffer = buffer.subarray(0, length);
    this.#bufferStart = start;
    this.#at = 0;
  }

  #corrupt(reason: string): SnapshotCorruptError {
    return new SnapshotCorruptError(this.#handle.path, this.#position, reason);
  }
}

/** Header and trailer, without the data between: enough to list a snapshot. Null when they are not sound. */
export async function peekSnapshot(
  fs: FileSystem,
  path: string,
): Promise<{ identity: SnapshotIdentity; sizeBytes: number; dataBytes: number } | null> {
  let reader: SnapshotReader;
  try {
    reader = await SnapshotReader.open(fs, path);
  } catch (error) {
    if (error instanceof SnapshotCorruptError) return null;
    throw error;
  }
  await reader.close();
  const { sizeBytes, identity } = reader;
  const handle = await fs.open(path, 'read');
  try {
    const bytes = new Uint8Array(TRAILER_BYTES);
    await handle.read(bytes, Math.max(0, sizeBytes - TRAILER_BYTES));
    const block = readBlock(bytes, 0);
    const trailer = block === null ? null : decodeTrailerBlock(block);
    return trailer === null ? null : { identity, sizeBytes, dataBytes: trailer.dataBytes };
  } finally {
    await handle.close();
  }
}

/** Reads all of it. Rejects as SnapshotReader does. */
export async function verifySnapshot(fs: FileSystem, path: string): Promise<SnapshotIdentity> {
  const reader = await SnapshotReader.open(fs, path);
  try {
    while ((await reader.read()) !== null);
    return reader.identity;
  } finally {
    await reader.close();
  }
}
