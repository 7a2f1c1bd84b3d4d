// Opens a folder's log: takes the lock, recovers, puts the disk in order, and hands out the store. Nothing is
// removed before what replaces it is durable, so this may be cut at any point and begun again.
import { randomBytes } from 'node:crypto';
import type { Configuration } from '../raft/types.ts';
import {
  type FileHandle,
  type FileSystem,
  FileSystemError,
  type FolderLock,
  joinPath,
} from './file-system.ts';
import { LogWriter, type OpenedLog } from './log-writer.ts';
import { type FoundLog, recoverLog } from './recovery.ts';
import {
  BATCH_HEAD_BYTES,
  LOG_ID_BYTES,
  SEGMENT_HEADER_BYTES,
  segmentName,
  writeBatchHead,
  writeSegmentHeader,
} from './segment-format.ts';
import { SegmentPool } from './segment-pool.ts';
import { type LogStore, LogStoreError, type Recovered, type RecoveryVerdict } from './types.ts';

export const SEGMENT_BYTES_DEFAULT = 16 * 1024 * 1024;
const GROUP_BYTES_MAX = 8 * 1024 * 1024;
const IDLE_MARK_MS = 500;
const RETRY_MS = 250;
/** What a recovery put out of the log ends in this. */
const SET_ASIDE_SUFFIX = '.bad';

export interface FileLogOptions {
  fs: FileSystem;
  /** Made when it is not there. */
  folder: string;
  /** Called once; the store is dead then. Never for a full disk: `status().noSpace` tells of that. */
  onFatal: (error: LogStoreError) => void;
  /** Of the folder, when it is held already; the log lets go of it when it closes. */
  lock?: FolderLock | undefined;
  /** The snapshot that was loaded; entries up to its index are not asked for. */
  snapshot?: { index: number; term: number; configuration: Configuration | null } | undefined;
  /** A later one that was in force and turned out corrupt. */
  lostSnapshot?: { index: number; term: number } | null;
  segmentBytes?: number | undefined;
  groupBytesMax?: number | undefined;
  /** After so long without a write, an empty one proves the last batch durable; 0: never. */
  idleMarkMs?: number | undefined;
  /** How often a full disk is tried again. */
  retryMs?: number | undefined;
  /** Milliseconds, monotonic. */
  now?: (() => number) | undefined;
  /** Resolves after so many milliseconds; must not keep the process alive. */
  wait?: ((ms: number) => Promise<void>) | undefined;
  /** LOG_ID_BYTES random bytes for a new log. */
  newLogId?: (() => Uint8Array) | undefined;
}

