// The RESP side of a node: its sessions, its desk, and the way to the leader.
import { randomBytes } from 'node:crypto';
import type { Keyspace } from '../kv/keyspace.ts';
import { byteStringFromText } from '../protocol/byte-string.ts';
import type { NodeAction } from '../protocol/control.ts';
import type { NodeStatus } from '../protocol/node-status.ts';
import type { Raft } from '../raft/raft.ts';
import type { ClientConnection } from '../transport/client-connection.ts';
import type { ProtocolHandler } from '../transport/client-protocol.ts';
import type { ClientServerStatus } from '../transport/client-server.ts';
import { RespHandler } from '../transport/resp-handler.ts';
import type { ClientCounters } from './client-counters.ts';
import type { ClusterTime } from './cluster-time.ts';
import { FORWARDER_LIMITS } from './forwarder.ts';
import type { NodeConfig } from './node-config.ts';
import { CommandIndex } from './resp-command-index.ts';
import { RespDesk } from './resp-desk.ts';
import { type ForwardedCommands, RespForwarder } from './resp-forwarder.ts';
import { ScanCursors } from './resp-scan.ts';
import { RespSession } from './resp-session.ts';
import { RespSettings } from './resp-settings.ts';
import { SlowLog } from './resp-slow-log.ts';
import { RespWaits } from './resp-wait.ts';

export interface RespNodeOptions {
  config: NodeConfig;
  raft: Raft;
  keyspace: Keyspace;
  counters: ClientCounters;
  time: ClusterTime;
  status(): NodeStatus;
  clientStatus(): ClientServerStatus;
  act(action: NodeAction): Promise<void>;
  clientAddressOf(id: number): string | null;
  isDiskFull(): boolean;
  wake(): void;
}

interface StatTotals {
  commands: number;
  reads: number;
  writes: number;
  errors: number;
}

export class RespNode {
  readonly config: NodeConfig;
  readonly raft: Raft;
  readonly keyspace: Keyspace;
  readonly counters: ClientCounters;
  readonly limits: NodeConfig['limits'];
  /** Its bytes, as clients send them. */
  readonly password: string | null;
  readonly desk: RespDesk;
  readonly commands = new CommandIndex();
  readonly cursors = new ScanCursors();
  readonly settings: RespSettings;
  readonly slowLog = new SlowLog();
  readonly waits: RespWaits;
  readonly sessions = new Map<ClientConnection, RespSession>();
  readonly startedAt = Date.now();
  /** 40 hexadecimal digits, as Redis has them: another one for every start. */
  readonly runId = randomBytes(20).toString('hex');
  /** DEBUG is for tests. */
  readonly allowsDebug = process.env.QUORUMLAB_DEBUG === '1';
  readonly #options: RespNodeOptions;
  readonly #forwarder: RespForwarder;
  commandsTotal = 0;
  /** What CONFIG RESETSTAT counts from. */
  statsResetAt: StatTotals = { commands: 0, reads: 0, writes: 0, errors: 0 };

  constructor(options: RespNodeOptions) {
    const { config, raft, keyspace, counters } = options;
    this.#options = options;
    this.config = config;
    this.raft = raft;
    this.keyspace = keyspace;
    this.counters = counters;
    this.limits = config.limits;
    this.password = config.password === undefined ? null : byteStringFromText(config.password);
    this.settings = new RespSettings(config);
    this.waits = new RespWaits(raft);
    const { requestTimeoutMs } = config;
    this.desk = new RespDesk({
      raft,
      keyspace,
      counters,
      requestTimeoutMs,
      time: options.time,
      wake: options.wake,
    });
    this.#forwarder = new RespForwarder({
      ...FORWARDER_LIMITS,
      outstandingMax: 100_000,
      password: this.password,
      replyBytesMax: 64 * 1024 * 1024,
      now: () => performance.now(),
    });
  }

  /** For a connection that speaks RESP. */
  connect(connection: ClientConnection): ProtocolHandler {
    const limits = { elementsMax: 1024 * 1024, requestBytesMax: this.limits.lineBytesMax };
    return new RespHandler(connection, limits, (handler) => {
      const session = new RespSession(this, connection, handler);
      this.sessions.set(connection, session);
      return session;
    });
  }

  disconnected(connection: ClientConnection): void {
    this.sessions.delete(connection);
  }

  snapshotOfStats(): StatTotals {
    const { readsTotal, writesTotal, errorsTotal } = this.counters;
    return { commands: this.commandsTotal, reads: readsTotal, writes: writesTotal, errors: errorsTotal };
  }

  get leads(): boolean {
    return this.raft.role === 'leader';
  }

  /** Milliseconds since 1970. */
  now(): number {
    return Date.now();
  }

  /** What a proposal is stamped with. */
  turnTime(): number {
    return this.#options.time.stamp();
  }

  /** What ends of keys are held against. */
  clusterTime(): number {
    return this.#options.time.now();
  }

  isDiskFull(): boolean {
    return this.#options.isDiskFull();
  }

  status(): NodeStatus {
    return this.#options.status();
  }

  clientStatus(): ClientServerStatus {
    return this.#options.clientStatus();
  }

  act(action: NodeAction): Promise<void> {
    return this.#options.act(action);
  }

  clientAddressOf(id: number): string | null {
    return this.#options.clientAddressOf(id);
  }

  forward(commands: ForwardedCommands): void {
    const { session, slot, onReply } = commands;
    const { leaderId, currentTerm } = this.raft;
    const address = leaderId === 0 ? null : this.#options.clientAddressOf(leaderId);
    if (address !== null && !session.isForwarded && !this.leads) {
      this.#forwarder.forward(commands, address);
      return;
    }
    this.counters.redirectsTotal++;
    const reply = `-CLUSTERDOWN no leader; term ${currentTerm}\r\n`;
    session.reply(slot, onReply === null ? reply : onReply(reply));
  }

  tick(now: number): void {
    this.desk.expire(now);
    this.#forwarder.expire(now - this.config.requestTimeoutMs);
    this.waits.check(now);
  }

  close(): void {
    this.#forwarder.close();
  }
}
