// The cluster's processes: starts, breaks, heals and stops them. Knows nothing of Raft beyond the faults and
// actions that a node takes, and nothing of who asks.
import { z } from 'zod';
import type { NodeAction } from '../../../engine/protocol/control.ts';
import type { DiskFault, LinkFault } from '../../../engine/protocol/faults.ts';
import type { NodeStatus } from '../../../engine/protocol/node-status.ts';
import type { NodeId } from '../../../engine/raft/types.ts';
import type { ProcessView } from '../../shared/cluster-view.ts';
import type { CorruptedRecordView, FolderFate } from '../../shared/contract.ts';
import type { ClusterFolder } from './cluster-folder.ts';
import { actionWords, diskFaultWords, linkWords } from './deed-words.ts';
import { ManagedNode, type ManagedNodeListener } from './managed-node.ts';
import type { NodeLauncher } from './node-launcher.ts';
import type { NodePorts } from './node-ports.ts';
import { addressesOf, settingsOf } from './node-settings.ts';

export interface SupervisorOptions {
  /** Says which nodes there are; their ports are `ports`, and are written down there. */
  folder: ClusterFolder;
  ports: readonly NodePorts[];
  launcher: NodeLauncher;
  /** Who votes now, as far as anybody said; null when nobody did. */
  voters?: () => readonly NodeId[] | null;
  listener: ManagedNodeListener & {
    /** This node is about to be killed, stopped or paused. */
    onStrike(nodeId: NodeId): void;
    /** All folders are empty and a cluster of this id begins. */
    onCluster(clusterId: string): void;
    /** There is no such node any more. */
    onGone(nodeId: NodeId): void;
  };
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  /** By id. */
  #nodes: readonly ManagedNode[] = [];
  /** Restarts under way, so that two clicks do not start a node twice. */
  readonly #restarting = new Set<NodeId>();
  #resetting = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    for (const ports of options.ports) this.#take(ports);
  }

  get nodeIds(): readonly NodeId[] {
    return this.#nodes.map((node) => node.nodeId);
  }

  processes(): ProcessView[] {
    return this.#nodes.map((node) => node.view);
  }

  /** Starts all; resolves once each serves or has failed. What failed is shown as a crashed node, not thrown. */
  async startAll(): Promise<void> {
    await Promise.allSettled(this.#nodes.map((node) => this.#start(node)));
  }

  /** A node more, on an empty folder, that waits to be made a member. Resolves once it serves. */
  async addNode(ports: NodePorts): Promise<void> {
    const { folder } = this.#options;
    if (this.nodeIds.includes(ports.nodeId)) throw new Error(`There is an n${ports.nodeId} already.`);
    if (this.#resetting) throw new Error('The cluster is being reset.');
    folder.recordNode({ ...ports, joined: true, told: false, present: true });
    const node = this.#take(ports);
    this.#options.listener.onProcess(node.view);
    await this.#start(node);
  }

  /** Ends the process and forgets the node; resolves to where its folder is now. It must not be a member any more. */
  async removeNode(nodeId: NodeId, fate: FolderFate): Promise<string | null> {
    const node = this.#node(nodeId);
    if (this.#restarting.has(nodeId)) throw new Error(`${node.name} is being started.`);
    if (node.alive) await node.stop();
    const place = this.#options.folder.retire(nodeId, fate);
    this.#forget(node);
    return place;
  }

  /** Resolves once the process is known to be dead. The signal is sent before this returns. */
  kill(nodeId: NodeId): Promise<void> {
    const node = this.#node(nodeId);
    this.#options.listener.onStrike(nodeId);
    node.kill();
    this.#deed(`SIGKILL sent to ${node.name}`, nodeId);
    return node.gone();
  }

  pause(nodeId: NodeId): void {
    const node = this.#node(nodeId);
    this.#options.listener.onStrike(nodeId);
    node.pause();
    this.#deed(`Paused ${node.name} (SIGSTOP)`, nodeId);
  }

  resume(nodeId: NodeId): void {
    const node = this.#node(nodeId);
    node.resume();
    this.#deed(`Resumed ${node.name} (SIGCONT)`, nodeId);
  }

  async stop(nodeId: NodeId): Promise<void> {
    const node = this.#node(nodeId);
    this.#deed(`Stopping ${node.name}`, nodeId);
    await node.stop();
  }

  /** A running node is stopped gracefully first. Resolves once the new process serves. */
  async restart(nodeId: NodeId): Promise<void> {
    const node = this.#node(nodeId);
    if (this.#restarting.has(nodeId) || this.#resetting) {
      throw new Error(`${node.name} is being started already.`);
    }
    this.#restarting.add(nodeId);
    try {
      this.#deed(`${node.alive ? 'Restarting' : 'Starting'} ${node.name}`, nodeId);
      if (node.alive) await node.stop();
      await this.#start(node);
    } finally {
      this.#restarting.delete(nodeId);
    }
  }

  /** The seed decides what becomes of unsynced bytes. Resolves once the process is dead. */
  async powerCut(nodeId: NodeId, seed = drawSeed()): Promise<void> {
    const node = this.#node(nodeId);
    this.#options.listener.onStrike(nodeId);
    this.#deed(`Cut the power of ${node.name} (seed ${seed})`, nodeId);
    await node.cutPower(seed);
  }

  /** All nodes that run, at the same moment. A paused one cannot obey: it is killed, which loses no more. */
  async powerCutAll(seed = drawSeed()): Promise<void> {
    const nodes = this.#nodes.filter((node) => node.alive);
    if (nodes.length === 0) throw new Error('No node is running.');
    this.#deed(`Cut the power of ${nodes.map(({ name }) => name).join(', ')} at once (seed ${seed})`, null);
    for (const { nodeId } of nodes) this.#options.listener.onStrike(nodeId);
    const outcomes = await Promise.allSettled(
      nodes.map(async (node) => {
        if (node.view.state === 'running') return node.cutPower(seed + node.nodeId);
        node.kill();
        return node.gone();
      }),
    );
    throwFailures(outcomes);
  }

  /** Turns a bit in a record on disk, under a running node too: it shows at the next start. */
  async corruptRecord(
    nodeId: NodeId,
    { index, seed = drawSeed() }: { index?: number | undefined; seed?: number | undefined },
  ): Promise<CorruptedRecordView> {
    const node = this.#node(nodeId);
    const request = { folder: node.view.dataDir, seed, ...(index === undefined ? {} : { index }) };
    const { launcher } = this.#options;
    const output = await launcher
      .runTask(['--corrupt-record', JSON.stringify(request)])
      .catch((error: Error) =>
        Promise.reject(new Error(`Nothing was corrupted on ${node.name}: ${error.message}`)),
      );
    const record = corruptedRecord.parse(JSON.parse(output));
    const where = `bit ${record.bit} at offset ${record.offsetBytes} of ${record.file}`;
    const when = node.alive ? '; it shows when the node starts again' : '';
    this.#deed(`Corrupted entry ${record.index} on ${node.name}'s disk (${where})${when}`, nodeId);
    return record;
  }

  /** Kills the node, empties its folder and leaves it stopped. Refused while another one has no memory either. */
  async wipe(nodeId: NodeId): Promise<void> {
    const node = this.#node(nodeId);
    const { folder, listener } = this.#options;
    const forgetful = this.#nodes.filter((other) => other !== node && !folder.hasMemory(other.nodeId));
    if (forgetful.length > 0) {
      throw new Error(
        `${forgetful.map(({ name }) => name).join(' and ')} has no memory yet. Without that of ${node.name} no majority would ` +
          'remember what was acknowledged, and none of it could be trusted again. Let it catch up first, or reset the cluster.',
      );
    }
    if (this.#restarting.has(nodeId) || this.#resetting) throw new Error(`${node.name} is being started.`);
    this.#restarting.add(nodeId);
    try {
      listener.onStrike(nodeId);
      if (node.alive) node.kill();
      await node.gone();
      folder.wipe(nodeId);
      node.noteWiped();
      this.#deed(`Wiped the folder of ${node.name}`, nodeId);
    } finally {
      this.#restarting.delete(nodeId);
    }
  }

  async act(nodeId: NodeId, action: NodeAction): Promise<void> {
    await this.#node(nodeId).act(action);
    this.#deed(actionWords(action, nodeId), nodeId);
  }

  /** A fault with the id of one in force replaces it. */
  async applyDisk(nodeId: NodeId, fault: DiskFault): Promise<void> {
    const node = this.#node(nodeId);
    const disk = [...node.faults.disk.filter(({ id }) => id !== fault.id), fault];
    await node.setFaults({ ...node.faults, disk });
    this.#deed(`Disk fault on n${nodeId}: ${diskFaultWords(fault)}`, nodeId);
  }

  /** A fault with the id of one in force replaces it. */
  async applyLink(nodeId: NodeId, fault: LinkFault): Promise<void> {
    const node = this.#node(nodeId);
    if (fault.peer === nodeId) throw new Error('A link joins two different nodes.');
    this.#node(fault.peer);
    const links = [...node.faults.links.filter(({ id }) => id !== fault.id), fault];
    await node.setFaults({ ...node.faults, links });
    this.#deed(`Link ${linkWords(nodeId, fault)}`, nodeId);
  }

  async removeFault(nodeId: NodeId, faultId: string): Promise<void> {
    const node = this.#node(nodeId);
    const disk = node.faults.disk.filter(({ id }) => id !== faultId);
    const links = node.faults.links.filter(({ id }) => id !== faultId);
    if (disk.length + links.length === node.faults.disk.length + node.faults.links.length) {
      throw new Error(`n${nodeId} has no fault "${faultId}" in force.`);
    }
    await node.setFaults({ disk, links });
    this.#deed(`Removed the fault ${faultId} from n${nodeId}`, nodeId);
  }

  async clearFaults(nodeId: NodeId): Promise<void> {
    await this.#node(nodeId).setFaults({ disk: [], links: [] });
    this.#deed(`Removed all faults from n${nodeId}`, nodeId);
  }

  /** Cuts every link between nodes of different groups. Nodes in no group keep all their links. */
  async partition(groups: readonly (readonly NodeId[])[]): Promise<void> {
    const [only, ...others] = groups;
    const rest = this.nodeIds.filter((id) => !only?.includes(id));
    const sides = only !== undefined && others.length === 0 ? [only, rest] : groups;
    for (const nodeId of sides.flat()) this.#node(nodeId);
    const cuts = sides.flatMap((side, position) =>
      sides.slice(position + 1).flatMap((other) => side.flatMap((from) => other.map((to) => ({ from, to })))),
    );
    if (cuts.length === 0) throw new Error('Nothing to cut: name the nodes of one side, as in partition n1.');
    for (const { from, to } of cuts) await this.#cutFromEitherEnd(from, to);
  }

  /** Removes all faults, resumes paused nodes and starts dead ones. What cannot be healed is told in the error. */
  async heal(): Promise<void> {
    this.#deed('Heal all', null);
    const outcomes = await Promise.allSettled(this.#nodes.map((node) => this.#healNode(node)));
    throwFailures(outcomes);
  }

  /** Kills all nodes, empties their folders and starts a new cluster on the same ports. */
  async reset(): Promise<void> {
    if (this.#resetting) throw new Error('The cluster is being reset already.');
    this.#resetting = true;
    try {
      this.#deed('Reset: all keys are being removed', null);
      this.killAll();
      await Promise.all(this.#nodes.map((node) => node.gone()));
      this.#backToFounders();
      this.#options.listener.onCluster(this.#options.folder.clusterId);
      await this.startAll();
    } finally {
      this.#resetting = false;
    }
  }

  /** Graceful end of all nodes, with SIGKILL for what does not follow. */
  async stopAll(): Promise<void> {
    await Promise.allSettled(this.#nodes.filter((node) => node.alive).map((node) => node.stop()));
  }

  /** SIGKILL to all, at once and without waiting: also for a process that is about to exit. */
  killAll(): void {
    for (const node of this.#nodes) {
      if (node.alive) node.kill();
    }
  }

  async #start(node: ManagedNode): Promise<void> {
    const { folder, voters } = this.#options;
    await node.start(settingsOf(folder, node.nodeId, voters?.() ?? null));
    folder.noteMember(node.nodeId);
  }

  #take({ nodeId, client, peer }: NodePorts): ManagedNode {
    const { folder, launcher, listener } = this.#options;
    const known = folder.nodes.find((node) => node.nodeId === nodeId);
    const { joined = false, told = false } = known ?? {};
    folder.recordNode({ nodeId, client, peer, joined, told, present: true });
    const settings = { nodeId, dataDir: folder.nodeDir(nodeId), ...addressesOf({ client, peer }) };
    const node = new ManagedNode({
      settings,
      logPath: folder.logPath(nodeId),
      launcher,
      listener: {
        ...listener,
        onStatus: (status) => {
          noteTold(folder, status);
          listener.onStatus(status);
        },
      },
    });
    this.#nodes = [...this.#nodes, node].sort((left, right) => left.nodeId - right.nodeId);
    return node;
  }

  #forget(node: ManagedNode): void {
    this.#nodes = this.#nodes.filter((other) => other !== node);
    this.#options.listener.onGone(node.nodeId);
  }

  /** Nodes that were added go, founders that had left are back. */
  #backToFounders(): void {
    const { folder, listener } = this.#options;
    folder.reset();
    const founders = folder.nodes;
    for (const node of this.#nodes) {
      if (!founders.some(({ nodeId }) => nodeId === node.nodeId)) this.#forget(node);
    }
    for (const founder of founders) {
      if (this.nodeIds.includes(founder.nodeId)) continue;
      listener.onProcess(this.#take(founder).view);
    }
  }

  async #healNode(node: ManagedNode): Promise<void> {
    if (node.dying) await node.gone();
    if (!node.alive) return this.restart(node.nodeId);
    if (node.view.state === 'paused') this.resume(node.nodeId);
    if (node.faults.disk.length + node.faults.links.length > 0) await this.clearFaults(node.nodeId);
  }

  /** A dead or paused node takes no orders, and its link can as well be cut at the other end. */
  async #cutFromEitherEnd(from: NodeId, to: NodeId): Promise<void> {
    const near = this.#node(from).view.state === 'running';
    const [nodeId, peer] = near ? [from, to] : [to, from];
    await this.applyLink(nodeId, cutLink(peer));
  }

  #node(nodeId: NodeId): ManagedNode {
    const node = this.#nodes.find((candidate) => candidate.nodeId === nodeId);
    if (node === undefined) {
      throw new Error(
        `There is no n${nodeId}: this cluster has ${this.nodeIds.map((id) => `n${id}`).join(', ')}.`,
      );
    }
    return node;
  }

  #deed(text: string, nodeId: NodeId | null): void {
    this.#options.listener.onDeed(text, nodeId);
  }
}

function noteTold(folder: ClusterFolder, { nodeId, raft }: NodeStatus): void {
  if (raft.configurationIndex === 0 || raft.configurationIndex > raft.commitIndex) return;
  const record = folder.nodes.find((node) => node.nodeId === nodeId);
  if (record !== undefined && !record.told) folder.recordNode({ ...record, told: true });
}

const corruptedRecord = z.object({
  file: z.string(),
  offsetBytes: z.int().min(0),
  bit: z.int().min(0).max(7),
  index: z.int().min(1),
});

/** Kept small: a person may type it again. */
function drawSeed(): number {
  return Math.floor(Math.random() * 1_000_000);
}

function throwFailures(outcomes: readonly PromiseSettledResult<unknown>[]): void {
  const failures = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [String(outcome.reason?.message ?? outcome.reason)] : [],
  );
  if (failures.length > 0) throw new Error(failures.join(' '));
}

/** The fault that cuts both directions of the link to `peer`. */
function cutLink(peer: NodeId): LinkFault {
  return { id: `cut-n${peer}`, peer, direction: 'both', effect: { kind: 'cut' } };
}
