// A simulated node: the production core and keyspace on a simulated disk, and the host loop that carries out each
// Ready in the order that raft/ready.ts gives. It dies between any two actions of that loop when told to.
import { Keyspace } from '../kv/keyspace.ts';
import { KeyspaceRestorer } from '../kv/keyspace-dump.ts';
import { crc32 } from '../protocol/crc32.ts';
import type { RaftOptions } from '../raft/options.ts';
import { Raft } from '../raft/raft.ts';
import type { Ready } from '../raft/ready.ts';
import {
  type Configuration,
  type Entry,
  EntryKind,
  type Message,
  type NodeId,
  type RaftEvent,
} from '../raft/types.ts';
import { countOutcome, proposalOf } from './applied-outcome.ts';
import type { NodeView } from './checkers/checker.ts';
import type { CheckerSet } from './checkers/checker-set.ts';
import { SimulatedDisk, sumOf } from './disk.ts';
import { type SnapshotPlan, TIME_PER_TICK } from './plan.ts';
import type { Random } from './random.ts';
import { RequestDesk } from './request-desk.ts';
import type { ClientRequest, ReplyTo } from './requests.ts';
import { ShadowLog } from './shadow-log.ts';
import { SnapshotHost } from './snapshot-host.ts';

/** What a node needs of the world around it. */
export interface NodeWorld {
  readonly now: () => number;
  readonly schedule: (delay: number, kind: string, run: () => void) => void;
  readonly send: (message: Message) => void;
  readonly checkers: CheckerSet;
  readonly count: (what: string) => void;
  readonly happened: (node: NodeId, event: RaftEvent) => void;
  readonly trace: (node: NodeId, what: string, detail: string) => void;
  /** The node has just gone down. */
  readonly died: (node: SimulatedNode, how: Death) => void;
}

export type Death = 'crash' | 'kill' | 'ioError';

export interface NodeOptions {
  raft: RaftOptions;
  /** Whom it is started with as its peers: voters, where it has lost its memory and cannot wait to be told. [E14] */
  founders: readonly NodeId[];
  syncTime: readonly [min: number, max: number];
  turnTimeMax: number;
  tickTime: number;
  snapshots: SnapshotPlan;
  /** How far its clock is ahead of simulated time, in milliseconds; null: proposals carry no time. */
  clockAhead: number | null;
}

const NOBODY: Configuration = { voters: [], votersOutgoing: [], learners: [] };

/** Unwinds the turn of a node that dies in the middle of it. */
export class NodeDied extends Error {
  override readonly name = 'NodeDied';
}

export class SimulatedNode implements NodeView {
  readonly id: NodeId;
  readonly disk: SimulatedDisk;
  readonly options: NodeOptions;
  life = 0;
  /** It takes part, or is about to: up, or to come back. */
  isEngaged: boolean;
  isUp = false;
  isPaused = false;
  raft: Raft;
  keyspace = new Keyspace();
  log = new ShadowLog();
  /** Simulated time between two ticks: its own idea of time. */
  tickTime: number;
  readonly #world: NodeWorld;
  readonly #random: Random;
  /** What it is started with: nobody, where it joins. [M9] */
  #configuration: Configuration;
  #desk: RequestDesk;
  #snapshots: SnapshotHost;
  /** Handed to the disk and not yet durable, or waiting behind such. Oldest first. */
  #outstanding: { ready: Ready; persists: boolean }[] = [];
  #isTurnScheduled = false;
  /** What came in while the process was stopped. */
  #deferred: (() => void)[] = [];
  /** Actions until it dies in the middle of a turn; null: it does not. */
  #fuse: { actions: number; how: Death } | null = null;
  #wasDiskBad = false;

  constructor(world: NodeWorld, options: NodeOptions, random: Random) {
    this.#world = world;
    this.options = options;
    this.#random = random;
    this.id = options.raft.nodeId;
    this.#configuration = options.raft.configuration;
    this.isEngaged = this.#configuration.voters.includes(this.id);
    this.tickTime = options.tickTime;
    this.disk = new SimulatedDisk(
      {
        now: world.now,
        schedule: world.schedule,
        syncTime: options.syncTime,
        batchDurable: () => world.checkers.batchDurable(this),
        failed: () => this.#attempt(() => this.die('ioError')),
      },
      random.fork('disk'),
    );
    this.raft = this.#createCore();
    this.#desk = this.#createDesk();
    this.#snapshots = this.#createSnapshots();
  }

  // --- life and death

  /** Reads the disk and begins anew. */
  start(): void {
    this.life += 1;
    this.isUp = true;
    this.isPaused = false;
    this.#deferred = [];
    this.#outstanding = [];
    this.#isTurnScheduled = false;
    this.#fuse = null;
    this.#wasDiskBad = false;
    this.keyspace = new Keyspace();
    this.raft = this.#createCore();
    this.#desk = this.#createDesk();
    this.#snapshots = this.#createSnapshots();
    this.#world.checkers.nodeStarted(this);
    this.#scheduleTick(this.#random.below(this.tickTime));
    this.wake();
  }

