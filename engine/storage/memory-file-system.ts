// A file system in memory that knows what a power cut would leave behind: for tests, crash points and
// simulated disks. It touches no clock, draws no randomness of its own and keeps no real file.
import {
  type Done,
  type FileHandle,
  type FileSystem,
  FileSystemError,
  type FileSystemOperation,
  type FolderLock,
  folderOf,
  type OpenMode,
} from './file-system.ts';
import { type Random, SECTOR_BYTES, tearMask } from './torn-write.ts';

interface UnsyncedWrite {
  position: number;
  bytes: Uint8Array;
}

/** A file, whatever names it has. */
class Inode {
  /** What survives for sure. */
  durable = new Uint8Array(0);
  /** What readers see. Only the first `sizeBytes` count; the rest is room to grow. */
  volatile = new Uint8Array(0);
  sizeBytes = 0;
  /** Since the last sync, in order; a truncation is a write of nothing at its size. */
  unsynced: (UnsyncedWrite | { truncatedTo: number })[] = [];

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    this.#reserve(end);
    this.volatile.set(bytes, position);
    this.sizeBytes = Math.max(this.sizeBytes, end);
    this.unsynced.push({ position, bytes: bytes.slice() });
  }

  truncate(sizeBytes: number): void {
    this.#reserve(sizeBytes);
    if (sizeBytes < this.sizeBytes) this.volatile.fill(0, sizeBytes, this.sizeBytes);
    this.sizeBytes = sizeBytes;
    this.unsynced.push({ truncatedTo: sizeBytes });
  }

  sync(): void {
    if (this.unsynced.length === 0) return;
    if (this.durable.length === this.sizeBytes && this.unsynced.every((change) => 'bytes' in change)) {
      for (const change of this.unsynced)
        if ('bytes' in change) this.durable.set(change.bytes, change.position);
    } else {
      this.durable = this.volatile.slice(0, this.sizeBytes);
    }
    this.unsynced = [];
  }

  /** A file whose content is the durable part, and of each later write what `random` lets through. */
  afterPowerCut(random: Random): Inode {
    const survivor = new Inode();
    survivor.#adopt(this.durable);
    for (const change of this.unsynced) {
      if ('truncatedTo' in change) {
        if (random() < 0.5) survivor.truncate(change.truncatedTo);
        continue;
      }
      const { position, bytes } = change;
      const keeps = tearMask({ position, length: bytes.length }, random);
      for (const range of keeps) {
        survivor.write(bytes.subarray(range.start - position, range.end - position), range.start);
      }
    }
    survivor.durable = survivor.volatile.slice(0, survivor.sizeBytes);
    survivor.unsynced = [];
    return survivor;
  }

  copy(): Inode {
    const twin = new Inode();
    twin.durable = this.durable.slice();
    twin.volatile = this.volatile.slice(0, this.sizeBytes);
    twin.sizeBytes = this.sizeBytes;
    twin.unsynced = [...this.unsynced];
    return twin;
  }

  #adopt(bytes: Uint8Array): void {
    this.volatile = bytes.slice();
    this.sizeBytes = bytes.length;
  }

  #reserve(sizeBytes: number): void {
    if (sizeBytes <= this.volatile.length) return;
    // Sectors, and twice the old room, so that small appends are not quadratic.
    const room = Math.ceil(Math.max(sizeBytes, this.volatile.length * 2) / SECTOR_BYTES) * SECTOR_BYTES;
    const grown = new Uint8Array(room);
    grown.set(this.volatile.subarray(0, this.sizeBytes));
    this.volatile = grown;
  }
}

/** The names of one folder. */
class Folder {
  durable = new Map<string, Inode>();
  volatile = new Map<string, Inode>();
  /** For each name changed since the last sync, what it stood for after each change. */
  unsynced = new Map<string, (Inode | null)[]>();

  set(name: string, inode: Inode | null): void {
    if (inode === null) this.volatile.delete(name);
    else this.volatile.set(name, inode);
    const history = this.unsynced.get(name);
    if (history === undefined) this.unsynced.set(name, [inode]);
    else history.push(inode);
  }

  sync(): void {
    this.durable = new Map(this.volatile);
    this.unsynced.clear();
  }
}

