// A layer over any file system that makes it fail on request, while in use: errors, delays, hangs, short and
// flipped writes, syncs that lie, and a power cut. Without faults it only notes what is not yet synced.
import type { DiskFault, DiskOperation } from '../protocol/faults.ts';
import { FaultInjector, type Suffering } from './fault-injector.ts';
import {
  type Done,
  type FileHandle,
  type FileSystem,
  FileSystemError,
  type FolderLock,
  type OpenMode,
  type OpenOptions,
} from './file-system.ts';
import { seededRandom } from './seeded-random.ts';
import type { Random } from './torn-write.ts';
import { type PowerCutReport, UnsyncedLedger } from './unsynced-ledger.ts';

export interface FaultyFileSystem extends FileSystem {
  /** Replaces the faults in force; calls that a removed fault held go on. */
  setFaults(faults: readonly DiskFault[]): void;
  /** Those still in force: one with a `countMax` goes by itself. */
  faults(): readonly DiskFault[];
  /**
   * No call returns from now on; of what is not synced a part is dropped or torn, as the seed says. The
   * process must die right after. Not taken back: a removed file, and a file that a rename replaced.
   */
  powerCut(seed: number): Promise<PowerCutReport>;
}

export interface FaultyFileSystemOptions {
  /** For faults with a probability, and for which bit flips. */
  random: Random;
  wait?: ((ms: number) => Promise<void>) | undefined;
  onFaultsChanged?: ((faults: readonly DiskFault[]) => void) | undefined;
}

export function createFaultyFileSystem(
  inner: FileSystem,
  options: FaultyFileSystemOptions,
): FaultyFileSystem {
  return new Faulty(inner, options);
}

/** A real call that the disk itself never finishes must not keep a power cut from happening. */
const SETTLE_MS_MAX = 1000;

class Faulty implements FaultyFileSystem {
  readonly inner: FileSystem;
  readonly random: Random;
  readonly ledger = new UnsyncedLedger();
  readonly #injector: FaultInjector;
  readonly #wait: (ms: number) => Promise<void>;
  readonly #locks = new Set<FolderLock>();
  #cut = false;
  #running = 0;
  #settled: (() => void) | null = null;