  #createCore(): Raft {
    const { disk } = this;
    if (disk.shelf.dropDamaged()) this.#world.count('recovery: damaged snapshot');
    const found = disk.start();
    if (found.verdict !== 'whole') this.#world.count(`recovery: ${found.verdict}`);
    this.log = disk.durableLog.copy();
    const snapshot = disk.shelf.newest;
    if (snapshot !== null) {
      this.log.compact(snapshot.index);
      const restorer = new KeyspaceRestorer();
      restorer.push(snapshot.bytes);
      this.keyspace.restore(restorer.finish());
    }
    const { baseIndex: lastIncludedIndex, baseTerm: lastIncludedTerm } = this.log;
    const options = { ...this.options.raft, configuration: this.#configurationAtStart };
    return new Raft(options, {
      hardState: found.hardState,
      entries: found.entries.filter((entry) => entry.index > lastIncludedIndex),
      lastIncludedIndex,
      lastIncludedTerm,
      configuration: snapshot?.configuration ?? null,
      refetchIndex: found.lastDurableIndexKnown,
      hasLostMemory: disk.hasLostMemory,
    });
  }

  get #configurationAtStart(): Configuration {
    if (!this.disk.hasLostMemory || this.#configuration.voters.length > 0) return this.#configuration;
    return { ...NOBODY, voters: [...new Set([...this.options.founders, this.id])] };
  }

