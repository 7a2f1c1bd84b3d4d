// What a snapshot file holds, block by block, for `quorumlab snapshot inspect`. Reads only.
import type { FileSystem } from './file-system.ts';
import type { SnapshotIdentity } from './snapshot-format.ts';
import { SnapshotCorruptError, SnapshotReader } from './snapshot-reader.ts';

export interface SnapshotInspection {
  /** Null when the header is not whole. */
  identity: SnapshotIdentity | null;
  sizeBytes: number;
  /** Sound ones, before the first that is not. */
  dataBlocks: number;
  dataBytes: number;
  /** Null when all of it is sound. */
  problem: { offsetBytes: number; message: string } | null;
}

/** Rejects with a FileSystemError when the file cannot be read. */
export async function inspectSnapshot(fs: FileSystem, path: string): Promise<SnapshotInspection> {
  const inspection: SnapshotInspection = {
    identity: null,
    sizeBytes: (await fs.stat(path))?.sizeBytes ?? 0,
    dataBlocks: 0,
    dataBytes: 0,
    problem: null,
  };
  let reader: SnapshotReader | null = null;
  try {
    reader = await SnapshotReader.open(fs, path);
    inspection.identity = reader.identity;
    for (let slice = await reader.read(); slice !== null; slice = await reader.read()) {
      inspection.dataBlocks++;
      inspection.dataBytes += slice.length;
    }
  } catch (error) {
    if (!(error instanceof SnapshotCorruptError)) throw error;
    inspection.problem = { offsetBytes: error.offsetBytes, message: error.message };
  } finally {
    await reader?.close();
  }
  return inspection;
}
