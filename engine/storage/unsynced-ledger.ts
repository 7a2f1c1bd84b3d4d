// What a real file system has been told but not yet been made to keep: the ranges written since the last sync
// and the names changed since the last folder sync. A power cut takes back a part of it, as a seed says.
import { type FileSystem, FileSystemError, folderOf } from './file-system.ts';
import { type ByteRange, type Random, rangesOutside, tearMask } from './torn-write.ts';

interface UnsyncedRange extends ByteRange {
  /** What stood there; null: zeros, or nothing. */
  before: Uint8Array | null;
}

type NameChange = { kind: 'created'; path: string } | { kind: 'renamed'; from: string; to: string };

/** What a power cut took, for the log and for tests. */
export interface PowerCutReport {
  /** Bytes written and lost. */
  bytesLost: number;
  /** Files that lost something. */
  files: string[];
  /** Names that went back to what they were. */
  namesLost: string[];
}

export class UnsyncedLedger {
  readonly #ranges = new Map<string, UnsyncedRange[]>();
  #names: NameChange[] = [];

  wrote(path: string, range: ByteRange, before: Uint8Array | null): void {
    if (range.end === range.start) return;
    const ranges = this.#ranges.get(path);
    if (ranges === undefined) {
      this.#ranges.set(path, [{ ...range, before }]);
      return;
    }
    const last = ranges.at(-1);
    // A file that is written from front to back stays one range.
    if (last !== undefined && last.before === null && before === null && last.end === range.start) {
      last.end = range.end;
    } else {
      ranges.push({ ...range, before });
    }
  }

  /** Taken out when a sync begins, to be put back if it fails. */
  takeWritten(path: string): () => void {
    const taken = this.#ranges.get(path) ?? [];
    this.#ranges.delete(path);
    return () => {
      this.#ranges.set(path, [...taken, ...(this.#ranges.get(path) ?? [])]);
    };
  }

  created(path: string): void {
    this.#names.push({ kind: 'created', path });
  }

  /** `replaced`: the old file of that name is gone for good, so the change cannot be taken back. */
  renamed(from: string, to: string, replaced: boolean): void {
    const ranges = this.#ranges.get(from);
    this.#ranges.delete(from);
    if (ranges === undefined) this.#ranges.delete(to);
    else this.#ranges.set(to, ranges);
    if (!replaced) this.#names.push({ kind: 'renamed', from, to });
  }

  /** A removal is not taken back: the content is gone with it. */
  removed(path: string): void {
    this.#ranges.delete(path);
    this.#names = this.#names.filter((change) => pathOf(change) !== path);
  }

  syncedFolder(folder: string): void {
    this.#names = this.#names.filter((change) => folderOf(pathOf(change)) !== folder);
  }

  /** Takes back, on `fs`, what `random` says. Nobody else may write meanwhile. */
  async cut(fs: FileSystem, random: Random): Promise<PowerCutReport> {
    const report: PowerCutReport = { bytesLost: 0, files: [], namesLost: [] };
    for (const [path, ranges] of this.#ranges) {
      const bytesLost = await undoWrites(fs, { path, ranges }, random);
      if (bytesLost > 0) report.files.push(path);
      report.bytesLost += bytesLost;
    }
    // Backwards, so that a file created and then renamed goes back step by step.
    for (const change of this.#names.reverse()) {
      if (random() < 0.5) continue;
      try {
        if (change.kind === 'created') await fs.unlink(change.path);
        else await fs.rename(change.to, change.from);
        report.namesLost.push(pathOf(change));
      } catch (error) {
        // A later change of the same name stayed: then this one is no longer there to take back.
        if (!(error instanceof FileSystemError && error.code === 'ENOENT')) throw error;
      }
    }
    return report;
  }
}

function pathOf(change: NameChange): string {
  return change.kind === 'created' ? change.path : change.to;
}

async function undoWrites(
  fs: FileSystem,
  { path, ranges }: { path: string; ranges: readonly UnsyncedRange[] },
  random: Random,
): Promise<number> {
  if ((await fs.stat(path)) === null) return 0;
  let bytesLost = 0;
  const handle = await fs.open(path, 'write');
  try {
    for (const range of ranges.toReversed()) {
      const kept = tearMask({ position: range.start, length: range.end - range.start }, random);
      for (const lost of rangesOutside(range, kept)) {
        bytesLost += lost.end - lost.start;
        await handle.write(bytesBefore(range, lost), lost.start);
      }
    }
  } finally {
    await handle.close();
  }
  return bytesLost;
}

function bytesBefore(range: UnsyncedRange, lost: ByteRange): Uint8Array {
  const bytes = new Uint8Array(lost.end - lost.start);
  if (range.before !== null) {
    bytes.set(range.before.subarray(lost.start - range.start, lost.end - range.start));
  }
  return bytes;
}
