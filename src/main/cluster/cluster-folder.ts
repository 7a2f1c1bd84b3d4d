// Where a cluster lives: one folder with cluster.json, a folder per node, and logs. One panel at a time may
// use it; files are for the owner alone.
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { NodeId } from '../../../engine/raft/types.ts';
import { acquirePanelLock, type PanelLock } from './panel-lock.ts';

const CLUSTER_FILE = 'cluster.json';

const clusterFile = z.object({
  version: z.literal(1),
  clusterId: z.string().min(1).max(100),
  createdAt: z.string(),
  /** Nodes that have served in this cluster: an empty folder of one of these is a loss of memory. */
  members: z.array(z.int().min(1)).optional(),
});

/** Left by a node that has lost its memory until it has caught up: engine/node/memory-mark.ts. */
const MEMORY_LOST_MARK = 'memory-lost';

export interface ClusterFolder {
  readonly path: string;
  readonly ephemeral: boolean;
  readonly clusterId: string;
  nodeDir(nodeId: NodeId): string;
  logPath(nodeId: NodeId): string;
  /** Whether this node has served before, and so remembers votes and entries, or ought to. */
  isMember(nodeId: NodeId): boolean;
  noteMember(nodeId: NodeId): void;
  /** False for an emptied folder, and for one that has not caught up since. */
  hasMemory(nodeId: NodeId): boolean;
  /** Empties one node's folder. The node must not be running. */
  wipe(nodeId: NodeId): void;
  /** Empties the nodes' folders and draws a new cluster id. No node may be running. */
  reset(): void;
  /** Gives the folder free; an ephemeral one is removed. */
  close(): void;
}

export interface ClusterFolderOptions {
  /** Null: a temporary folder that is removed at the end. */
  path: string | null;
  nodeIds: readonly NodeId[];
  /** Who uses it, for the message that another panel would show: `desktop app`, `browser panel`. */
  owner: string;
}

/** Rejects with a plain message when another panel uses the folder or cluster.json cannot be read. */
export async function openClusterFolder({
  path,
  nodeIds,
  owner,
}: ClusterFolderOptions): Promise<ClusterFolder> {
  const ephemeral = path === null;
  const root = path === null ? mkdtempSync(join(tmpdir(), 'quorumlab-')) : resolve(path);
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const lock: PanelLock = await acquirePanelLock(root, owner);
  try {
    const nodeDir = (nodeId: NodeId) => join(root, `n${nodeId}`);
    const isEmpty = (nodeId: NodeId) =>
      !existsSync(nodeDir(nodeId)) || readdirSync(nodeDir(nodeId)).length === 0;
    const found = readClusterFile(root);
    let facts: ClusterFacts =
      found === null
        ? newCluster(root)
        : // Before `members` was written: whoever has a folder has served.
          { ...found, members: found.members ?? nodeIds.filter((nodeId) => !isEmpty(nodeId)) };
    // Nobody remembers anything: there is nothing to catch up with.
    if (nodeIds.every(isEmpty)) facts = { ...facts, members: [] };
    return {
      path: root,
      ephemeral,
      get clusterId() {
        return facts.clusterId;
      },
      nodeDir,
      logPath: (nodeId) => join(root, 'logs', `n${nodeId}.log`),
      isMember: (nodeId) => facts.members.includes(nodeId),
      noteMember(nodeId) {
        if (facts.members.includes(nodeId)) return;
        facts = { ...facts, members: [...facts.members, nodeId].sort((left, right) => left - right) };
        writeClusterFile(root, facts);
      },
      hasMemory: (nodeId) => !isEmpty(nodeId) && !existsSync(join(nodeDir(nodeId), MEMORY_LOST_MARK)),
      wipe(nodeId) {
        rmSync(nodeDir(nodeId), { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
      },
      reset() {
        for (const nodeId of nodeIds) rmSync(nodeDir(nodeId), { recursive: true, force: true });
        facts = newCluster(root);
      },
      close() {
        lock.release();
        if (ephemeral) rmSync(root, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

interface ClusterFacts {
  clusterId: string;
  createdAt: string;
  members: readonly NodeId[];
}

function readClusterFile(root: string): z.infer<typeof clusterFile> | null {
  const path = join(root, CLUSTER_FILE);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  try {
    return clusterFile.parse(JSON.parse(text));
  } catch {
    throw new Error(`${path} cannot be understood. Move it and the n1, n2, n3 folders away to start anew.`);
  }
}

function newCluster(root: string): ClusterFacts {
  const facts = { clusterId: randomUUID(), createdAt: new Date().toISOString(), members: [] };
  writeClusterFile(root, facts);
  return facts;
}

/** Written beside and renamed, so that a crash leaves the old file or the new one. */
function writeClusterFile(root: string, { clusterId, createdAt, members }: ClusterFacts): void {
  const path = join(root, CLUSTER_FILE);
  const content = { version: 1, clusterId, createdAt, members };
  writeFileSync(`${path}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
  chmodSync(path, 0o600);
}
