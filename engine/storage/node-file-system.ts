// The file system of the operating system behind the seam. No policy and no faults here.
import fs from 'node:fs';
import {
  type Done,
  type FileHandle,
  type FileSystem,
  FileSystemError,
  type FileSystemOperation,
  type OpenMode,
} from './file-system.ts';
import { lockFolder } from './folder-lock.ts';

export interface NodeFileSystemOptions {
  /**
   * `dsync`: one system call on a descriptor opened with O_DSYNC. `fdatasync`: a write, then a sync.
   * Where O_DSYNC does not reach the platter (macOS) or is unknown (Windows), only the second is safe.
   */
  durableWrite?: 'dsync' | 'fdatasync' | undefined;
}

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

export function createNodeFileSystem(options: NodeFileSystemOptions = {}): FileSystem {
  const durableWrite = options.durableWrite ?? (process.platform === 'linux' ? 'dsync' : 'fdatasync');
  return {
    open: (path, mode, hints) =>
      openFile(path, mode, hints?.durableWrites === true ? durableWrite : 'fdatasync'),
    rename: (from, to) => settle('rename', from, (done) => fs.rename(from, to, done)),
    unlink: (path) => settle('unlink', path, (done) => fs.unlink(path, done)),
    readdir: (folder) => valued('readdir', folder, (done) => fs.readdir(folder, done)),
    mkdir: (folder) =>
      settle('mkdir', folder, (done) =>
        fs.mkdir(folder, { recursive: true, mode: FOLDER_MODE }, (error) => done(error)),
      ),
    stat,
    syncFolder,
    lockFolder,
  };
}

function wrap(operation: FileSystemOperation, path: string, error: NodeJS.ErrnoException): FileSystemError {
  return new FileSystemError({ operation, code: error.code ?? 'UNKNOWN', path }, { cause: error });
}

type NodeDone = (error: NodeJS.ErrnoException | null) => void;

function settle(operation: FileSystemOperation, path: string, run: (done: NodeDone) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    run((error) => (error ? reject(wrap(operation, path, error)) : resolve()));
  });
}

function valued<Value>(
  operation: FileSystemOperation,
  path: string,
  run: (done: (error: NodeJS.ErrnoException | null, value: Value) => void) => void,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    run((error, value) => (error ? reject(wrap(operation, path, error)) : resolve(value)));
  });
}

async function stat(path: string): Promise<{ sizeBytes: number } | null> {
  try {
    const stats = await valued<fs.Stats>('stat', path, (done) => fs.stat(path, done));
    return { sizeBytes: stats.size };
  } catch (error) {
    if (error instanceof FileSystemError && error.code === 'ENOENT') return null;
    throw error;
  }
}

async function syncFolder(folder: string): Promise<void> {
  // Windows has no way to sync a folder: its journal orders metadata by itself.
  if (process.platform === 'win32') return;
  const fd = await valued<number>('syncFolder', folder, (done) => fs.open(folder, 'r', done));
  try {
    await settle('syncFolder', folder, (done) => fs.fsync(fd, done));
  } finally {
    await settle('close', folder, (done) => fs.close(fd, done));
  }
}

const FLAGS: Record<OpenMode, number> = {
  read: fs.constants.O_RDONLY,
  write: fs.constants.O_RDWR,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL,
};

async function openFile(
  path: string,
  mode: OpenMode,
  durableWrite: 'dsync' | 'fdatasync',
): Promise<FileHandle> {
  const fd = await valued<number>('open', path, (done) => fs.open(path, FLAGS[mode], FILE_MODE, done));
  if (durableWrite === 'fdatasync') return new NodeFileHandle(path, fd, fd);
  // A second descriptor: a plain write must not pay for a sync.
  const flags = fs.constants.O_WRONLY | fs.constants.O_DSYNC;
  try {
    const durableFd = await valued<number>('open', path, (done) => fs.open(path, flags, done));
    return new NodeFileHandle(path, fd, durableFd);
  } catch (error) {
    await settle('close', path, (done) => fs.close(fd, done));
    throw error;
  }
}

class NodeFileHandle implements FileHandle {
  readonly path: string;
  readonly #fd: number;
  /** Opened with O_DSYNC; the plain one where a write is followed by a sync. */
  readonly #durableFd: number;

  constructor(path: string, fd: number, durableFd: number) {
    this.path = path;
    this.#fd = fd;
    this.#durableFd = durableFd;
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      let filled = 0;
      const readOn = (): void => {
        fs.read(this.#fd, into, filled, into.length - filled, position + filled, (error, bytes) => {
          if (error) return reject(wrap('read', this.path, error));
          filled += bytes;
          if (bytes === 0 || filled === into.length) return resolve(filled);
          readOn();
        });
      };
      readOn();
    });
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return settle('write', this.path, (done) => writeAll(this.#fd, [bytes], position, done));
  }

  writeDurable(buffers: readonly Uint8Array[], position: number, done: Done): void {
    writeAll(this.#durableFd, buffers, position, (error) => {
      if (error) return done(wrap('write', this.path, error));
      if (this.#durableFd !== this.#fd) return done(null);
      fs.fdatasync(this.#fd, (syncError) => done(syncError ? wrap('sync', this.path, syncError) : null));
    });
  }

  sync(): Promise<void> {
    return settle('sync', this.path, (done) => fs.fdatasync(this.#fd, done));
  }

  truncate(sizeBytes: number): Promise<void> {
    return settle('truncate', this.path, (done) => fs.ftruncate(this.#fd, sizeBytes, done));
  }

  async close(): Promise<void> {
    if (this.#durableFd !== this.#fd) {
      await settle('close', this.path, (done) => fs.close(this.#durableFd, done));
    }
    await settle('close', this.path, (done) => fs.close(this.#fd, done));
  }
}

/** Goes on after a short write: what was not taken is offered once more, and then its error is told. */
function writeAll(fd: number, buffers: readonly Uint8Array[], position: number, done: NodeDone): void {
  let total = 0;
  for (const buffer of buffers) total += buffer.length;
  const step: (error: NodeJS.ErrnoException | null, written: number) => void = (error, written) => {
    if (error) return done(error);
    if (written === total) return done(null);
    if (written === 0) {
      return done(Object.assign(new Error('the write took no bytes'), { code: 'EIO' }));
    }
    writeAll(fd, dropBytes(buffers, written), position + written, done);
  };
  const [first] = buffers;
  if (buffers.length === 1 && first !== undefined) fs.write(fd, first, 0, first.length, position, step);
  else fs.writev(fd, buffers as Uint8Array[], position, step);
}

function dropBytes(buffers: readonly Uint8Array[], count: number): Uint8Array[] {
  const left: Uint8Array[] = [];
  let skip = count;
  for (const buffer of buffers) {
    if (skip >= buffer.length) {
      skip -= buffer.length;
      continue;
    }
    left.push(skip === 0 ? buffer : buffer.subarray(skip));
    skip = 0;
  }
  return left;
}
