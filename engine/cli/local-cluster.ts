// Nodes of one cluster as child processes of this one: started, watched for a leader, restarted if that is
// wanted, stopped together. Prints nothing; says what happens through its listener.
import type { NodeEvent } from '../protocol/node-status.ts';
import type { ClusterFolder } from './cluster-folder.ts';
import type { NodePorts } from './cluster-ports.ts';
import { UnavailableError } from './exit-code.ts';
import { NodeProcess } from './node-process.ts';

const HOST = '127.0.0.1';
const STOP_GRACE_MS = 3_000;
const STATUS_INTERVAL_MS = 200;
const RESTART_MS_MIN = 200;
const RESTART_MS_MAX = 5_000;
/** A node that ran this long was well: its next restart comes quickly again. */
const WELL_AFTER_MS = 10_000;
const LINES_KEPT_MAX = 20;

export interface RunningNode {
  id: number;
  pid: number;
  client: string;
  peer: string;
}

export interface LocalClusterListener {
  onEvent(event: NodeEvent): void;
  onNodeLine(id: number, line: string): void;
  onNodeExit(
    id: number,
    exit: { code: number | null; signal: NodeJS.Signals | null; restarts: boolean },
  ): void;
  onNodeStart(node: RunningNode): void;
  /** No node is left, and none will be restarted. */
  onAllDead(): void;
}

interface Member {
  id: number;
  process: NodeProcess | null;
  running: RunningNode | null;
  startedAt: number;
  /** Exits in a row that came soon after the start. */
  failures: number;
  restartTimer: NodeJS.Timeout | null;
  lastLines: string[];
  term: number;
  leads: boolean;
}

export interface LocalClusterOptions {
  entry: string;
  folder: ClusterFolder;
  ports: readonly NodePorts[];
  restart: boolean;
  listener: LocalClusterListener;
}

export class LocalCluster {
  readonly #options: LocalClusterOptions;
  readonly #members: Member[];
  #stopping = false;
  #waiters: { check: () => boolean; resolve: () => void; reject: (error: Error) => void }[] = [];

  constructor(options: LocalClusterOptions) {
    this.#options = options;
    this.#members = options.ports.map((_, i) => ({
      id: i + 1,
      process: null,
      running: null,
      startedAt: 0,
      failures: 0,
      restartTimer: null,
      lastLines: [],
      term: 0,
      leads: false,
    }));
  }

  get nodes(): RunningNode[] {
    return this.#members.flatMap((member) => (member.running === null ? [] : [member.running]));
  }

  /** 0 while nobody leads. Of two that say so, the one in the higher term. */
  get leader(): { id: number; term: number } {
    let leader = { id: 0, term: 0 };
    for (const { id, leads, term } of this.#members) if (leads && term > leader.term) leader = { id, term };
    return leader;
  }

  /** Starts all nodes; resolves when each is ready and one leads. Rejects when a node dies before that. */
  start(deadlineMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        fail(new UnavailableError(`no leader within ${deadlineMs} ms`));
      }, deadlineMs);
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters = this.#waiters.filter((each) => each !== waiter);
      };
      const fail = (error: Error): void => {
        done();
        reject(error);
      };
      const waiter = {
        check: () => this.leader.id !== 0 && this.nodes.length === this.#members.length,
        resolve: () => {
          done();
          resolve();
        },
        reject: fail,
      };
      this.#waiters.push(waiter);
      for (const member of this.#members) this.#launch(member);
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const member of this.#members) {
      if (member.restartTimer !== null) clearTimeout(member.restartTimer);
    }
    await Promise.all(this.#members.map((member) => member.process?.stop(STOP_GRACE_MS)));
  }

  /** At once, without waiting: for when this process must end now. */
  kill(): void {
    this.#stopping = true;
    for (const member of this.#members) member.process?.kill();
  }

  #launch(member: Member): void {
    const { entry, folder, ports, listener } = this.#options;
    const own = ports[member.id - 1] as NodePorts;
    member.startedAt = performance.now();
    member.lastLines = [];
    const config = {
      clusterId: folder.clusterId,
      nodeId: member.id,
      dataDir: folder.nodeDir(member.id),
      client: { host: HOST, port: own.client },
      peer: { host: HOST, port: own.peer },
      peers: ports.map((each, i) => ({
        id: i + 1,
        peer: `${HOST}:${each.peer}`,
        client: `${HOST}:${each.client}`,
      })),
      statusIntervalMs: STATUS_INTERVAL_MS,
    };
    const process = new NodeProcess(entry, config, {
      onMessage: (message) => {
        if (message.type === 'ready') {
          const { clientAddress: client, peerAddress: peer } = message;
          member.running = { id: member.id, pid: process.pid, client, peer };
          listener.onNodeStart(member.running);
        } else if (message.type === 'status') {
          member.term = message.status.raft.currentTerm;
          member.leads = message.status.raft.role === 'leader';
        } else if (message.type === 'events') {
          for (const event of message.events) this.#happened(member, event);
        }
        this.#checkWaiters();
      },
      onLine: (line) => {
        member.lastLines.push(line);
        if (member.lastLines.length > LINES_KEPT_MAX) member.lastLines.shift();
        // That its peers are going away is no news while all of them stop.
        if (!this.#stopping) listener.onNodeLine(member.id, line);
      },
      onExit: (code, signal) => this.#exited(member, code, signal),
    });
    member.process = process;
  }

  #happened(member: Member, event: NodeEvent): void {
    if (event.event.type === 'roleChanged') {
      member.term = event.event.term;
      member.leads = event.event.to === 'leader';
    }
    this.#options.listener.onEvent(event);
  }

  #exited(member: Member, code: number | null, signal: NodeJS.Signals | null): void {
    const { listener, restart } = this.#options;
    member.process = null;
    member.running = null;
    member.leads = false;
    if (this.#stopping) return;
    member.failures = performance.now() - member.startedAt > WELL_AFTER_MS ? 0 : member.failures + 1;
    const starting = this.#waiters.length > 0;
    const restarts = restart && !starting;
    listener.onNodeExit(member.id, { code, signal, restarts });
    if (starting) {
      const why = member.lastLines.at(-1) ?? (signal === null ? `exit code ${code}` : signal);
      for (const waiter of this.#waiters)
        waiter.reject(new UnavailableError(`n${member.id} did not start: ${why}`));
      return;
    }
    if (restarts) {
      const delayMs = Math.min(RESTART_MS_MAX, RESTART_MS_MIN * 2 ** Math.min(member.failures, 10));
      member.restartTimer = setTimeout(() => this.#launch(member), delayMs);
    } else if (this.#members.every((each) => each.process === null)) listener.onAllDead();
  }

  #checkWaiters(): void {
    for (const waiter of this.#waiters) if (waiter.check()) waiter.resolve();
  }
}
