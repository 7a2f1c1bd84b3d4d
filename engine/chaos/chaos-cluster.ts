// The cluster of a chaos run: its nodes with their ports and folders, the faults in force on each, and what all of
// them say of themselves.
import { randomInt, randomUUID } from 'node:crypto';
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ExitCode } from '../protocol/control.ts';
import type { DiskEffect, DiskFault, LinkFault } from '../protocol/faults.ts';
import type { NodeEvent } from '../protocol/node-status.ts';
import { ChaosNode } from './chaos-node.ts';

const HOST = '127.0.0.1';
const PEER_OFFSET = 100;
/** Members that may join in one run, one after the other: an id is used for one life only. [M9] */
const SPARES = 60;
/** Below the ports that systems hand out for outgoing connections: one of those could take a dead node's port. */
const PORTS = [20_000, 31_000] as const;
const STATUS_INTERVAL_MS = 100;

export interface ChaosClusterOptions {
  nodes: number;
  /** Leaders serve reads by lease. */
  leaseReads: boolean;
  /** Path of the built engine-node.js. */
  entry: string;
  /** Data of the nodes and their logs go below it. */
  folder: string;
  onEvent: (event: NodeEvent) => void;
  onUnexpectedEnd: (node: ChaosNode, what: string) => void;
}

/** A fault's part on one node. */
export interface NodeFaultPart {
  node: number;
  disk?: readonly DiskFault[];
  links?: readonly LinkFault[];
}

/**
 * So small that snapshots are taken and sent all the time. The rest is as in production, but for timeouts that two
 * busy cores can keep.
 */
const NODE_SETTINGS = {
  snapshotLogBytes: 256 * 1024,
  snapshotTrailingEntries: 500,
  statusIntervalMs: STATUS_INTERVAL_MS,
};

export class ChaosCluster {
  /** All that there are: the founders, then those that may join. */
  readonly #all: readonly ChaosNode[];
  readonly #founders: number;
  /** By the fault's number. */
  readonly #parts = new Map<number, readonly NodeFaultPart[]>();
  readonly #logs: readonly WriteStream[];

  private constructor(all: readonly ChaosNode[], founders: number, logs: readonly WriteStream[]) {
    this.#all = all;
    this.#founders = founders;
    this.#logs = logs;
  }

  /** Those that take part now, or are to be back soon. */
  get nodes(): readonly ChaosNode[] {
    return this.#all.filter((node) => node.isEngaged);
  }

  /** The one that has joined, or is the next to; null when all have come and gone. */
  get spare(): ChaosNode | null {
    return this.#all.find((node) => node.id > this.#founders && !node.isRetired) ?? null;
  }

  /** Client ports of the founders, who never leave. */
  get addresses(): readonly string[] {
    return this.#all.slice(0, this.#founders).map((node) => node.clientAddress);
  }

  /** All nodes are up; that one leads is not waited for. */
  static async start(options: ChaosClusterOptions): Promise<ChaosCluster> {
    for (let attempt = 1; ; attempt++) {
      const cluster = await ChaosCluster.#create(options);
      try {
        await Promise.all(cluster.nodes.map((node) => node.start()));
        return cluster;
      } catch (error) {
        await cluster.kill();
        // Between the look for free ports and the start, somebody else on the machine may have taken one.
        if (attempt === 3 || !String(error).includes('EADDRINUSE')) throw error;
      }
    }
  }

