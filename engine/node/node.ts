// One node of a cluster: the core, its log, its sockets and its clients, put together. In a process of its
// own it is started by main.ts; `quorumlab serve` and tests start it in theirs.

import { Keyspace } from '../kv/keyspace.ts';
import type { NodeAction } from '../protocol/control.ts';
import { ExitCode } from '../protocol/control.ts';
import { NO_FAULTS, type NodeFaults } from '../protocol/faults.ts';
import type { NodeEvent, NodeStatus } from '../protocol/node-status.ts';
import { Raft } from '../raft/raft.ts';
import type { SoftState } from '../raft/ready.ts';
import type { Message, RaftEvent } from '../raft/types.ts';
import type { LogStore, LogStoreError, Recovered } from '../storage/types.ts';
import type { ClientConnection } from '../transport/client-connection.ts';
import { type ClientServer, openClientServer } from '../transport/client-server.ts';
import type { ClientRequest } from '../transport/json-lines-handler.ts';
import type { TransportLog } from '../transport/log.ts';
import type { PeerTransport } from '../transport/types.ts';
import { Alarms } from './alarms.ts';
import { ClientAuth } from './client-auth.ts';
import { ClientCounters } from './client-counters.ts';
import { DriveLoop } from './drive-loop.ts';
import { EventRecorder } from './event-recorder.ts';
import { FollowerLag } from './follower-lag.ts';
import { FORWARDER_LIMITS, Forwarder } from './forwarder.ts';
import { createPages } from './health.ts';
import { inTime } from './in-time.ts';
import type { MemberBook } from './member-book.ts';
import { carryOutAction } from './node-actions.ts';
import type { NodeConfig } from './node-config.ts';
import { beginHistory, type NodeDisk, openNodeDisk } from './node-disk.ts';
import { NodeMembers } from './node-members.ts';
import { NodeSnapshots } from './node-snapshots.ts';
import { openPeerPort } from './peer-port.ts';
import { raftOptionsOf, tickIntervalMsOf } from './raft-options.ts';
import { recoveryEvent } from './recovery-event.ts';
import { RequestDesk } from './request-desk.ts';
import { RespNode } from './resp-node.ts';
import { buildStatus, statusReplyOf } from './status-builder.ts';
import { Ticker } from './ticker.ts';
import { Watchdog } from './watchdog.ts';

export interface NodeHost {
  events(events: readonly NodeEvent[]): void;
  /** The node cannot go on and has shut its ports; the process is expected to end with this code. */
  fatal(exitCode: number, message: string): void;
  log: TransportLog;
}

interface OpenParts {
  raft: Raft;
  store: LogStore;
  loop: DriveLoop;
  desk: RequestDesk;
  members: NodeMembers;
  resp: RespNode;
  peers: PeerTransport;
  clients: ClientServer;
  snapshots: NodeSnapshots;
}

/** Longer than any sync of a disk that works: what is to be kept was synced before it was acknowledged. */
const DISK_CLOSE_MS_MAX = 1500;
const HOUSEKEEPING_MS = 50;

/** Opens folder and ports. Rejects, with nothing left open, when one of them cannot be had. */
export async function startNode(config: NodeConfig, host: NodeHost): Promise<RunningNode> {
  const startedAt = performance.now();
  const node = new RunningNode(config, host);
  await node.open(startedAt);
  return node;
}

export class RunningNode {
  readonly config: NodeConfig;
  readonly #host: NodeHost;
  readonly #events: EventRecorder;
  readonly #alarms: Alarms;
  readonly #counters = new ClientCounters();
  readonly #lag = new FollowerLag();
  readonly #keyspace: Keyspace;
  readonly #startedAt = Date.now();
  readonly #ticker: Ticker;
  /** Ticks since #keepHouse. */
  #ticksUnkept = 0;
  readonly #forwarder: Forwarder;
  #disk: NodeDisk | null = null;
  #parts: OpenParts | null = null;
  #faults: NodeFaults = NO_FAULTS;
  #watchdog: Watchdog | null = null;
  #stopping = false;
  #stopped: Promise<void> | null = null;
  #diskHangs = false;

