// The folder of a local cluster: which cluster its data belongs to, one folder a node, and a lock so that two
// commands do not run on the same data.
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { UsageError } from './exit-code.ts';

export interface ClusterFolder {
  path: string;
  clusterId: string;
  nodeDir(id: number): string;
  /** Gives the lock back; an ephemeral folder is removed. */
  release(): Promise<void>;
}

const IDENTITY_FILE = 'cluster.json';
const LOCK_FILE = 'cluster.lock';

/** A new temporary folder, gone when it is released. */
export async function ephemeralFolder(): Promise<ClusterFolder> {
  const path = await mkdtemp(join(tmpdir(), 'quorumlab-'));
  return {
    path,
    clusterId: randomUUID(),
    nodeDir: (id) => join(path, `n${id}`),
    release: () => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/** The folder at `path`, made when it is missing. Throws a UsageError when it is in use or of another shape. */
export async function persistentFolder(path: string, nodes: number): Promise<ClusterFolder> {
  const folder = resolve(path);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new UsageError(`--data-dir: ${(error as Error).message}`);
  }
  const lock = join(folder, LOCK_FILE);
  await takeLock(lock);
  try {
    const clusterId = await identity(folder, nodes);
    return {
      path: folder,
      clusterId,
      nodeDir: (id) => join(folder, `n${id}`),
      release: () => rm(lock, { force: true }),
    };
  } catch (error) {
    await rm(lock, { force: true });
    throw error;
  }
}

async function identity(folder: string, nodes: number): Promise<string> {
  const file = join(folder, IDENTITY_FILE);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const clusterId = randomUUID();
    await writeFile(file, `${JSON.stringify({ clusterId, nodes })}\n`, { mode: 0o600 });
    return clusterId;
  }
  const found = parseIdentity(text);
  if (found === null) throw new UsageError(`${file} is no cluster's: choose an empty folder`);
  if (found.nodes !== nodes) {
    throw new UsageError(
      `${folder} belongs to a cluster of ${found.nodes} nodes: use --nodes ${found.nodes}, or another folder`,
    );
  }
  return found.clusterId;
}

function parseIdentity(text: string): { clusterId: string; nodes: number } | null {
  try {
    const { clusterId, nodes } = JSON.parse(text) as { clusterId?: unknown; nodes?: unknown };
    return typeof clusterId === 'string' && typeof nodes === 'number' ? { clusterId, nodes } : null;
  } catch {
    return null;
  }
}

async function takeLock(lock: string): Promise<void> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const file = await open(lock, 'wx', 0o600);
      await file.writeFile(`${process.pid}\n`);
      await file.close();
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const owner = Number.parseInt(await readFile(lock, 'utf8').catch(() => ''), 10);
    if (Number.isInteger(owner) && isAlive(owner)) {
      throw new UsageError(`the data is in use by process ${owner}: stop it, or choose another --data-dir`);
    }
    // Its owner was killed.
    await rm(lock, { force: true });
  }
  throw new UsageError(`${lock} cannot be taken: another command starts at this moment`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