export interface MemoryFileSystem extends FileSystem {
  /**
   * What a machine finds after losing power now: each unsynced write is kept, dropped or torn, each unsynced
   * name stands for one of the files it stood for, as `random` (0 to 1) says. This one is not changed.
   */
  afterPowerCut(random: Random): MemoryFileSystem;
  /** What another process finds after this one was killed: everything written, nobody holding a lock. */
  afterKill(): MemoryFileSystem;
  /** The content of a file as readers see it, a copy; null when there is none. */
  contentOf(path: string): Uint8Array | null;
  /** Replaces or makes a file, durably: bit rot and golden files in tests. */
  plant(path: string, bytes: Uint8Array): void;
  /** Paths of all files, sorted. */
  paths(): string[];
  /** Awaited after each step that changes something; a durable write has two: written, then synced. */
  onStep(afterStep: AfterStep | null): void;
}

export type AfterStep = (operation: FileSystemOperation, path: string) => void | Promise<void>;

export function createMemoryFileSystem(): MemoryFileSystem {
  return new InMemory(new Map());
}

class InMemory implements MemoryFileSystem {
  #afterStep: AfterStep | null = null;
  readonly #folders: Map<string, Folder>;
  readonly #locked = new Set<string>();

  constructor(folders: Map<string, Folder>) {
    this.#folders = folders;
  }

  async open(path: string, mode: OpenMode): Promise<FileHandle> {
    const folder = this.#folder(folderOf(path), 'open');
    const name = nameOf(path);
    let inode = folder.volatile.get(name);
    if (mode === 'create') {
      if (inode !== undefined) throw new FileSystemError({ operation: 'open', code: 'EEXIST', path });
      inode = new Inode();
      folder.set(name, inode);
      await this.#step('open', path);
    }
    if (inode === undefined) throw new FileSystemError({ operation: 'open', code: 'ENOENT', path });
    return new MemoryFileHandle(path, inode, (operation) => this.#step(operation, path));
  }

  onStep(afterStep: AfterStep | null): void {
    this.#afterStep = afterStep;
  }

  async rename(from: string, to: string): Promise<void> {
    const source = this.#folder(folderOf(from), 'rename');
    const target = this.#folder(folderOf(to), 'rename');
    const inode = source.volatile.get(nameOf(from));
    if (inode === undefined) throw new FileSystemError({ operation: 'rename', code: 'ENOENT', path: from });
    source.set(nameOf(from), null);
    target.set(nameOf(to), inode);
    await this.#step('rename', to);
  }

  async unlink(path: string): Promise<void> {
    const folder = this.#folder(folderOf(path), 'unlink');
    if (!folder.volatile.has(nameOf(path))) {
      throw new FileSystemError({ operation: 'unlink', code: 'ENOENT', path });
    }
    folder.set(nameOf(path), null);
    await this.#step('unlink', path);
  }

  async readdir(folder: string): Promise<string[]> {
    return [...this.#folder(folder, 'readdir').volatile.keys()];
  }

  async mkdir(folder: string): Promise<void> {
    // Folders are taken as durable at once: what is at stake here is files and their names.
    if (!this.#folders.has(folder)) this.#folders.set(folder, new Folder());
  }

  async stat(path: string): Promise<{ sizeBytes: number } | null> {
    const inode = this.#folders.get(folderOf(path))?.volatile.get(nameOf(path));
    return inode === undefined ? null : { sizeBytes: inode.sizeBytes };
  }

  async syncFolder(folder: string): Promise<void> {
    this.#folder(folder, 'syncFolder').sync();
    await this.#step('syncFolder', folder);
  }

  async lockFolder(folder: string): Promise<FolderLock> {
    if (this.#locked.has(folder)) {
      throw new FileSystemError({ operation: 'lock', code: 'ELOCKED', path: folder, detail: 'in use here' });
    }
    this.#locked.add(folder);
    return {
      release: async () => {
        this.#locked.delete(folder);
      },
    };
  }

  afterPowerCut(random: Random): MemoryFileSystem {
    return this.#copied(
      (folder, survive) => {
        const names = new Map(folder.durable);
        for (const [name, history] of folder.unsynced) {
          const choices = [folder.durable.get(name) ?? null, ...history];
          const chosen = choices[Math.floor(random() * choices.length)] ?? null;
          if (chosen === null) names.delete(name);
          else names.set(name, chosen);
        }
        return new Map([...names].map(([name, inode]) => [name, survive(inode)]));
      },
      (inode) => inode.afterPowerCut(random),
    );
  }

  afterKill(): MemoryFileSystem {
    return this.#copied(
      (folder, survive) => new Map([...folder.volatile].map(([name, inode]) => [name, survive(inode)])),
      (inode) => {
        const twin = inode.copy();
        twin.sync();
        return twin;
      },
    );
  }

  contentOf(path: string): Uint8Array | null {
    const inode = this.#folders.get(folderOf(path))?.volatile.get(nameOf(path));
    return inode === undefined ? null : inode.volatile.slice(0, inode.sizeBytes);
  }

  plant(path: string, bytes: Uint8Array): void {
    let folder = this.#folders.get(folderOf(path));
    if (folder === undefined) {
      folder = new Folder();
      this.#folders.set(folderOf(path), folder);
    }
    const inode = new Inode();
    inode.write(bytes, 0);
    inode.sync();
    folder.volatile.set(nameOf(path), inode);
    folder.durable.set(nameOf(path), inode);
  }

  paths(): string[] {
    const paths: string[] = [];
    for (const [path, folder] of this.#folders) {
      for (const name of folder.volatile.keys()) paths.push(`${path}/${name}`);
    }
    return paths.sort();
  }

  /** `namesOf` picks what each folder holds; a file with two names stays one file. */
  #copied(
    namesOf: (folder: Folder, survive: (inode: Inode) => Inode) => Map<string, Inode>,
    copy: (inode: Inode) => Inode,
  ): MemoryFileSystem {
    const copies = new Map<Inode, Inode>();
    const survive = (inode: Inode): Inode => {
      const known = copies.get(inode);
      if (known !== undefined) return known;
      const made = copy(inode);
      copies.set(inode, made);
      return made;
    };
    const folders = new Map<string, Folder>();
    for (const [path, folder] of this.#folders) {
      const survivor = new Folder();
      survivor.volatile = namesOf(folder, survive);
      survivor.durable = new Map(survivor.volatile);
      folders.set(path, survivor);
    }
    return new InMemory(folders);
  }

