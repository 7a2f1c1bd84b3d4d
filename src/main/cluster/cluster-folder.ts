// Where a cluster lives: one folder with cluster.json, a folder per node, and logs. One panel at a time may
// use it; files are for the owner alone.
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
});

export interface ClusterFolder {
  readonly path: string;
  readonly ephemeral: boolean;
  readonly clusterId: string;
  nodeDir(nodeId: NodeId): string;
  logPath(nodeId: NodeId): string;
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
    let clusterId = readClusterId(root) ?? writeClusterId(root);
    const nodeDir = (nodeId: NodeId) => join(root, `n${nodeId}`);
    return {
      path: root,
      ephemeral,
      get clusterId() {
        return clusterId;
      },
      nodeDir,
      logPath: (nodeId) => join(root, 'logs', `n${nodeId}.log`),
      reset() {
        for (const nodeId of nodeIds) rmSync(nodeDir(nodeId), { recursive: true, force: true });
        clusterId = writeClusterId(root);
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

function readClusterId(root: string): string | null {
  const path = join(root, CLUSTER_FILE);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  try {
    return clusterFile.parse(JSON.parse(text)).clusterId;
  } catch {
    throw new Error(`${path} cannot be understood. Move it and the n1, n2, n3 folders away to start anew.`);
  }
}

/** Written beside and renamed, so that a crash leaves the old file or the new one. */
function writeClusterId(root: string): string {
  const clusterId = randomUUID();
  const path = join(root, CLUSTER_FILE);
  const content = { version: 1, clusterId, createdAt: new Date().toISOString() };
  writeFileSync(`${path}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
  chmodSync(path, 0o600);
  return clusterId;
}