  static async #create({ nodes, leaseReads, entry, folder, onEvent, onUnexpectedEnd }: ChaosClusterOptions) {
    await mkdir(folder, { recursive: true });
    const ids = Array.from({ length: nodes + SPARES }, (_, at) => at + 1);
    const base = await freeBase(ids);
    const clusterId = randomUUID();
    const places = ids.map((id) => ({
      id,
      peer: `${HOST}:${base + PEER_OFFSET + id}`,
      client: `${HOST}:${base + id}`,
    }));
    const logs: WriteStream[] = [];
    let cluster: ChaosCluster | null = null;
    const created = places.map((place): ChaosNode => {
      const { id } = place;
      const isSpare = id > nodes;
      const dataDir = join(folder, `n${id}`);
      let log: WriteStream | null = null;
      const note = (line: string): void => {
        if (log === null) {
          log = createWriteStream(join(folder, `n${id}.log`), { flags: 'a' });
          logs.push(log);
        }
        log.write(`${new Date().toISOString()} ${line}\n`);
      };
      const node: ChaosNode = new ChaosNode({
        ...place,
        entry,
        folder: dataDir,
        isSpare,
        config: {
          clusterId,
          nodeId: id,
          dataDir,
          client: { host: HOST, port: base + id },
          peer: { host: HOST, port: base + PEER_OFFSET + id },
          peers: isSpare ? [...places.slice(0, nodes), place] : places.slice(0, nodes),
          join: isSpare,
          leaseReads,
          ...NODE_SETTINGS,
        },
        onEvent,
        onLine: note,
        onReady: () => cluster?.pushFaults(node),
        onUnexpectedEnd: (what) => onUnexpectedEnd(node, what),
      });
      return node;
    });
    cluster = new ChaosCluster(created, nodes, logs);
    return cluster;
  }

  node(id: number): ChaosNode {
    const node = this.#all[id - 1];
    if (node === undefined) throw new RangeError(`no n${id}`);
    return node;
  }

  get ids(): readonly number[] {
    return this.nodes.map((node) => node.id);
  }

  /** The one that leads in the highest term, as the nodes themselves say; null when nobody says so. */
  get leader(): ChaosNode | null {
    let leader: ChaosNode | null = null;
    let highest = 0;
    for (const node of this.nodes) {
      const term = node.status?.raft.currentTerm ?? 0;
      if (node.leads && term > highest) {
        leader = node;
        highest = term;
      }
    }
    return leader;
  }

  /** Highest index that any node has said to be committed. */
  get commitIndex(): number {
    return Math.max(...this.nodes.map((node) => node.status?.raft.commitIndex ?? 0));
  }

  /** The fault's parts, in place of what it had; none: it is over. Nodes that start later get them too. */
  setParts(faultNumber: number, parts: readonly NodeFaultPart[]): void {
    const touched = new Set([...(this.#parts.get(faultNumber) ?? []), ...parts].map(({ node }) => node));
    if (parts.length === 0) this.#parts.delete(faultNumber);
    else this.#parts.set(faultNumber, parts);
    for (const id of touched) this.pushFaults(this.node(id));
  }

  /** As if it were over for nodes that start from now on; those that run keep it. */
  forgetParts(faultNumber: number): void {
    this.#parts.delete(faultNumber);
  }

  pushFaults(node: ChaosNode): void {
    const own = [...this.#parts.values()].flat().filter((part) => part.node === node.id);
    const disk = own.flatMap((part) => part.disk ?? []);
    // A failed write or sync ends the process: nothing is retried on the same pages.
    const isDeadly = disk.some(({ effect }) => effect.kind === 'shortWrite' || isInputOutputError(effect));
    if (isDeadly) node.expectedCode = ExitCode.diskFailed;
    node.setFaults({ disk, links: own.flatMap((part) => part.links ?? []) });
  }

  /** What keeps the cluster from being one, with nothing left to do; null when nothing does. */
  whatIsMissing(): string | null {
    const leader = this.leader;
    if (leader === null) return 'nobody leads';
    const { commitIndex, currentTerm } = leader.status?.raft ?? { commitIndex: 0, currentTerm: 0 };
    for (const { id, isActive, status } of this.nodes) {
      if (!isActive || status === null) return `n${id} is not up`;
      const { raft, faults, alarms } = status;
      if (faults.disk.length + faults.links.length > 0) return `n${id} has faults in force`;
      if (alarms.length > 0) return `n${id} raises ${alarms.join(', ')}`;
      if (raft.refetching !== null) return `n${id} misses entries`;
      if (raft.leaderId !== leader.id || raft.currentTerm !== currentTerm)
        return `n${id} does not follow n${leader.id}`;
      if (raft.lastApplied !== commitIndex || raft.lastIndex !== commitIndex) {
        return `n${id} is at ${raft.lastApplied} of ${raft.lastIndex}, n${leader.id} has committed ${commitIndex}`;
      }
    }
    return null;
  }

  /** Gracefully, all of them. */
  async stop(): Promise<void> {
    await Promise.all(this.#all.map((node) => node.stop()));
    await this.#closeLogs();
  }

  async kill(): Promise<void> {
    await Promise.all(this.#all.map((node) => node.kill()));
    await this.#closeLogs();
  }

  async #closeLogs(): Promise<void> {
    await Promise.all(this.#logs.map((log) => new Promise<void>((closed) => log.end(() => closed()))));
  }
}

function isInputOutputError(effect: DiskEffect): boolean {
  return effect.kind === 'error' && effect.code === 'EIO';
}

async function freeBase(ids: readonly number[]): Promise<number> {
  const offsets = ids.flatMap((id) => [id, id + PEER_OFFSET]);
  for (let attempt = 0; attempt < 200; attempt++) {
    const base = randomInt(PORTS[0], PORTS[1]);
    const free = await Promise.all(offsets.map((offset) => isFree(base + offset)));
    if (free.every(Boolean)) return base;
  }
  throw new Error('no free ports');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const server = createServer();
    server.once('error', () => answer(false));
    server.listen({ port, host: HOST, exclusive: true }, () => server.close(() => answer(true)));
  });
}