  constructor(config: NodeConfig, host: NodeHost) {
    this.config = config;
    this.#host = host;
    this.#events = new EventRecorder(
      config.nodeId,
      () => performance.timeOrigin + performance.now(),
      (events) => host.events(events),
    );
    this.#alarms = new Alarms(this.#events);
    this.#keyspace = new Keyspace({ historyBytesMax: config.limits.watchHistoryBytesMax });
    this.#ticker = new Ticker(tickIntervalMsOf(config), (count) => this.#tick(count));
    this.#forwarder = new Forwarder({
      lineBytesMax: config.limits.lineBytesMax * 2,
      ...FORWARDER_LIMITS,
      password: config.password ?? null,
      now: () => performance.now(),
    });
  }

  get clientAddress(): string {
    return this.#open.clients.listening.address;
  }

  get peerAddress(): string {
    return this.#open.peers.address;
  }

  /** The disk did not let go of the log when the node stopped. */
  get diskHangs(): boolean {
    return this.#diskHangs;
  }

  get #open(): OpenParts {
    if (this.#parts === null) throw new Error('the node is not open');
    return this.#parts;
  }

  async open(startedAt: number): Promise<void> {
    const { config } = this;
    const disk = await openNodeDisk({
      folder: config.dataDir,
      wasMember: config.wasMember,
      segmentBytes: config.logSegmentBytes,
      keyspace: this.#keyspace,
      onFatal: (error) => this.#diskFailed(error),
      onFaultsChanged: (faults) => this.#faultsChanged({ ...this.#faults, disk: faults }),
    });
    this.#disk = disk;
    const { recovered, store, snapshots: snapshotStore } = disk;
    const raft = new Raft(raftOptionsOf(config, Math.random, disk.hasLostMemory), {
      ...recovered,
      refetchIndex: recovered.lastDurableIndexKnown,
      hasLostMemory: disk.hasLostMemory,
    });
    const { history } = this.#keyspace;
    if (history !== null) beginHistory(history, recovered.entries, raft.commitIndex);
    const loop = new DriveLoop(raft, store, this.#loopHost());
    this.#watchdog = new Watchdog({
      config,
      raft,
      store,
      alarms: this.#alarms,
      onMemoryRestored: disk.hasLostMemory ? () => disk.forgetLoss() : null,
    });
    const members = new NodeMembers({
      config,
      raft,
      forward: (to, line, leader) => this.#forwarder.forward(to, line, leader),
      wake: () => loop.wake(),
    });
    const { book } = members;
    const desk = this.#createDesk(raft, loop, book);
    const resp = this.#createResp(raft, loop, desk, book);
    const snapshots = new NodeSnapshots({
      config,
      raft,
      store,
      snapshots: snapshotStore,
      keyspace: this.#keyspace,
      send: (messages) => this.#open.peers.send(messages),
      wake: () => loop.wake(),
      record: (event) => this.#events.record(event),
    });
    let peers: PeerTransport | null = null;
    try {
      peers = await openPeerPort({
        config,
        raft,
        members,
        events: this.#events,
        log: this.#host.log,
        isStopping: () => this.#stopping,
        snapshotAnswered: (message) => this.#parts?.snapshots.answered(message),
        wake: () => loop.wake(),
      });
      const clients = await this.#openClients({ desk, members, resp });
      this.#parts = { raft, store, loop, desk, members, resp, peers, clients, snapshots };
      members.start(peers);
    } catch (error) {
      await peers?.close();
      await disk.close();
      throw error;
    }
    this.#reportStart(recovered, raft.status().lastIndex, performance.now() - startedAt);
    this.#ticker.start();
    // What is wrong from the start is said before it can be over.
    this.#watchdog?.watch(0);
    loop.start();
  }

  #reportStart(recovered: Recovered, lastIndex: number, recoveryMs: number): void {
    for (const verdict of recovered.verdicts) this.#events.record(recoveryEvent(verdict));
    const { clientAddress, peerAddress } = this;
    this.#events.record({ type: 'started', clientAddress, peerAddress, lastIndex, recoveryMs });
  }

  #loopHost(): ConstructorParameters<typeof DriveLoop>[2] {
    return {
      beforeReady: () => {
        this.#open.desk.submit();
        this.#open.resp.desk.submit();
      },
      send: (messages: readonly Message[]) => {
        this.#events.recordSent(messages);
        this.#open.peers.send(messages);
        // Before this node's own log gets its share: the way over a follower's disk is the longer one.
        this.#open.peers.flush();
      },
      apply: (entries) => this.#open.desk.apply(entries, performance.now(), this.#open.resp.desk),
      serveReads: (reads) => {
        this.#open.desk.confirmReads(reads);
        this.#open.resp.desk.confirmReads(reads);
      },
      snapshots: (wanted, chunks) => this.#open.snapshots.carryOut(wanted, chunks),
      softStateChanged: (softState) => this.#softStateChanged(softState),
      configurationChanged: () => this.#open.members.follow(),
      happened: (events: readonly RaftEvent[]) => {
        for (const event of events) this.#events.record(event);
        this.#open.members.desk.happened(events);
      },
      afterReady: () => this.#open.clients.flush(),
    };
  }

  #createDesk(raft: Raft, loop: DriveLoop, book: MemberBook): RequestDesk {
    return new RequestDesk({
      raft,
      keyspace: this.#keyspace,
      counters: this.#counters,
      watchesPerConnectionMax: this.config.limits.watchesPerConnectionMax,
      requestTimeoutMs: this.config.requestTimeoutMs,
      clientAddressOf: (id) => book.clientAddressOf(id),
      isDiskFull: () => this.#alarms.has('noSpace'),
      statusReply: (id) => statusReplyOf(id, this.status()),
      forward: (to, line, leader) => this.#forwarder.forward(to, line, leader),
      wake: () => loop.wake(),
    });
  }

  #createResp(raft: Raft, loop: DriveLoop, desk: RequestDesk, book: MemberBook): RespNode {
    return new RespNode({
      config: this.config,
      raft,
      keyspace: this.#keyspace,
      counters: this.#counters,
      time: desk.time,
      status: () => this.status(),
      clientStatus: () => this.#open.clients.status(),
      act: (action) => this.act(action),
      clientAddressOf: (id) => book.clientAddressOf(id),
      isDiskFull: () => this.#alarms.has('noSpace'),
      wake: () => loop.wake(),
    });
  }

  #openClients(behind: { desk: RequestDesk; members: NodeMembers; resp: RespNode }): Promise<ClientServer> {
    const { config } = this;
    const { desk, members, resp } = behind;
    const auth = new ClientAuth(config.password ?? null);
    return openClientServer({
      ...config.client,
      limits: config.limits,
      jsonLimits: config.limits,
      log: this.#host.log,
      onRequests: (connection: ClientConnection, requests: readonly ClientRequest[]) => {
        const arrivedAt = performance.now();
        for (const { slot, request, line } of requests) {
          const to = { id: request.id, slot, connection };
          if (!auth.admits(request, to)) continue;
          if (request.type === 'memberList' || request.type === 'memberChange') {
            members.desk.take(request, to, { line, arrivedAt });
          } else {
            desk.take(request, to, { line, arrivedAt });
          }
        }
      },
      resp: (connection) => resp.connect(connection),
      onClosed: (connection) => resp.disconnected(connection),
      pages: createPages(this.config.nodeId, () => this.status(), this.#counters),
    });
  }

  #softStateChanged({ role, leaderId }: SoftState): void {
    if (leaderId !== 0) this.#counters.leaderChangesTotal++;
    if (role === 'leader') return;
    this.#open.desk.leadershipLost();
    this.#open.members.desk.leadershipLost();
    this.#open.resp.desk.leadershipLost();
  }

  /** A hundred times a second, and mostly for nothing: an idle node is a cheap one. */
  #tick(count: number): void {
    const { raft, loop } = this.#open;
    for (let done = 0; done < count; done++) raft.tick();
    this.#ticksUnkept += count;
    const isDue = this.#ticksUnkept * tickIntervalMsOf(this.config) >= HOUSEKEEPING_MS;
    if (isDue) this.#keepHouse();
    if (isDue || raft.hasReady()) loop.wake();
  }

  /** What waits for time to pass, and is measured in more of it than a tick. */
  #keepHouse(): void {
    const { desk, members, resp, snapshots } = this.#open;
    const now = performance.now();
    desk.expire(now);
    resp.tick(now);
    members.tick(now);
    snapshots.watch(now);
    this.#forwarder.expire(now - this.config.requestTimeoutMs);
    this.#watchdog?.watch(this.#ticksUnkept);
    this.#ticksUnkept = 0;
  }

  status(): NodeStatus {
    const { raft, store, members, peers, clients, snapshots } = this.#open;
    return buildStatus({
      members: members.book.list(),
      config: this.config,
      tickIntervalMs: tickIntervalMsOf(this.config),
      startedAt: this.#startedAt,
      raft: raft.status(),
      store: store.status(),
      links: peers.status(),
      keyspace: this.#keyspace.status(),
      connections: clients.status().connections,
      counters: this.#counters,
      lag: this.#lag,
      snapshots,
      faults: this.#faults,
      alarms: this.#alarms.list,
      clientAddress: this.clientAddress,
      peerAddress: this.peerAddress,
    });
  }

  /** Replaces all faults in force. */
  setFaults(faults: NodeFaults): void {
    this.#faultsChanged(faults);
    this.#disk?.setFaults(faults.disk);
    this.#open.peers.setLinkFaults(faults.links);
  }

  #faultsChanged(faults: NodeFaults): void {
    if (JSON.stringify(faults) === JSON.stringify(this.#faults)) return;
    this.#faults = faults;
    this.#events.record({ type: 'faultsChanged', faults });
  }

  /** Throws ActionRefused, saying why, when the node cannot do it now. */
  act(action: NodeAction): Promise<void> {
    const { raft, loop, snapshots } = this.#open;
    return carryOutAction(action, {
      nodeId: this.config.nodeId,
      raft,
      wake: () => loop.wake(),
      powerCut: (seed) => this.#powerCut(seed),
      takeSnapshot: () => snapshots.take(),
    });
  }

  async #powerCut(seed: number): Promise<void> {
    this.#silence();
    const report = await this.#disk?.powerCut(seed);
    this.#host.fatal(ExitCode.powerCut, `power cut (seed ${seed}): ${report}`);
  }

  /** Nothing is acknowledged from here on. */
  #silence(): void {
    this.#stopping = true;
    this.#ticker.stop();
    this.#parts?.loop.stop();
    this.#parts?.resp.close();
    this.#forwarder.close();
    this.#parts?.members.stop();
    void this.#parts?.peers.close();
    void this.#parts?.clients.close();
  }

  #diskFailed(error: LogStoreError): void {
    if (this.#stopping) return;
    this.#silence();
    const { operation, code, message } = error;
    this.#events.record({ type: 'diskFailed', operation, code, message, rule: 'W10' });
    this.#events.flush();
    this.#host.fatal(ExitCode.diskFailed, `disk failed: ${code} on ${operation}: ${message}`);
  }

  /** Hands leadership away, stops taking requests, closes everything. Who asks again waits for the same end. */
  stop(reason: string): Promise<void> {
    this.#stopped ??= this.#stop(reason);
    return this.#stopped;
  }

  async #stop(reason: string): Promise<void> {
    if (this.#stopping) return;
    const { raft, loop, peers, clients, snapshots } = this.#open;
    this.#events.record({ type: 'stopping', reason });
    if (raft.role === 'leader') {
      raft.transferLeadership(0);
      loop.wake();
      await this.#leadershipGone();
    }
    this.#stopping = true;
    this.#ticker.stop();
    this.#forwarder.close();
    this.#parts?.members.stop();
    this.#open.resp.close();
    await clients.close();
    await peers.close();
    loop.stop();
    const letGo = snapshots.close().then(() => this.#disk?.close());
    // Nothing of what a hung disk still holds was acknowledged. [W11]
    this.#diskHangs = !(await inTime(letGo, DISK_CLOSE_MS_MAX));
    this.#events.flush();
  }

  /** Until somebody else leads, or an election timeout has passed. */
  #leadershipGone(): Promise<void> {
    const deadline = performance.now() + this.config.electionTimeoutMs[1];
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#open.raft.role !== 'leader' || performance.now() > deadline) resolve();
        else setTimeout(look, 5);
      };
      look();
    });
  }
}
