// The seam that every storage call goes through: the real file system, the one in memory and the layer of
// injected faults are interchangeable behind it. Paths are joined with `/`; offsets and sizes are in bytes.
import type { DiskOperation } from '../protocol/faults.ts';

/** The calls that can fail, under the names that faults and errors use. */
export type FileSystemOperation = DiskOperation | 'mkdir' | 'stat' | 'close' | 'lock';

/** What went wrong, in the operating system's words. */
export class FileSystemError extends Error {
  override readonly name = 'FileSystemError';
  readonly operation: FileSystemOperation;
  /** `EIO`, `ENOSPC`, `ENOENT`, `EEXIST`, … */
  readonly code: string;
  readonly path: string;

  constructor(
    facts: { operation: FileSystemOperation; code: string; path: string; detail?: string },
    options?: ErrorOptions,
  ) {
    super(
      `${facts.operation} ${facts.path}: ${facts.code}${facts.detail === undefined ? '' : ` (${facts.detail})`}`,
      options,
    );
    this.operation = facts.operation;
    this.code = facts.code;
    this.path = facts.path;
  }
}

/** `create` fails with EEXIST when the file is there; new files belong to their owner alone. */
export type OpenMode = 'read' | 'write' | 'create';

export interface OpenOptions {
  /**
   * The caller promises that each byte it writes lies over a zero or behind the end of the file, and is
   * written once: an unsynced write can then be undone (power cut) without having been read before.
   */
  overZeros?: boolean | undefined;
  /** `writeDurable` will be called: whatever it needs is made ready now. */
  durableWrites?: boolean | undefined;
}

/** Called once, never from within the call that took it. */
export type Done = (error: FileSystemError | null) => void;

export interface FileHandle {
  readonly path: string;
  /** Fills `into` from `position`; resolves to the bytes read, fewer only at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes all of `bytes`; not durable before the next `sync`. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /**
   * The hot path: writes all of `buffers` one behind the other, and calls back when they survive a power
   * cut. One at a time per handle. The buffers must not change before `done`. Counts as `write` and `sync`.
   */
  writeDurable(buffers: readonly Uint8Array[], position: number, done: Done): void;
  /** Everything written to the file so far becomes durable (its name does not: `syncFolder`). */
  sync(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  close(): Promise<void>;
}

/** Held by one process at a time; a dead process holds nothing. */
export interface FolderLock {
  release(): Promise<void>;
}

/** Every promise rejects with a FileSystemError. */
export interface FileSystem {
  open(path: string, mode: OpenMode, options?: OpenOptions): Promise<FileHandle>;
  /** Replaces `to` when it exists. Durable only after `syncFolder`. */
  rename(from: string, to: string): Promise<void>;
  /** Durable only after `syncFolder`. */
  unlink(path: string): Promise<void>;
  /** Names in the folder, without order. */
  readdir(folder: string): Promise<string[]>;
  /** With all parents, for the owner alone; fine when it exists. */
  mkdir(folder: string): Promise<void>;
  /** Null when there is no such file. */
  stat(path: string): Promise<{ sizeBytes: number } | null>;
  /** Creations, renames and removals in the folder become durable. */
  syncFolder(folder: string): Promise<void>;
  /** Rejects with code `ELOCKED` while a living process holds the folder, saying which one. */
  lockFolder(folder: string): Promise<FolderLock>;
}

export function joinPath(folder: string, name: string): string {
  return `${folder}/${name}`;
}

/** The folder of a path that has one. */
export function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}
