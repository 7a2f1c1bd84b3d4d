// Real node processes from the built bundle, on loopback, each in a temporary folder: started, killed by pid,
// paused, restarted, given faults, and watched through the same messages that the panel gets.
import { randomInt } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { NodeProcess } from '../../engine/cli/node-process.ts';
import { type Client, type ClientOptions, createClient } from '../../engine/client/client.ts';
import { ExitCode, type NodeAction, type NodeMessage } from '../../engine/protocol/control.ts';
import { NO_FAULTS, type NodeFaults } from '../../engine/protocol/faults.ts';
import type { NodeEvent, NodeStatus } from '../../engine/protocol/node-status.ts';
import { ensureBuild } from '../../scripts/lib/prepare.mjs';

const HOST = '127.0.0.1';
/** Generous: two busy cores may be slow, and nothing waits longer than it must. */
export const DEADLINE_MS = 30_000;
const EVENTS_KEPT_MAX = 2_000;

/** QUORUMLAB_OUT names another folder with a fresh build, for work on the engine alone. */
const outFolder = resolve(process.env.QUORUMLAB_OUT ?? 'out/main');
let built: Promise<void> | null = null;

/** The path of a built program: `engine-node.js` or `cli.js`. Builds when the sources have changed. */
export async function program(name: 'engine-node.js' | 'cli.js'): Promise<string> {
  built ??= process.env.QUORUMLAB_OUT === undefined ? ensureBuild() : Promise.resolve();
  await built;
  return join(outFolder, name);
}

/** Waits for a truthy answer; throws with `what` when the deadline passes. */
export async function eventually<T>(
  what: string,
  ask: () => T | Promise<T>,
  deadlineMs = DEADLINE_MS,
): Promise<NonNullable<T>> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer as NonNullable<T>;
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((wake) => setTimeout(wake, 5));
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const server = createServer();
    server.once('error', () => answer(false));
    server.listen({ port, host: HOST, exclusive: true }, () => server.close(() => answer(true)));
  });
}

/** Below the ports that the system hands out for outgoing connections: one of those could take a dead node's port. */
async function firstOutgoingPort(): Promise<number> {
  const text = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => '32768');
  return Number.parseInt(text, 10);
}

/** `count` free ports in a row, at a random place; with `offsets`, all of them free. */
export async function freeBlock(offsets: readonly number[]): Promise<number> {
  const top = Math.min(32_000, await firstOutgoingPort()) - Math.max(...offsets);
  for (let attempt = 0; attempt < 200; attempt++) {
    const base = randomInt(10_000, Math.max(10_001, top));
    const free = await Promise.all(offsets.map((offset) => isFree(base + offset)));
    if (free.every(Boolean)) return base;
  }
  throw new Error('no free ports');
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export class TestNode {
  readonly id: number;
  readonly config: Record<string, unknown>;
  readonly clientAddress: string;
  readonly peerAddress: string;
  /** What it said last; null before its first status since it was started. */
  status: NodeStatus | null = null;
  events: NodeEvent[] = [];
  lines: string[] = [];
  exit: Exit | null = null;
  paused = false;
  ready = false;
  #process: NodeProcess | null = null;
  readonly #answers = new Map<number, NodeMessage>();

  constructor(
    id: number,
    config: Record<string, unknown>,
    addresses: { clientAddress: string; peerAddress: string },
  ) {
    this.id = id;
    this.config = config;
    this.clientAddress = addresses.clientAddress;
    this.peerAddress = addresses.peerAddress;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get running(): boolean {
    return this.#process !== null && this.exit === null;
  }

  get port(): number {
    return Number(this.clientAddress.split(':')[1]);
  }

  async start(): Promise<void> {
    this.status = null;
    this.events = [];
    this.exit = null;
    this.paused = false;
    this.ready = false;
    const entry = await program('engine-node.js');
    this.#process = new NodeProcess(entry, this.config, {
      onMessage: (message) => {
        if (message.type === 'ready') this.ready = true;
        else if (message.type === 'status') this.status = message.status;
        else if (message.type === 'events') {
          this.events.push(...message.events);
          if (this.events.length > EVENTS_KEPT_MAX) this.events.splice(0, EVENTS_KEPT_MAX / 2);
        } else this.#answers.set(message.requestId, message);
      },
      onLine: (line) => this.lines.push(line),
      onExit: (code, signal) => {
        this.exit = { code, signal };
      },
    });
    await eventually(`n${this.id} is ready`, () => {
      if (this.exit !== null)
        throw new Error(`n${this.id} ended: ${JSON.stringify(this.exit)}\n${this.lines.join('\n')}`);
      return this.ready;
    });
  }

  /** SIGKILL, by pid. Resolves when the process is gone. */
  async kill(): Promise<void> {
    if (!this.running) return;
    process.kill(this.pid, 'SIGKILL');
    await this.exited();
  }

  exited(): Promise<Exit> {
    return eventually(`n${this.id} ends`, () => this.exit);
  }

  /** Resolves when the node has done it; throws when it refuses. */
  async act(action: NodeAction): Promise<void> {
    const requestId = this.#process?.order({ type: 'act', action }) ?? 0;
    const answer = await eventually(`n${this.id} answers to ${action.kind}`, () =>
      this.#answers.get(requestId),
    );
    if (answer.type === 'refused') throw new Error(`n${this.id} refuses ${action.kind}: ${answer.message}`);
  }

  /** What was not synced is dropped and torn as the seed says, and the process dies. Resolves when it has. */
  async powerCut(seed: number): Promise<void> {
    if (!this.running) return;
    this.#process?.order({ type: 'act', action: { kind: 'powerCut', seed } });
    const { code } = await this.exited();
    if (code !== ExitCode.powerCut) throw new Error(`n${this.id} ended with ${code} instead of a power cut`);
  }

  get dataDir(): string {
    return String(this.config.dataDir);
  }

  pause(): void {
    process.kill(this.pid, 'SIGSTOP');
    this.paused = true;
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
    this.paused = false;
  }

  async setFaults(faults: Partial<NodeFaults>): Promise<void> {
    const requestId = this.#process?.order({ type: 'setFaults', faults: { ...NO_FAULTS, ...faults } }) ?? 0;
    await eventually(
      `n${this.id} takes the faults`,
      () => this.#answers.get(requestId)?.type === 'done' || this.exit,
    );
  }

  async stop(): Promise<void> {
    if (this.paused && this.running) this.resume();
    await this.#process?.stop(3_000);
  }
}

