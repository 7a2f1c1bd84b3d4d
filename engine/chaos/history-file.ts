// The history of a chaos run on disk: one generation of keys after another, each written in one piece when nobody
// uses its keys any more, so that memory holds only the generations in use. The file is what `quorumlab check` reads.
import { type FileHandle, open } from 'node:fs/promises';
import type { HistoryEntry } from '../checker/history.ts';

interface Block {
  generation: number;
  offset: number;
  bytes: number;
}

export class HistoryFile {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #blocks: Block[] = [];
  #size = 0;
  /** Writes go one after another. */
  #last: Promise<void> = Promise.resolve();

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  /** Begins the file anew. */
  static async create(path: string): Promise<HistoryFile> {
    return new HistoryFile(path, await open(path, 'w+', 0o600));
  }

  /** Rejects when the disk of the run itself has no room. */
  append(generation: number, entries: readonly HistoryEntry[]): Promise<void> {
    const bytes = Buffer.from(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    const block = { generation, offset: this.#size, bytes: bytes.length };
    this.#size += bytes.length;
    if (generation > 0) this.#blocks.push(block);
    const written = this.#last.then(async () => {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at, block.offset + at);
        at += bytesWritten;
      }
    });
    this.#last = written.catch(() => {});
    return written;
  }

  /** Every generation as it was written, one at a time. */
  async *blocks(): AsyncGenerator<{ generation: number; entries: HistoryEntry[] }> {
    await this.#last;
    for (const { generation, offset, bytes } of this.#blocks) {
      const buffer = Buffer.alloc(bytes);
      await this.#file.read(buffer, 0, bytes, offset);
      const lines = buffer.toString('utf8').trimEnd().split('\n');
      yield { generation, entries: lines.map((line) => JSON.parse(line) as HistoryEntry) };
    }
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#file.close();
  }
}
