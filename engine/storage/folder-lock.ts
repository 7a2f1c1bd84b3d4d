// One process per folder: a file with the holder's pid and start time. A holder that died, even by SIGKILL,
// holds nothing; a pid that was given to another process since is told apart by the start time where the
// system shows it (Linux). Not part of the fault-injected seam: it guards against people, not against disks.
import fs from 'node:fs';
import { FileSystemError, type FolderLock, joinPath } from './file-system.ts';

const LOCK_NAME = 'lock';
const CLAIM_NAME = 'lock.claim';
/** Two processes that find the same stale lock: a few rounds settle who takes it over. */
const ATTEMPTS_MAX = 5;
const ZOMBIE = 'zombie';

interface Holder {
  pid: number;
  /** As the system counts it; empty where it does not say. */
  startedAt: string;
}

/** Locks of this very process, by real path: its own pid is alive, so the file cannot tell. */
const heldHere = new Set<string>();

export async function lockFolder(folder: string): Promise<FolderLock> {
  const realFolder = await fs.promises.realpath(folder).catch((error: NodeJS.ErrnoException) => {
    throw new FileSystemError(
      { operation: 'lock', code: error.code ?? 'UNKNOWN', path: folder },
      { cause: error },
    );
  });
  const path = joinPath(realFolder, LOCK_NAME);
  if (heldHere.has(realFolder)) throw locked(folder, process.pid);
  const self: Holder = { pid: process.pid, startedAt: startOf(process.pid) };
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    if (createExclusively(path, self)) return held(realFolder, path);
    const holder = readHolder(path);
    if (holder !== null && isAlive(holder)) throw locked(folder, holder.pid);
    // The lock is stale (or gone again). Who wins the claim removes it; the others look once more.
    const claim = joinPath(realFolder, CLAIM_NAME);
    if (createExclusively(claim, self)) {
      try {
        const again = readHolder(path);
        if (again === null || !isAlive(again)) fs.rmSync(path, { force: true });
      } finally {
        fs.rmSync(claim, { force: true });
      }
    } else {
      const claimant = readHolder(claim);
      if (claimant === null || !isAlive(claimant)) fs.rmSync(claim, { force: true });
    }
  }
  throw new FileSystemError({
    operation: 'lock',
    code: 'ELOCKED',
    path: folder,
    detail: `several processes are trying to take this folder; try again, or remove ${path} if none runs`,
  });
}

function held(realFolder: string, path: string): FolderLock {
  heldHere.add(realFolder);
  return {
    release: async () => {
      if (!heldHere.delete(realFolder)) return;
      await fs.promises.rm(path, { force: true });
    },
  };
}

function locked(folder: string, pid: number): FileSystemError {
  return new FileSystemError({
    operation: 'lock',
    code: 'ELOCKED',
    path: folder,
    detail: `in use by the running process ${pid}; stop it first, or choose another folder`,
  });
}

/** False when the file exists. The content appears with the name, so a reader never sees half a lock. */
function createExclusively(path: string, holder: Holder): boolean {
  const temporary = `${path}.${holder.pid}`;
  try {
    fs.writeFileSync(temporary, `${JSON.stringify(holder)}\n`, { mode: 0o600 });
    fs.linkSync(temporary, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'ENOSYS') return createWithoutLinks(path, holder);
    throw new FileSystemError({ operation: 'lock', code: code ?? 'UNKNOWN', path }, { cause: error });
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}

/** For file systems that have no hard links (FAT): here a crash may leave an empty lock, which names nobody. */
function createWithoutLinks(path: string, holder: Holder): boolean {
  try {
    fs.writeFileSync(path, `${JSON.stringify(holder)}\n`, { mode: 0o600, flag: 'wx' });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    throw new FileSystemError({ operation: 'lock', code: code ?? 'UNKNOWN', path }, { cause: error });
  }
}

/** Null when there is no lock or it names nobody. */
function readHolder(path: string): Holder | null {
  try {
    const parsed: unknown = JSON.parse(fs.readFileSync(path, 'utf8'));
    if (typeof parsed !== 'object' || parsed === null) return null;
    const { pid, startedAt } = parsed as Partial<Record<keyof Holder, unknown>>;
    if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0) return null;
    return { pid, startedAt: typeof startedAt === 'string' ? startedAt : '' };
  } catch {
    return null;
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: alive, but somebody else's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const startedAt = startOf(holder.pid);
  if (startedAt === ZOMBIE) return false;
  return startedAt === '' || holder.startedAt === '' || startedAt === holder.startedAt;
}

/** Clock ticks since boot at which the process started (field 22 of /proc/PID/stat), with the boot's id. */
function startOf(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may hold spaces: count from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // Dead, but its parent has not asked how it ended: signals still find it.
    if (fields[0] === 'Z' || fields[0] === 'X') return ZOMBIE;
    const ticks = fields[19] ?? '';
    return `${fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${ticks}`;
  } catch {
    return '';
  }
}