export interface ClusterOptions {
  nodes?: number;
  config?: object;
  beforeStart?: (nodes: readonly TestNode[]) => void | Promise<void>;
}

export class TestCluster {
  readonly nodes: readonly TestNode[];
  readonly folder: string;
  readonly #clients: Client[] = [];

  private constructor(nodes: readonly TestNode[], folder: string) {
    this.nodes = nodes;
    this.folder = folder;
  }

  /**
   * `config`: settings that all nodes get besides addresses and folders. `beforeStart` sees the nodes while
   * there is nothing on their disks.
   */
  static async start(options: ClusterOptions = {}): Promise<TestCluster> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await TestCluster.#start(options);
      } catch (error) {
        // Between the look for free ports and the start, somebody else on the machine may have taken one.
        if (attempt === 3 || !String(error).includes('EADDRINUSE')) throw error;
      }
    }
  }

  static async #start({
    nodes = 3,
    config = {},
    beforeStart = () => {},
  }: ClusterOptions): Promise<TestCluster> {
    const folder = await mkdtemp(join(tmpdir(), 'quorumlab-test-'));
    const ids = Array.from({ length: nodes }, (_, i) => i + 1);
    const base = await freeBlock(ids.flatMap((id) => [id, id + 100]));
    const clusterId = `test-${base}`;
    const peers = ids.map((id) => ({
      id,
      peer: `${HOST}:${base + 100 + id}`,
      client: `${HOST}:${base + id}`,
    }));
    const members = peers.map(
      ({ id, peer, client }) =>
        new TestNode(
          id,
          {
            clusterId,
            nodeId: id,
            dataDir: join(folder, `n${id}`),
            client: { host: HOST, port: base + id },
            peer: { host: HOST, port: base + 100 + id },
            peers,
            statusIntervalMs: 50,
            ...config,
          },
          { clientAddress: client, peerAddress: peer },
        ),
    );
    const cluster = new TestCluster(members, folder);
    await beforeStart(members);
    try {
      await Promise.all(members.map((node) => node.start()));
      await cluster.leader();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  node(id: number): TestNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new Error(`no n${id}`);
    return node;
  }

  get addresses(): string[] {
    return this.nodes.map((node) => node.clientAddress);
  }

  client(options: Partial<ClientOptions> = {}): Client {
    const client = createClient({ addresses: this.addresses, deadlineMs: DEADLINE_MS, ...options });
    this.#clients.push(client);
    return client;
  }

  /** The running node that leads in the highest term, as the nodes themselves say. Waits for one that `fits`. */
  leader(fits: (node: TestNode, term: number) => boolean = () => true): Promise<TestNode> {
    return eventually('a leader', () => {
      let leader: TestNode | null = null;
      let highest = 0;
      for (const node of this.nodes) {
        if (!node.running || node.paused || node.status === null) continue;
        const { role, currentTerm } = node.status.raft;
        if (currentTerm >= highest) {
          if (role === 'leader') leader = node;
          else if (currentTerm > highest) leader = null;
          highest = currentTerm;
        }
      }
      return leader !== null && fits(leader, highest) ? leader : null;
    });
  }

  async followers(): Promise<TestNode[]> {
    const leader = await this.leader();
    return this.nodes.filter((node) => node !== leader && node.running);
  }

  /** All running nodes have applied everything that the leader has committed by now. */
  async converged(): Promise<void> {
    // What a node said before may be from before the last acknowledgement.
    const calledAt = Date.now();
    for (const node of this.nodes) {
      if (!node.running || node.paused) continue;
      await eventually(`n${node.id} speaks`, () => (node.status?.at ?? 0) > calledAt || !node.running);
    }
    const leader = await this.leader();
    const target = leader.status?.raft.commitIndex ?? 0;
    for (const node of this.nodes) {
      if (!node.running) continue;
      await eventually(
        `n${node.id} has applied ${target}`,
        () => (node.status?.raft.lastApplied ?? 0) >= target,
      );
    }
  }

  async stop(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close();
    await Promise.all(this.nodes.map((node) => node.stop()));
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
