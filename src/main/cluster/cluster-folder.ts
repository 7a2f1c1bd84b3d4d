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
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import type { NodeId } from '../../../engine/raft/types.ts';
import type { FolderFate } from '../../shared/contract.ts';
import { acquirePanelLock, type PanelLock } from './panel-lock.ts';

const CLUSTER_FILE = 'cluster.json';

const clusterFile = z.object({
  version: z.literal(1),
  clusterId: z.string().min(1).max(100),
  createdAt: z.string(),
  /** Nodes that have served in this cluster: an empty folder of one of these is a loss of memory. */
  members: z.array(z.int().min(1)).optional(),
  /** All nodes that this cluster has or had, and their ports. Absent: the founders. */
  nodes: z
    .array(
      z.object({
        nodeId: z.int().min(1),
        client: z.int().min(0).max(65_535),
        peer: z.int().min(0).max(65_535),
        joined: z.boolean(),
        told: z.boolean(),
        present: z.boolean(),
      }),
    )
    .max(1000)
    .optional(),
});

/** A node that the cluster has or had. Ports are 0 until they were chosen. */
export interface NodeRecord {
  nodeId: NodeId;
  client: number;
  peer: number;
  /** It was added to a cluster that was there; false for a founder. */
  joined: boolean;
  /** Its log holds who the members are, committed: what it is started with only says where they are. */
  told: boolean;
  /** False: it has left. What it was is kept, since its id and ports may still stand in logs. */
  present: boolean;
}

/** Folders of nodes that left, when they were to be kept. */
const REMOVED_FOLDER = 'removed';

/** Left by a node that has lost its memory until it has caught up: engine/node/memory-mark.ts. */
const MEMORY_LOST_MARK = 'memory-lost';

export interface ClusterFolder {
  readonly path: string;
  readonly ephemeral: boolean;
  readonly clusterId: string;
  /** By id; those that have left too. */
  readonly nodes: readonly NodeRecord[];
  /** Adds the record, or replaces the one of its id. */
  recordNode(record: NodeRecord): void;
  /** The node has left the cluster. It must not be running. Resolves to where its folder is now; null: nowhere. */
  retire(nodeId: NodeId, fate: FolderFate): string | null;
  nodeDir(nodeId: NodeId): string;
  logPath(nodeId: NodeId): string;
  /** Whether this node has served before, and so remembers votes and entries, or ought to. */
  isMember(nodeId: NodeId): boolean;
  noteMember(nodeId: NodeId): void;
  /** False for an emptied folder, and for one that has not caught up since. */
  hasMemory(nodeId: NodeId): boolean;
  /** Empties one node's folder. The node must not be running. */
  wipe(nodeId: NodeId): void;
  /** Empties the folders of all nodes, those set aside too, goes back to the founders and draws a new cluster id. No node may be running. */
  reset(): void;
  /** Gives the folder free; an ephemeral one is removed. */
  close(): void;
}

export interface ClusterFolderOptions {
  /** Null: a temporary folder that is removed at the end. */
  path: string | null;
  /** The founders: the nodes of a new cluster. */
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
        ? newCluster(root, founders(nodeIds))
        : {
            ...found,
            // Before `members` was written: whoever has a folder has served.
            members: found.members ?? nodeIds.filter((nodeId) => !isEmpty(nodeId)),
            nodes: found.nodes ?? founders(nodeIds),
          };
    // Nobody remembers anything: there is nothing to catch up with, and nobody to join.
    if (facts.nodes.every(({ nodeId }) => isEmpty(nodeId))) {
      facts = { ...facts, members: [], nodes: founders(nodeIds, facts.nodes) };
    }
    const change = (changes: Partial<ClusterFacts>) => {
      facts = { ...facts, ...changes };
      writeClusterFile(root, facts);
    };
    const record = (node: NodeRecord) => {
      const others = facts.nodes.filter(({ nodeId }) => nodeId !== node.nodeId);
      return [...others, node].sort((left, right) => left.nodeId - right.nodeId);
    };
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
        change({ members: [...facts.members, nodeId].sort((left, right) => left - right) });
      },
      get nodes() {
        return facts.nodes;
      },
      recordNode: (node) => change({ nodes: record(node) }),
      retire(nodeId, fate) {
        const known = facts.nodes.find((node) => node.nodeId === nodeId);
        const place = fate === 'setAside' ? setAside(root, nodeDir(nodeId)) : null;
        if (place === null) rmSync(nodeDir(nodeId), { recursive: true, force: true, maxRetries: 3 });
        change({
          members: facts.members.filter((member) => member !== nodeId),
          ...(known === undefined ? {} : { nodes: record({ ...known, present: false }) }),
        });
        return place;
      },
      hasMemory: (nodeId) => !isEmpty(nodeId) && !existsSync(join(nodeDir(nodeId), MEMORY_LOST_MARK)),
      wipe(nodeId) {
        const known = facts.nodes.find((node) => node.nodeId === nodeId);
        if (known?.told) change({ nodes: record({ ...known, told: false }) });
        rmSync(nodeDir(nodeId), { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
      },
      reset() {
        for (const { nodeId } of facts.nodes) rmSync(nodeDir(nodeId), { recursive: true, force: true });
        rmSync(join(root, REMOVED_FOLDER), { recursive: true, force: true });
        facts = newCluster(root, founders(nodeIds, facts.nodes));
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
  nodes: readonly NodeRecord[];
}

/** On the ports that they had, as far as is known. */
function founders(nodeIds: readonly NodeId[], known: readonly NodeRecord[] = []): NodeRecord[] {
  return nodeIds.map((nodeId) => {
    const { client, peer } = known.find((node) => node.nodeId === nodeId) ?? { client: 0, peer: 0 };
    return { nodeId, client, peer, joined: false, told: false, present: true };
  });
}

/** Null when there is no such folder. */
function setAside(root: string, folder: string): string | null {
  if (!existsSync(folder)) return null;
  const at = new Date().toISOString().replace(/[:.]/g, '-');
  const place = join(root, REMOVED_FOLDER, `${basename(folder)}-${at}`);
  mkdirSync(join(root, REMOVED_FOLDER), { recursive: true, mode: 0o700 });
  renameSync(folder, place);
  return place;
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
    throw new Error(
      `${path} cannot be understood. Move it and the folders of the nodes (n1, n2, n3 …) away to start anew.`,
    );
  }
}

function newCluster(root: string, nodes: readonly NodeRecord[]): ClusterFacts {
  const facts = { clusterId: randomUUID(), createdAt: new Date().toISOString(), members: [], nodes };
  writeClusterFile(root, facts);
  return facts;
}

/** Written beside and renamed, so that a crash leaves the old file or the new one. */
function writeClusterFile(root: string, facts: ClusterFacts): void {
  const path = join(root, CLUSTER_FILE);
  const { clusterId, createdAt, members, nodes } = facts;
  const content = { version: 1, clusterId, createdAt, members, nodes };
  writeFileSync(`${path}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
  chmodSync(path, 0o600);
}
