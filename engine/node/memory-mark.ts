// A file beside the log: this member lost its memory and is not whole again. It is there before anything else
// is written, so that a crash half-way does not make a voter of a node that only has a beginning. [E14]
import { type FileSystem, FileSystemError, joinPath } from '../storage/file-system.ts';

const MARK_NAME = 'memory-lost';

/**
 * Whether this node has lost its memory. `wasMember`: somebody who must know says that it took part before; a
 * folder with nothing in it then means a loss, and is marked. Rejects with a FileSystemError.
 */
export async function hasLostMemory(
  fs: FileSystem,
  { folder, wasMember }: { folder: string; wasMember: boolean },
): Promise<boolean> {
  await fs.mkdir(folder);
  const path = joinPath(folder, MARK_NAME);
  if ((await fs.stat(path)) !== null) return true;
  const isEmpty = (await fs.readdir(folder)).every((name) => !/\.(log|snap)$/.test(name));
  if (!wasMember || !isEmpty) return false;
  const handle = await fs.open(path, 'create');
  await handle.sync();
  await handle.close();
  await fs.syncFolder(folder);
  return true;
}

/** It has everything back. Until this is on disk a restart begins the catching up anew, which is only slow. */
export async function forgetLoss(fs: FileSystem, folder: string): Promise<void> {
  try {
    await fs.unlink(joinPath(folder, MARK_NAME));
    await fs.syncFolder(folder);
  } catch (error) {
    // A sick disk: the mark stays, and the next start looks again.
    if (!(error instanceof FileSystemError)) throw error;
  }
}