  #folder(path: string, operation: FileSystemOperation): Folder {
    const folder = this.#folders.get(path);
    if (folder === undefined) throw new FileSystemError({ operation, code: 'ENOENT', path });
    return folder;
  }

  #step(operation: FileSystemOperation, path: string): void | Promise<void> {
    if (this.#afterStep !== null) return this.#afterStep(operation, path);
  }
}

class MemoryFileHandle implements FileHandle {
  readonly path: string;
  readonly #inode: Inode;
  readonly #step: (operation: FileSystemOperation) => void | Promise<void>;

  constructor(path: string, inode: Inode, step: (operation: FileSystemOperation) => void | Promise<void>) {
    this.path = path;
    this.#inode = inode;
    this.#step = step;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    const end = Math.min(position + into.length, this.#inode.sizeBytes);
    if (end <= position) return 0;
    into.set(this.#inode.volatile.subarray(position, end));
    return end - position;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    this.#inode.write(bytes, position);
    await this.#step('write');
  }

  writeDurable(buffers: readonly Uint8Array[], position: number, done: Done): void {
    void this.#writeDurable(buffers, position).then(() => done(null));
  }

  async #writeDurable(buffers: readonly Uint8Array[], position: number): Promise<void> {
    this.#inode.write(joined(buffers), position);
    await this.#step('write');
    this.#inode.sync();
    await this.#step('sync');
  }

  async sync(): Promise<void> {
    this.#inode.sync();
    await this.#step('sync');
  }

  async truncate(sizeBytes: number): Promise<void> {
    this.#inode.truncate(sizeBytes);
    await this.#step('truncate');
  }

  async close(): Promise<void> {}
}

function joined(buffers: readonly Uint8Array[]): Uint8Array {
  const [first] = buffers;
  if (buffers.length === 1 && first !== undefined) return first;
  const all = new Uint8Array(buffers.reduce((sum, buffer) => sum + buffer.length, 0));
  let at = 0;
  for (const buffer of buffers) {
    all.set(buffer, at);
    at += buffer.length;
  }
  return all;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
