// Three node processes that this process is the parent of: unlike `quorumlab cluster`, they can be told to take
// snapshots, killed one by one and started again on the same folders.
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeAction, NodeMessage, ParentMessage } from '../protocol/control.ts';
import { nodeArguments } from '../protocol/node-arguments.ts';
import type { HostEvent, NodeStatus } from '../protocol/node-status.ts';
import { freePorts } from './free-ports.ts';

const HOST = '127.0.0.1';
const NODES = 3;
const READY_MS = 60_000;
const STATUS_INTERVAL_MS = 50;

export interface NodeTrioOptions {
  /** The node's bundle, `engine-node.js`. */
  entry: string;
  /** Settings of every node beside its place in the cluster. */
  settings?: object;
  /** Arguments of Node.js, beside those that nodes are always started with. */
  arguments?: readonly string[];
}

/** What a node is told, without the number that its answer is matched by. */
type Order = ParentMessage extends infer M ? (M extends ParentMessage ? Omit<M, 'requestId'> : never) : never;

interface Member {
  id: number;
  config: object;
  child: ChildProcess | null;
  status: NodeStatus | null;
  /** Of this life of the node. */
  events: HostEvent[];
  pending: Map<number, { resolve: () => void; reject: (error: Error) => void }>;
}

export class NodeTrio {
  readonly addresses: readonly string[];
  readonly #entry: string;
  readonly #folder: string;
  readonly #arguments: readonly string[];
  readonly #members: readonly Member[];
  #nextRequestId = 1;

  private constructor(options: NodeTrioOptions, folder: string, ports: readonly number[]) {
    this.#entry = options.entry;
    this.#arguments = options.arguments ?? [];
    this.#folder = folder;
    const client = (id: number): string => `${HOST}:${ports[id - 1]}`;
    const peer = (id: number): string => `${HOST}:${ports[NODES + id - 1]}`;
    const ids = Array.from({ length: NODES }, (_, position) => position + 1);
    const peers = ids.map((id) => ({ id, client: client(id), peer: peer(id) }));
    this.addresses = ids.map(client);
    this.#members = ids.map((id) => ({
      id,
      config: {
        clusterId: 'bench',
        nodeId: id,
        dataDir: join(folder, `n${id}`),
        client: { host: HOST, port: ports[id - 1] },
        peer: { host: HOST, port: ports[NODES + id - 1] },
        peers,
        statusIntervalMs: STATUS_INTERVAL_MS,
        ...options.settings,
      },
      child: null,
      status: null,
      events: [],
      pending: new Map(),
    }));
  }

  /** Resolves when one of them leads. */
  static async start(options: NodeTrioOptions): Promise<NodeTrio> {
    const folder = await mkdtemp(join(tmpdir(), 'quorumlab-bench-'));
    const trio = new NodeTrio(options, folder, await freePorts(2 * NODES));
    await trio.startAll();
    return trio;
  }

  /** Starts what is down. Resolves when one leads. */
  async startAll(): Promise<void> {
    for (const member of this.#members) if (member.child === null) this.#launch(member);
    await poll('a leader', () => this.leader);
  }

  /** By what the nodes last said. */
  get leader(): NodeStatus | null {
    const leaders = this.statuses.filter((status) => status.raft.role === 'leader');
    return leaders.sort((a, b) => b.raft.currentTerm - a.raft.currentTerm)[0] ?? null;
  }

  get statuses(): NodeStatus[] {
    return this.#members.flatMap(({ status }) => status ?? []);
  }

  /** Of the present life of every node. */
  get events(): HostEvent[] {
    return this.#members.flatMap(({ events }) => events);
  }

  /** Resolves when every node has applied what the leader has committed. */
  async level(): Promise<void> {
    await poll('level nodes', () => {
      const { leader, statuses } = this;
      if (leader === null || statuses.length < NODES) return null;
      return statuses.every(({ raft }) => raft.lastApplied >= leader.raft.commitIndex) ? true : null;
    });
  }

  /** The same order to every node; resolves when all have carried it out. */
  async act(action: NodeAction): Promise<void> {
    await this.#orderAll({ type: 'act', action });
  }

  /** How often every node says how it is; 0 for never. */
  async setStatusInterval(intervalMs: number): Promise<void> {
    await this.#orderAll({ type: 'setStatusInterval', intervalMs });
  }

  /** SIGKILL to all of them. */
  killAll(): Promise<void> {
    return this.#endAll('SIGKILL');
  }

  /** SIGTERM to all of them: they end in their own time, and write their profiles if they record any. */
  stop(): Promise<void> {
    return this.#endAll('SIGTERM');
  }

  async #endAll(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await Promise.all(
      this.#members.map(
        ({ child }) =>
          new Promise<void>((resolve) => {
            if (child === null) return resolve();
            child.once('exit', () => resolve());
            child.kill(signal);
          }),
      ),
    );
  }

  /** Nothing of it is left. */
  async remove(): Promise<void> {
    await this.killAll();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }

  #launch(member: Member): void {
    const child = fork(this.#entry, ['--config', JSON.stringify(member.config)], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      execArgv: [...nodeArguments(availableParallelism()), ...this.#arguments],
    });
    member.child = child;
    member.events = [];
    child.on('message', (raw) => {
      const message = raw as NodeMessage;
      if (message.type === 'status') member.status = message.status;
      else if (message.type === 'events') {
        for (const { event } of message.events) member.events.push(event as HostEvent);
      } else if (message.type === 'done') this.#answered(member, message.requestId, null);
      else if (message.type === 'refused') this.#answered(member, message.requestId, message.message);
    });
    child.on('exit', () => {
      member.child = null;
      member.status = null;
      for (const requestId of member.pending.keys()) this.#answered(member, requestId, 'the node has ended');
    });
  }

  async #orderAll(order: Order): Promise<void> {
    await Promise.all(this.#members.map((member) => this.#order(member, order)));
  }

  #order(member: Member, order: Order): Promise<void> {
    const requestId = this.#nextRequestId++;
    return new Promise((resolve, reject) => {
      if (member.child === null) return reject(new Error(`n${member.id} is down`));
      member.pending.set(requestId, { resolve, reject });
      member.child.send({ ...order, requestId });
    });
  }

  #answered(member: Member, requestId: number, refusal: string | null): void {
    const waiter = member.pending.get(requestId);
    member.pending.delete(requestId);
    if (refusal === null) waiter?.resolve();
    else waiter?.reject(new Error(`n${member.id}: ${refusal}`));
  }
}

async function poll<T>(what: string, look: () => T | null): Promise<T> {
  const deadline = performance.now() + READY_MS;
  for (;;) {
    const found = look();
    if (found !== null) return found;
    if (performance.now() > deadline) throw new Error(`no ${what} within ${READY_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
