// The folder of a stopped node, for the commands that look into it: held while they do, so that no node starts
// on it meanwhile, and never made when it is not there.
import { stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { installHostCodecs } from '../node/host-codecs.ts';
import { type FileSystem, FileSystemError, type FolderLock, joinPath } from '../storage/file-system.ts';
import { createNodeFileSystem } from '../storage/node-file-system.ts';
import { sequenceOfSegmentName } from '../storage/segment-format.ts';
import { isSnapshotName, snapshotName } from '../storage/snapshot-format.ts';
import { inspectSnapshot, type SnapshotInspection } from '../storage/snapshot-inspect.ts';
import { LogStoreError } from '../storage/types.ts';
import { UnavailableError, UsageError } from './exit-code.ts';

export interface NodeFolder {
  fs: FileSystem;
  /** As it was given, for messages. */
  shown: string;
  path: string;
  lock: FolderLock;
  names: readonly string[];
}

/**
 * Holds the folder while `use` runs. Throws a UsageError when it is not there or a process has it, and an
 * UnavailableError when the disk does not let itself be read or written.
 */
export async function withNodeFolder<Result>(
  shown: string,
  use: (folder: NodeFolder) => Promise<Result>,
): Promise<Result> {
  installHostCodecs();
  const path = resolve(shown);
  const isFolder = await stat(path).then(
    (stats) => stats.isDirectory(),
    () => null,
  );
  if (isFolder === null) throw new UsageError(`${shown} does not exist: give the folder of a stopped node`);
  if (!isFolder) throw new UsageError(`${shown} is a file: give the folder of a stopped node`);
  const fs = createNodeFileSystem();
  try {
    const lock = await takeLock(fs, { path, shown });
    try {
      return await use({ fs, shown, path, lock, names: await fs.readdir(path) });
    } finally {
      await lock.release();
    }
  } catch (error) {
    if (error instanceof LogStoreError && error.code === 'EVERSION') throw new UsageError(error.message);
    if (error instanceof FileSystemError || error instanceof LogStoreError)
      throw new UnavailableError(error.message);
    throw error;
  }
}

async function takeLock(
  fs: FileSystem,
  { path, shown }: { path: string; shown: string },
): Promise<FolderLock> {
  try {
    return await fs.lockFolder(path);
  } catch (error) {
    if (!(error instanceof FileSystemError)) throw error;
    // Nothing can be running on a medium that nothing can write to.
    if (error.code === 'EROFS') return { release: () => Promise.resolve() };
    if (error.code === 'ELOCKED') throw new UsageError(inUse(shown, error.message));
    throw error;
  }
}

function inUse(shown: string, message: string): string {
  const [holder] = /running process \d+/.exec(message) ?? [message];
  return `${shown} is in use by the ${holder}: stop that node first, only a stopped node's folder is opened`;
}

/** Throws a UsageError that says where a log is, when it is not here. */
export function requireLog({ names, shown }: NodeFolder): void {
  if (names.some((name) => sequenceOfSegmentName(name) !== null)) return;
  const nodes = names.filter((name) => /^n\d+$/.test(name)).sort();
  const hint = nodes.length > 0 ? `; its nodes' folders are ${nodes.join(', ')}: give one of them` : '';
  throw new UsageError(`${shown} holds no log (segment-….log)${hint}`);
}

export interface InspectedSnapshot extends SnapshotInspection {
  name: string;
}

/** Newest first; each read to its end. */
export async function inspectSnapshots(folder: NodeFolder): Promise<InspectedSnapshot[]> {
  const inspected: InspectedSnapshot[] = [];
  for (const name of folder.names.filter(isSnapshotName).sort().reverse()) {
    inspected.push(await inspectOneSnapshot(folder, name));
  }
  return inspected;
}

export async function inspectOneSnapshot({ fs, path }: NodeFolder, name: string): Promise<InspectedSnapshot> {
  const inspection = await inspectSnapshot(fs, joinPath(path, name));
  const { identity } = inspection;
  const isNamed = isSnapshotName(name);
  if (isNamed && inspection.problem === null && identity !== null && snapshotName(identity) !== name) {
    const message = `${name} is another snapshot than its name says: ${snapshotName(identity)}`;
    inspection.problem = { offsetBytes: 0, message };
  }
  return { name, ...inspection };
}

/** What the log stands on: the newest sound one, as a start would choose it. Undefined when there is none. */
export function snapshotPoint(
  snapshots: readonly InspectedSnapshot[],
): { index: number; term: number } | undefined {
  const identity = snapshots.find(({ problem }) => problem === null)?.identity;
  if (identity === undefined || identity === null) return undefined;
  return { index: identity.lastIncludedIndex, term: identity.lastIncludedTerm };
}

/** Splits a path to a snapshot file; null for a folder. Throws a UsageError when nothing is there. */
export async function fileOf(shown: string): Promise<{ folder: string; name: string } | null> {
  const path = resolve(shown);
  const stats = await stat(path).catch(() => null);
  if (stats === null)
    throw new UsageError(`${shown} does not exist: give a snapshot, or a stopped node's folder`);
  return stats.isDirectory() ? null : { folder: dirname(path), name: basename(path) };
}