  constructor(inner: FileSystem, options: FaultyFileSystemOptions) {
    this.inner = inner;
    this.random = options.random;
    this.#wait = options.wait ?? ((ms) => new Promise((resolve) => void setTimeout(resolve, ms)));
    this.#injector = new FaultInjector({
      random: options.random,
      wait: this.#wait,
      onFaultsChanged: options.onFaultsChanged ?? (() => {}),
    });
  }

  get isCut(): boolean {
    return this.#cut;
  }

  get hasFaults(): boolean {
    return this.#injector.faults.length > 0;
  }

  setFaults(faults: readonly DiskFault[]): void {
    this.#injector.setFaults(faults);
  }

  faults(): readonly DiskFault[] {
    return this.#injector.faults;
  }

  async powerCut(seed: number): Promise<PowerCutReport> {
    this.#cut = true;
    if (this.#running > 0) {
      const settled = new Promise<void>((resolve) => {
        this.#settled = resolve;
      });
      await Promise.race([settled, this.#wait(SETTLE_MS_MAX)]);
    }
    const report = await this.ledger.cut(this.inner, seededRandom(seed));
    // As if the process were dead already: it writes no more.
    for (const lock of this.#locks) await lock.release();
    return report;
  }

  /** Suffers, then runs the real call, which is counted; a cut power never lets go. */
  async run<Value>(
    operations: readonly DiskOperation[],
    path: string,
    call: (suffering: Suffering | null) => Promise<Value>,
  ): Promise<Value> {
    if (this.#cut) return never();
    const suffering = this.hasFaults ? await this.#injector.suffer(operations, path) : null;
    if (this.#cut) return never();
    this.started();
    try {
      if (
        suffering !== null &&
        suffering.error !== null &&
        !suffering.shortWrite &&
        suffering.failed !== 'sync'
      ) {
        throw failure(suffering, path);
      }
      return await call(suffering);
    } finally {
      this.finished();
      if (this.#cut) await never();
    }
  }

  started(): void {
    this.#running++;
  }

  finished(): void {
    this.#running--;
    if (this.#running === 0) this.#settled?.();
  }

  open(path: string, mode: OpenMode, options?: OpenOptions): Promise<FileHandle> {
    return this.run(['open'], path, async () => {
      const handle = await this.inner.open(path, mode, options);
      if (mode === 'create') this.ledger.created(path);
      const sizeBytes = mode === 'write' ? ((await this.inner.stat(path))?.sizeBytes ?? 0) : 0;
      return new FaultyFileHandle(this, handle, { overZeros: options?.overZeros === true, sizeBytes });
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.run(['rename'], to, async () => {
      const replaced = (await this.inner.stat(to)) !== null;
      await this.inner.rename(from, to);
      this.ledger.renamed(from, to, replaced);
    });
  }

  unlink(path: string): Promise<void> {
    return this.run(['unlink'], path, async () => {
      await this.inner.unlink(path);
      this.ledger.removed(path);
    });
  }

  readdir(folder: string): Promise<string[]> {
    return this.run(['readdir'], folder, () => this.inner.readdir(folder));
  }

  mkdir(folder: string): Promise<void> {
    return this.run([], folder, () => this.inner.mkdir(folder));
  }

  stat(path: string): Promise<{ sizeBytes: number } | null> {
    return this.run([], path, () => this.inner.stat(path));
  }

  syncFolder(folder: string): Promise<void> {
    return this.run(['syncFolder'], folder, async (suffering) => {
      if (suffering?.lyingSync === true) return;
      await this.inner.syncFolder(folder);
      this.ledger.syncedFolder(folder);
    });
  }

  async lockFolder(folder: string): Promise<FolderLock> {
    const lock = await this.inner.lockFolder(folder);
    this.#locks.add(lock);
    return {
      release: async () => {
        this.#locks.delete(lock);
        await lock.release();
      },
    };
  }
}

class FaultyFileHandle implements FileHandle {
  readonly path: string;
  readonly #layer: Faulty;
  readonly #inner: FileHandle;
  readonly #overZeros: boolean;
  #sizeBytes: number;
  /** The durable write in flight: one at a time per handle. */
  #durable: { start: number; end: number } = { start: 0, end: 0 };
  #done: Done | null = null;

  constructor(layer: Faulty, inner: FileHandle, file: { overZeros: boolean; sizeBytes: number }) {
    this.path = inner.path;
    this.#layer = layer;
    this.#inner = inner;
    this.#overZeros = file.overZeros;
    this.#sizeBytes = file.sizeBytes;
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#layer.run(['read'], this.path, async (suffering) => {
      const length = await this.#inner.read(into, position);
      if (suffering?.bitFlip === true) flipBit(into.subarray(0, length), this.#layer.random);
      return length;
    });
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return this.#layer.run(['write'], this.path, (suffering) => this.#writePlain(bytes, position, suffering));
  }

  writeDurable(buffers: readonly Uint8Array[], position: number, done: Done): void {
    if (this.#layer.hasFaults || this.#layer.isCut) {
      this.#writeDurableSuffering(buffers, position).then(
        () => done(null),
        (error: FileSystemError) => done(error),
      );
      return;
    }
    let end = position;
    for (const buffer of buffers) end += buffer.length;
    this.#durable.start = position;
    this.#durable.end = end;
    this.#done = done;
    this.#layer.started();
    this.#inner.writeDurable(buffers, position, this.#onDurable);
  }

  readonly #onDurable: Done = (error) => {
    const done = this.#done;
    this.#done = null;
    this.#sizeBytes = Math.max(this.#sizeBytes, this.#durable.end);
    if (this.#layer.isCut) {
      // It reached the disk, but its caller will never know: the cut may take it back.
      if (this.#overZeros) this.#layer.ledger.wrote(this.path, { ...this.#durable }, null);
      this.#layer.finished();
      return;
    }
    this.#layer.finished();
    done?.(error);
  };

  sync(): Promise<void> {
    return this.#layer.run(['sync'], this.path, async (suffering) => {
      if (suffering !== null && suffering.error !== null) throw failure(suffering, this.path);
      if (suffering?.lyingSync === true) return;
      const putBack = this.#layer.ledger.takeWritten(this.path);
      try {
        await this.#inner.sync();
      } catch (error) {
        putBack();
        throw error;
      }
    });
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#layer.run(['truncate'], this.path, async () => {
      await this.#inner.truncate(sizeBytes);
      this.#sizeBytes = sizeBytes;
    });
  }

  close(): Promise<void> {
    return this.#layer.run([], this.path, () => this.#inner.close());
  }

  /** Notes what it covers before it writes; what was there is read first where it cannot be known. */
  async #writePlain(bytes: Uint8Array, position: number, suffering: Suffering | null): Promise<void> {
    let taken = bytes;
    if (suffering?.bitFlip === true) {
      taken = bytes.slice();
      flipBit(taken, this.#layer.random);
    }
    if (suffering?.shortWrite === true) taken = taken.subarray(0, Math.floor(taken.length / 2));
    const before = await this.#readBefore(taken.length, position);
    this.#layer.ledger.wrote(this.path, { start: position, end: position + taken.length }, before);
    await this.#inner.write(taken, position);
    this.#sizeBytes = Math.max(this.#sizeBytes, position + taken.length);
    if (suffering !== null && suffering.error !== null) throw failure(suffering, this.path);
  }

  async #readBefore(length: number, position: number): Promise<Uint8Array | null> {
    if (this.#overZeros || position >= this.#sizeBytes) return null;
    const before = new Uint8Array(length);
    await this.#inner.read(before, position);
    return before;
  }

  /** The slow way: a plain write, then a sync, unless a fault comes between. */
  #writeDurableSuffering(buffers: readonly Uint8Array[], position: number): Promise<void> {
    return this.#layer.run(['write', 'sync'], this.path, async (suffering) => {
      await this.#writePlain(joined(buffers), position, suffering);
      if (suffering?.lyingSync === true) return;
      const putBackAll = this.#layer.ledger.takeWritten(this.path);
      try {
        await this.#inner.sync();
      } catch (error) {
        putBackAll();
        throw error;
      }
      if (this.#layer.isCut) putBackAll();
    });
  }
}

function failure(suffering: Suffering, path: string): FileSystemError {
  const { failed, error } = suffering;
  return new FileSystemError({ operation: failed, code: error ?? 'EIO', path, detail: 'injected' });
}

function flipBit(bytes: Uint8Array, random: Random): void {
  if (bytes.length === 0) return;
  const bit = Math.floor(random() * bytes.length * 8);
  const at = bit >> 3;
  bytes[at] = (bytes[at] as number) ^ (1 << (bit & 7));
}

function joined(buffers: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(buffers.reduce((sum, buffer) => sum + buffer.length, 0));
  let at = 0;
  for (const buffer of buffers) {
    all.set(buffer, at);
    at += buffer.length;
  }
  return all;
}

function never(): Promise<never> {
  return new Promise(() => {});
}
