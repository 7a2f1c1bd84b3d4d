// The snapshots of one node: written or received into a temporary file, synced, renamed, folder synced; two are
// kept. A failure at any point changes nothing. When to take one, and what is in it, is the node's business.
import { type FileSystem, FileSystemError, joinPath } from './file-system.ts';
import {
  isSnapshotName,
  PARTIAL_SUFFIX,
  pointOfName,
  type SnapshotIdentity,
  snapshotName,
  TEMPORARY_SUFFIX,
} from './snapshot-format.ts';
import { type IntakePoint, SnapshotIntake, soundPrefixOf } from './snapshot-intake.ts';
import { peekSnapshot, SnapshotReader } from './snapshot-reader.ts';
import { SnapshotWriter } from './snapshot-writer.ts';
import type { RecoveryVerdict } from './types.ts';

export interface SnapshotOnDisk extends SnapshotIdentity {
  name: string;
  sizeBytes: number;
  dataBytes: number;
}

export interface SnapshotStoreOptions {
  fs: FileSystem;
  /** The log's folder; whoever opens this holds its lock. */
  folder: string;
  /** Newest that are kept. */
  keptMax?: number | undefined;
}

const KEPT_MAX = 2;
const SET_ASIDE_SUFFIX = '.bad';

/** Every promise rejects with a FileSystemError when the disk fails; nothing has changed then. */
export class SnapshotStore {
  readonly verdicts: RecoveryVerdict[] = [];
  readonly #fs: FileSystem;
  readonly #folder: string;
  readonly #keptMax: number;
  /** Newest first. */
  #snapshots: SnapshotOnDisk[] = [];
  #newestCorrupt: { index: number; term: number } | null = null;
  /** How often each is held: not removed before it is let go. */
  readonly #holds = new Map<string, number>();
  #writing = false;
  #receiving = false;

  private constructor(options: SnapshotStoreOptions) {
    this.#fs = options.fs;
    this.#folder = options.folder;
    this.#keptMax = options.keptMax ?? KEPT_MAX;
  }

  /** Lists what is there by headers and trailers; the data between is checked when it is read. */
  static async open(options: SnapshotStoreOptions): Promise<SnapshotStore> {
    const store = new SnapshotStore(options);
    const { fs, folder } = options;
    let changed = false;
    for (const name of await fs.readdir(folder)) {
      if (name.endsWith(TEMPORARY_SUFFIX) && isSnapshotName(name.slice(0, -TEMPORARY_SUFFIX.length))) {
        await fs.unlink(joinPath(folder, name));
        store.#say('leftover', name, 'removed a snapshot that was never finished');
        changed = true;
      }
      if (name.endsWith(SET_ASIDE_SUFFIX)) store.#noteCorrupt(name.slice(0, -SET_ASIDE_SUFFIX.length));
      if (!isSnapshotName(name)) continue;
      const peeked = await peekSnapshot(fs, joinPath(folder, name));
      if (peeked !== null && snapshotName(peeked.identity) === name) {
        const { identity, sizeBytes, dataBytes } = peeked;
        store.#snapshots.push({ ...identity, name, sizeBytes, dataBytes });
      } else {
        await store.#setAside(name, 'its header or trailer is not whole');
        changed = true;
      }
    }
    store.#snapshots.sort((left, right) => (left.name < right.name ? 1 : -1));
    if (changed) await fs.syncFolder(folder);
    return store;
  }

  /** Newest first. */
  get snapshots(): readonly SnapshotOnDisk[] {
    return this.#snapshots;
  }

  /** The latest that was ever put aside as corrupt, as long as it lies there: it was in force once. */
  get newestCorrupt(): { index: number; term: number } | null {
    return this.#newestCorrupt;
  }

  /**
   * Entries up to here may leave the log: it must reach back to the oldest snapshot that is kept, in case the
   * newer ones turn out corrupt. 0 when there is none.
   */
  get compactableIndex(): number {
    return this.#snapshots.at(-1)?.lastIncludedIndex ?? 0;
  }