/** Rejects with a LogStoreError: `ELOCKED` when another process has the folder, or what the disk said. */
export async function openFileLog(
  options: FileLogOptions,
): Promise<{ store: LogStore; recovered: Recovered }> {
  const { fs, folder } = options;
  try {
    if (options.lock !== undefined) return await openLocked(options, options.lock);
    await fs.mkdir(folder);
    const lock = await fs.lockFolder(folder);
    try {
      return await openLocked(options, lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    if (!(error instanceof FileSystemError)) throw error;
    throw new LogStoreError(`cannot open the log: ${error.message}`, error.operation, error.code, {
      cause: error,
    });
  }
}

async function openLocked(
  options: FileLogOptions,
  lock: FolderLock,
): Promise<{ store: LogStore; recovered: Recovered }> {
  const { fs, folder } = options;
  const point = { index: options.snapshot?.index ?? 0, term: options.snapshot?.term ?? 0 };
  const found = await recoverLog(fs, folder, point, options.lostSnapshot ?? null);
  const refetchIndex = found.lastDurableIndexKnown > found.replay.lastIndex ? found.lastDurableIndexKnown : 0;
  const { sequence, active } = await openTail(options, found, refetchIndex);
  const setAside = await putInOrder(options, found);

  const opened: OpenedLog = {
    logId: active.logId,
    active: active.segment,
    older: found.kept.filter((segment) => segment.sequence !== active.segment.sequence),
    setAside,
    hardState: found.replay.hardState,
    firstIndex: point.index + 1,
    lastIndex: found.replay.lastIndex,
    lastTerm: found.replay.lastTerm,
    refetchIndex,
    nextBatch: active.nextBatch,
  };
  const wait = options.wait ?? waitUnreferenced;
  const retryMs = options.retryMs ?? RETRY_MS;
  const pool = new SegmentPool({
    fs,
    folder,
    segmentBytes: options.segmentBytes ?? SEGMENT_BYTES_DEFAULT,
    firstSequence: sequence,
    onNoSpace: (noSpace) => store.setPoolFull(noSpace),
    onError: (error) => store.die(error),
    retryMs,
    wait,
  });
  const store = new LogWriter(opened, {
    fs,
    folder,
    lock,
    pool,
    onFatal: options.onFatal,
    groupBytesMax: options.groupBytesMax ?? GROUP_BYTES_MAX,
    idleMarkMs: options.idleMarkMs ?? IDLE_MARK_MS,
    retryMs,
    now: options.now ?? (() => performance.now()),
    wait,
  });
  pool.prepare();
  return { store, recovered: recoveredFrom(found, options.snapshot) };
}

function recoveredFrom(found: FoundLog, snapshot: FileLogOptions['snapshot']): Recovered {
  const verdicts: RecoveryVerdict[] = [...found.verdicts];
  if (found.logId === null && verdicts.length === 0 && snapshot === undefined) {
    const message = 'the folder holds no log: this node has no memory of any vote or entry';
    verdicts.push({ kind: 'folderEmpty', file: '', offsetBytes: 0, lostBytes: 0, message });
  }
  return {
    hardState: found.replay.hardState,
    entries: found.replay.entries,
    lastIncludedIndex: snapshot?.index ?? 0,
    lastIncludedTerm: snapshot?.term ?? 0,
    configuration: snapshot?.configuration ?? null,
    lastDurableIndexKnown: found.lastDurableIndexKnown,
    verdicts,
  };
}

interface Tail {
  logId: Uint8Array;
  segment: OpenedLog['active'];
  nextBatch: number;
}

/** The segment to write on in: the newest, cleaned of a torn write; or a new one. */
async function openTail(
  options: FileLogOptions,
  found: FoundLog,
  refetchIndex: number,
): Promise<{ sequence: number; active: Tail }> {
  const { fs, folder } = options;
  const { tail, nextSequence, nextBatch } = found;
  if (tail === null) {
    const active = await beginSegment(options, found, refetchIndex);
    return { sequence: nextSequence + 1, active };
  }
  const { header, positionBytes, sizeBytes, zeroToBytes } = tail;
  const name = segmentName(header.sequence);
  if (zeroToBytes > positionBytes) await eraseRange(fs, joinPath(folder, name), positionBytes, zeroToBytes);
  const handle = await fs.open(joinPath(folder, name), 'write', { overZeros: true, durableWrites: true });
  const maxIndex = found.kept.at(-1)?.maxIndex ?? 0;
  const segment = { name, sequence: header.sequence, handle, sizeBytes, positionBytes, maxIndex };
  return { sequence: nextSequence, active: { logId: header.logId, segment, nextBatch } };
}

async function eraseRange(fs: FileSystem, path: string, start: number, end: number): Promise<void> {
  const handle = await fs.open(path, 'write');
  try {
    await handle.write(new Uint8Array(end - start), start);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A segment with its header and an empty batch that carries the hard state. */
async function beginSegment(options: FileLogOptions, found: FoundLog, refetchIndex: number): Promise<Tail> {
  const { fs, folder } = options;
  const sizeBytes = options.segmentBytes ?? SEGMENT_BYTES_DEFAULT;
  const { replay, previous, nextSequence: sequence, nextBatch } = found;
  const logId = found.logId ?? options.newLogId?.() ?? new Uint8Array(randomBytes(LOG_ID_BYTES));
  const records = new Uint8Array(SEGMENT_HEADER_BYTES + BATCH_HEAD_BYTES);
  writeSegmentHeader(records, {
    logId,
    sequence,
    previousSequence: previous.sequence,
    previousEndBytes: previous.endBytes,
    baseIndex: replay.lastIndex,
    baseTerm: replay.lastTerm,
    firstBatch: nextBatch,
  });
  writeBatchHead(records, SEGMENT_HEADER_BYTES, {
    logId,
    segmentSequence: sequence,
    batchSequence: nextBatch,
    batchBytes: BATCH_HEAD_BYTES,
    lastIndexBefore: replay.lastIndex,
    hardState: replay.hardState,
    refetchIndex,
  });
  const name = segmentName(sequence);
  const handle = await fs.open(joinPath(folder, name), 'create', { overZeros: true, durableWrites: true });
  await handle.write(new Uint8Array(sizeBytes), 0);
  await handle.sync();
  await fs.syncFolder(folder);
  await writeDurably(handle, records);
  const segment = { name, sequence, handle, sizeBytes, positionBytes: records.length, maxIndex: 0 };
  return { logId, segment, nextBatch: nextBatch + 1 };
}

function writeDurably(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    handle.writeDurable([bytes], 0, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** Removes what holds nothing, and takes what is corrupt out of the log's way. Returns the latter's names. */
async function putInOrder({ fs, folder }: FileLogOptions, found: FoundLog): Promise<string[]> {
  for (const name of found.discard) await fs.unlink(joinPath(folder, name));
  for (const name of found.setAside) {
    await fs.rename(joinPath(folder, name), joinPath(folder, `${name}${SET_ASIDE_SUFFIX}`));
  }
  if (found.discard.length + found.setAside.length > 0) await fs.syncFolder(folder);
  return (await fs.readdir(folder)).filter((name) => name.endsWith(SET_ASIDE_SUFFIX));
}

function waitUnreferenced(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
