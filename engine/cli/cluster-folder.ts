// The folder of a local cluster: which cluster its data belongs to, one folder a node, and a lock so that two
// commands do not run on the same data.
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { FileSystemError } from '../storage/file-system.ts';
import { lockFolder } from '../storage/folder-lock.ts';
import { UsageError } from './exit-code.ts';

export interface ClusterFolder {
  path: string;
  clusterId: string;
  nodeDir(id: number): string;
  /** Gives the lock back; an ephemeral folder is removed. */
  release(): Promise<void>;
}

const IDENTITY_FILE = 'cluster.json';
/** The number is the process that uses it. */
const EPHEMERAL_NAME = /^quorumlab-(\d+)-\w+$/;

/** A new temporary folder, gone when it is released. Folders that killed processes left behind go now. */
export async function ephemeralFolder(): Promise<ClusterFolder> {
  await removeAbandoned(tmpdir());
  const path = await mkdtemp(join(tmpdir(), `quorumlab-${process.pid}-`));
  return {
    path,
    clusterId: randomUUID(),
    nodeDir: (id) => join(path, `n${id}`),
    release: () => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}

async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = Number(EPHEMERAL_NAME.exec(name)?.[1]);
    if (Number.isNaN(pid) || isAlive(pid)) continue;
    // Somebody else's folder, or one that another command removes at this moment: not ours to worry about.
    await rm(join(parent, name), { recursive: true, force: true }).catch(() => {});
  }
}

/** The folder at `path`, made when it is missing. Throws a UsageError when it is in use or of another shape. */
export async function persistentFolder(path: string, nodes: number): Promise<ClusterFolder> {
  const folder = resolve(path);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new UsageError(`--data-dir: ${(error as Error).message}`);
  }
  const lock = await lockFolder(folder).catch((error: unknown) => {
    throw error instanceof FileSystemError ? new UsageError(`--data-dir: ${error.message}`) : error;
  });
  try {
    const clusterId = await identity(folder, nodes);
    return {
      path: folder,
      clusterId,
      nodeDir: (id) => join(folder, `n${id}`),
      release: () => lock.release(),
    };
  } catch (error) {
    await lock.release();
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

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