  #createSnapshots(): SnapshotHost {
    const { checkers, count } = this.#world;
    return new SnapshotHost({
      nodeId: this.id,
      raft: this.raft,
      keyspace: this.keyspace,
      disk: this.disk,
      log: this.log,
      plan: this.options.snapshots,
      send: (messages) => this.#send(messages),
      later: (delay, run) => this.#later(delay, 'snapshot', run),
      wake: () => this.wake(),
      restored: (index) => checkers.restored(this, index),
      dumped: (index, bytes) => checkers.stateDumped(this, index, crc32(bytes)),
      count,
    });
  }

  #createDesk(): RequestDesk {
    const { checkers, count, now } = this.#world;
    const { clockAhead } = this.options;
    return new RequestDesk({
      raft: this.raft,
      keyspace: this.keyspace,
      wallClock: clockAhead === null ? null : () => now() / TIME_PER_TICK + clockAhead,
      isDiskFull: () => this.disk.isFull,
      readAsked: (token) => checkers.readAsked(this, token),
      readConfirmed: (token, index) => checkers.readConfirmed(this, token, index),
      count,
    });
  }

  die(how: Death): void {
    if (!this.isUp) return;
    this.isUp = false;
    this.isPaused = false;
    this.#deferred = [];
    this.#fuse = null;
    this.disk.crash(how === 'kill');
    this.#world.died(this, how);
  }

  /** Taken away for good, with its disk. Under its id another may come. */
  retire(): void {
    this.isEngaged = false;
    this.#configuration = NOBODY;
    this.life += 1;
    this.isUp = false;
    this.isPaused = false;
    this.#deferred = [];
    this.#fuse = null;
    this.disk.crash(true);
    this.disk.wipe();
    this.disk.markWhole();
    this.#world.checkers.nodeRetired(this);
  }

  /** Lets it die in the middle of what it does next, or at the end of `actions` actions of its host. */
  lightFuse(actions: number, how: Death): void {
    if (this.isUp) this.#fuse = { actions, how };
  }

  putOutFuse(): void {
    this.#fuse = null;
  }

  #burn(): void {
    const fuse = this.#fuse;
    if (fuse === null) return;
    fuse.actions -= 1;
    if (fuse.actions >= 0) return;
    this.die(fuse.how);
    throw new NodeDied();
  }

  pause(): void {
    this.isPaused = true;
  }

  /** What came in meanwhile is dealt with at once, some of it a turn, as by a process that finds its sockets full. */
  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    const deferred = this.#deferred;
    this.#deferred = [];
    let delay = 0;
    for (const run of deferred) {
      delay += this.#random.below(3);
      this.#later(delay, 'resumed', run);
    }
  }

  // --- inputs

  /** Runs now, when the process is no longer stopped, or never when it is gone by then. */
  #attempt(run: () => void): void {
    if (!this.isUp) return;
    if (this.isPaused) {
      this.#deferred.push(run);
      return;
    }
    try {
      run();
    } catch (error) {
      if (!(error instanceof NodeDied)) throw error;
    }
  }

  #later(delay: number, kind: string, run: () => void): void {
    const { life } = this;
    this.#world.schedule(delay, kind, () => {
      if (life === this.life) this.#attempt(run);
    });
  }

  #scheduleTick(delay: number): void {
    const { life } = this;
    this.#world.schedule(delay, 'tick', () => {
      if (life !== this.life || !this.isUp) return;
      // A stopped process misses its ticks, and does not catch up on them.
      if (!this.isPaused) this.#attempt(() => this.#tick());
      this.#scheduleTick(this.tickTime);
    });
  }

  #tick(): void {
    this.#watchDisk();
    this.raft.tick();
    this.#snapshots.tick();
    if (this.raft.hasReady()) this.wake();
  }

  /** A node that cannot write must not lead. [E13] [W11] [W12] */
  #watchDisk(): void {
    const [, timeoutTicks] = this.options.raft.electionTimeoutTicks;
    const isBad = this.disk.isFull || this.disk.syncInFlightTime > timeoutTicks * this.tickTime;
    if (isBad === this.#wasDiskBad) return;
    this.#wasDiskBad = isBad;
    this.raft.setEligible(!isBad);
    this.#world.count(isBad ? 'disk found bad' : 'disk good again');
    if (isBad && this.raft.role === 'leader') this.raft.transferLeadership(0);
  }

  receive(message: Message): void {
    this.#attempt(() => {
      this.raft.step(message);
      if (message.type === 'InstallSnapshotResponse') this.#snapshots.answered(message);
      this.wake();
    });
  }

  request(request: ClientRequest, replyTo: ReplyTo): void {
    this.#attempt(() => {
      this.#desk.take(request, replyTo);
      this.wake();
    });
  }

  /** Anything else that a host may do to its core. */
  poke(action: (raft: Raft) => void): void {
    this.#attempt(() => {
      action(this.raft);
      this.wake();
    });
  }

  // --- the host loop

  wake(): void {
    if (this.#isTurnScheduled) return;
    this.#isTurnScheduled = true;
    this.#later(this.#random.below(this.options.turnTimeMax), 'turn', () => this.#turn());
  }

  #turn(): void {
    this.#isTurnScheduled = false;
    this.#desk.submit();
    while (this.raft.hasReady()) this.#carryOut(this.raft.ready());
    const { disk } = this;
    if ((disk.refetchIndex !== 0 || disk.hasLostMemory) && !this.raft.isRefetching) {
      this.#world.count(disk.hasLostMemory ? 'rejoined' : 'refetched');
      disk.markWhole();
    }
  }

  #carryOut(ready: Ready): void {
    const { checkers, happened } = this.#world;
    for (const entry of ready.entries) this.#shadow(entry);
    for (const event of ready.events) happened(this.id, event);
    checkers.readyTaken(this);
    this.#send(ready.messages);
    this.#burn();
    this.#persist(ready);
    for (const entry of ready.committed) this.#apply(entry);
    if (ready.reads.length > 0) this.#desk.confirmReads(ready.reads);
    this.#desk.serveReads();
    this.#snapshots.carryOut(ready.snapshotsWanted, ready.snapshotChunks);
    if (ready.softState !== null && ready.softState.role !== 'leader') this.#desk.leadershipLost();
    this.#burn();
  }

  #shadow(entry: Entry): void {
    const previousTerm = this.log.termAt(entry.index - 1) ?? 0;
    const sum = sumOf(entry);
    this.log.put(entry, sum);
    const { index, term } = entry;
    this.#world.checkers.entryHanded(this, { index, term, sum, previousTerm, entry });
  }

  #send(messages: readonly Message[]): void {
    for (const message of messages) {
      this.#burn();
      this.#world.checkers.messageLeft(this, message);
      this.#world.send(message);
    }
  }

  #persist(ready: Ready): void {
    const persists = ready.hardState !== null || ready.entries.length > 0;
    if (!persists && this.#outstanding.length === 0) {
      this.#settle(ready);
      return;
    }
    if (!persists && ready.messagesAfterSync.length === 0) return;
    this.#outstanding.push({ ready, persists });
    if (!persists) return;
    const { life } = this;
    this.disk.append({ hardState: ready.hardState, entries: ready.entries }, () => {
      if (life === this.life) this.#attempt(() => this.#batchDurable());
    });
  }

  /** The oldest batch is durable, and so is what only waited behind it. */
  #batchDurable(): void {
    let passed = 0;
    for (const { ready, persists } of this.#outstanding) {
      if (persists && passed > 0) break;
      passed += 1;
      this.#settle(ready);
    }
    this.#outstanding.splice(0, passed);
    this.wake();
  }

  #settle(ready: Ready): void {
    this.#send(ready.messagesAfterSync);
    this.#burn();
    this.raft.advance(ready);
  }

  #apply(entry: Entry): void {
    this.#burn();
    const isCommand = entry.kind === EntryKind.command;
    const proposal = isCommand ? proposalOf(entry) : null;
    const result = isCommand ? this.keyspace.apply(entry.index, entry.term, entry.data) : null;
    const { checkers, count } = this.#world;
    checkers.applied(this, { entry, sum: sumOf(entry), proposal, result });
    if (result === null) return;
    countOutcome(entry, proposal, result, count);
    // Clients are told as the entry is applied, which is after the disk has it wherever that counts.
    if (this.#desk.applied(entry, result)) {
      checkers.writeAcknowledged({ index: entry.index, term: entry.term });
    }
  }
}