  /** One at a time. A second one while the first is written is a programmer error. */
  async begin(identity: SnapshotIdentity): Promise<SnapshotWriter> {
    if (this.#writing) throw new Error('one snapshot is written at a time');
    this.#writing = true;
    const name = snapshotName(identity);
    const path = joinPath(this.#folder, `${name}${TEMPORARY_SUFFIX}`);
    try {
      await this.#removeIfThere(path);
      const handle = await this.#fs.open(path, 'create');
      return new SnapshotWriter({
        fs: this.#fs,
        path,
        handle,
        identity,
        publish: (sizeBytes, dataBytes) => this.#publish(path, { ...identity, name, sizeBytes, dataBytes }),
        onEnd: () => {
          this.#writing = false;
        },
      });
    } catch (error) {
      this.#writing = false;
      throw error;
    }
  }

  /** Goes on with what an earlier intake of the same snapshot left. Others' leftovers are removed. */
  async beginIntake(point: IntakePoint): Promise<SnapshotIntake> {
    if (this.#receiving) throw new Error('one snapshot is received at a time');
    this.#receiving = true;
    try {
      const name = snapshotName(point);
      const partName = `${name}.${point.totalBytes}${PARTIAL_SUFFIX}`;
      const path = joinPath(this.#folder, partName);
      const names = await this.#fs.readdir(this.#folder);
      for (const other of names) {
        if (other.endsWith(PARTIAL_SUFFIX) && other !== partName)
          await this.#fs.unlink(joinPath(this.#folder, other));
      }
      const resumes = names.includes(partName);
      const offset = resumes ? await soundPrefixOf(this.#fs, path, point.totalBytes) : 0;
      const handle = await this.#fs.open(path, resumes ? 'write' : 'create');
      return new SnapshotIntake({
        fs: this.#fs,
        path,
        handle,
        point,
        offset,
        publish: () => this.#publishReceived(path, name),
        onEnd: () => {
          this.#receiving = false;
        },
      });
    } catch (error) {
      this.#receiving = false;
      throw error;
    }
  }

  /** The data, block by block. Close the reader when done. Rejects with SnapshotCorruptError when it is not sound. */
  read(snapshot: SnapshotOnDisk): Promise<SnapshotReader> {
    return SnapshotReader.open(this.#fs, joinPath(this.#folder, snapshot.name));
  }

  /** A chunk of the file as it is, for InstallSnapshot; shorter at the end. */
  async readChunk(
    snapshot: SnapshotOnDisk,
    range: { offset: number; bytesMax: number },
  ): Promise<Uint8Array> {
    const { name, sizeBytes } = snapshot;
    const bytes = new Uint8Array(Math.max(0, Math.min(range.bytesMax, sizeBytes - range.offset)));
    const handle = await this.#fs.open(joinPath(this.#folder, name), 'read');
    try {
      const length = await handle.read(bytes, range.offset);
      return bytes.subarray(0, length);
    } finally {
      await handle.close();
    }
  }

  /** Keeps a snapshot from being removed, as while it is sent to a follower. Returns how to let go. */
  hold({ name }: SnapshotOnDisk): () => void {
    this.#holds.set(name, (this.#holds.get(name) ?? 0) + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holds.set(name, (this.#holds.get(name) ?? 1) - 1);
    };
  }

  /** A snapshot that turned out corrupt while it was read is put aside. */
  async reject(snapshot: SnapshotOnDisk, reason: string): Promise<void> {
    this.#snapshots = this.#snapshots.filter((other) => other.name !== snapshot.name);
    await this.#setAside(snapshot.name, reason);
    await this.#fs.syncFolder(this.#folder);
  }

  async #publishReceived(path: string, name: string): Promise<void> {
    const peeked = await peekSnapshot(this.#fs, path);
    if (peeked === null) throw new Error('a snapshot that was just verified has no header');
    const { identity, sizeBytes, dataBytes } = peeked;
    await this.#publish(path, { ...identity, name, sizeBytes, dataBytes });
  }

  /** The name makes it count: only after the content is synced, and known only once the folder is. */
  async #publish(path: string, snapshot: SnapshotOnDisk): Promise<void> {
    await this.#fs.rename(path, joinPath(this.#folder, snapshot.name));
    await this.#fs.syncFolder(this.#folder);
    const others = this.#snapshots.filter((other) => other.name !== snapshot.name);
    this.#snapshots = [snapshot, ...others].sort((left, right) => (left.name < right.name ? 1 : -1));
    await this.#removeOld();
  }

  async #removeOld(): Promise<void> {
    const surplus = this.#snapshots
      .slice(this.#keptMax)
      .filter(({ name }) => (this.#holds.get(name) ?? 0) === 0);
    for (const { name } of surplus) {
      await this.#fs.unlink(joinPath(this.#folder, name));
      this.#snapshots = this.#snapshots.filter((other) => other.name !== name);
    }
    if (surplus.length > 0) await this.#fs.syncFolder(this.#folder);
  }

  async #setAside(name: string, reason: string): Promise<void> {
    await this.#fs.rename(joinPath(this.#folder, name), joinPath(this.#folder, `${name}${SET_ASIDE_SUFFIX}`));
    this.#noteCorrupt(name);
    this.#say('snapshotCorrupt', name, `${name} is corrupt (${reason}) and was put aside`);
  }

  #noteCorrupt(name: string): void {
    const point = pointOfName(name);
    if (point !== null && point.index > (this.#newestCorrupt?.index ?? 0)) this.#newestCorrupt = point;
  }

  async #removeIfThere(path: string): Promise<void> {
    try {
      await this.#fs.unlink(path);
    } catch (error) {
      if (!(error instanceof FileSystemError && error.code === 'ENOENT')) throw error;
    }
  }

  #say(kind: RecoveryVerdict['kind'], file: string, message: string): void {
    this.verdicts.push({ kind, file, offsetBytes: 0, lostBytes: 0, message });
  }
}
