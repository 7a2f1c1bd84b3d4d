// A whole cluster with its clients and its faults on one thread. One seed decides everything: the same plan gives
// the same run, event by event. First a phase in which anything goes wrong, then one in which all must heal.
import { configurationCodec } from '../protocol/configuration-codec.ts';
import type { Message, NodeId, RaftEvent } from '../raft/types.ts';
import { type ClusterView, Violation } from './checkers/checker.ts';
import { CheckerSet } from './checkers/checker-set.ts';
import { CounterChecker } from './checkers/counters.ts';
import { checkLinearizable, checkStatesEqual } from './checkers/final-state.ts';
import { Convergence } from './convergence.ts';
import { EventQueue } from './event-queue.ts';
import { HistoryRecorder } from './history.ts';
import { MembersOperator } from './members-operator.ts';
import { Nemesis } from './nemesis.ts';
import { Network } from './network.ts';
import { type Death, type NodeWorld, SimulatedNode } from './node.ts';
import { type FaultKind, type SimulationPlan, TIME_PER_TICK } from './plan.ts';
import { Random } from './random.ts';
import { rulesOfMessage, rulesOfObservation } from './rule-coverage.ts';
import { describe, traceHeader, traceLine } from './trace.ts';
import { Workload } from './workload.ts';

export interface SimulationOptions {
  /** Told of every line of the trace. */
  trace?: ((line: string) => void) | undefined;
  /** Messages too. */
  tracesMessages?: boolean | undefined;
  /** Names of checkers to leave out. */
  withoutCheckers?: readonly string[] | undefined;
}

export interface FoundViolation {
  checker: string;
  rule: string;
  message: string;
  step: number;
  tick: number;
}

export interface SimulationResult {
  plan: SimulationPlan;
  /** Null: nothing went wrong that must not. */
  violation: FoundViolation | null;
  steps: number;
  ticks: number;
  /** From the end of the faults until all were one again. */
  healingTicks: number;
  elections: number;
  committed: number;
  operations: number;
  /** The search for an order was given up: neither proved nor refuted. */
  isUndecided: boolean;
  faults: ReadonlyMap<string, number>;
  rules: ReadonlyMap<string, number>;
  /** Everything else worth counting. */
  counts: ReadonlyMap<string, number>;
}

/** Time of a tick of one node, half open: the quickest clock is a sixth faster than the slowest. */
const LEASE_TICK_TIME = [93, 109] as const;
export function simulate(plan: SimulationPlan, options: SimulationOptions = {}): SimulationResult {
  return new Simulation(plan, options).run();
}

/** Where clocks begin, in milliseconds, and how far they are apart. */
const CLOCK_BEGIN = 1_000_000;
const CLOCK_SPREAD = 200;

class Simulation implements ClusterView {
  readonly nodes: readonly SimulatedNode[];
  readonly voters: readonly NodeId[];
  readonly #plan: SimulationPlan;
  readonly #options: SimulationOptions;
  readonly #random: Random;
  readonly #queue = new EventQueue();
  readonly #network: Network;
  readonly #nemesis: Nemesis;
  readonly #checkers: CheckerSet;
  readonly #history = new HistoryRecorder();
  readonly #counters = new CounterChecker();
  readonly #workload: Workload;
  readonly #operator: MembersOperator;
  readonly #convergence: Convergence;
  readonly #faults = new Map<string, number>();
  readonly #rules = new Map<string, number>();
  readonly #counts = new Map<string, number>();
  readonly #now = (): number => this.#time;
  readonly #schedule = (delay: number, kind: string, run: () => void): void =>
    this.#queue.push(this.#time + delay, kind, run);
  #time = 0;
  #steps = 0;
  #isHealing = false;
  #elections = 0;

  constructor(plan: SimulationPlan, options: SimulationOptions) {
    this.#plan = plan;
    this.#options = options;
    const random = new Random(plan.seed).fork('run');
    this.#random = random.fork('world');
    this.voters = Array.from({ length: plan.nodes }, (_, at) => at + 1);
    this.#checkers = new CheckerSet(this, options.withoutCheckers);
    this.#network = new Network(
      {
        now: this.#now,
        schedule: this.#schedule,
        linkTime: plan.linkTime,
        deliver: (message) => this.#nodeOf(message.to).receive(message),
        count: this.#count,
      },
      random.fork('network'),
    );
    this.nodes = this.#createNodes(random);
    const world = { now: this.#now, schedule: this.#schedule, nodes: this.nodes, network: this.#network };
    this.#operator = new MembersOperator(
      {
        ...world,
        configurations: this.#checkers.configurations,
        start: (node) => this.#start(node),
        retire: (node) => this.#retire(node),
        happened: (node, detail) => this.#faultHappened('members', node, detail),
        begun: (leader, newcomer) => this.#nemesis.changeBegun(leader, newcomer),
        count: this.#count,
      },
      random.fork('members'),
    );
    this.#nemesis = new Nemesis(
      {
        ...world,
        disconnect: (a, b) => this.#disconnect(a, b),
        reconnect: (a, b) => this.#reconnect(a, b),
        happened: (kind, node, detail) => this.#faultHappened(kind, node, detail),
        changeMembers: () => this.#operator.change(),
        mayDamage: (node) => this.#operator.mayDamage(node),
        mayWipe: (node) => this.#operator.mayWipe(node),
      },
      plan,
      random.fork('faults'),
    );
    this.#workload = new Workload(
      {
        ...world,
        members: () => this.#operator.members,
        history: this.#history,
        counters: this.#counters,
        count: this.#count,
      },
      plan,
      random.fork('workload'),
    );
    this.#convergence = new Convergence({
      nodes: this.nodes,
      plan,
      workload: this.#workload,
      now: this.#now,
    });
  }

  #createNodes(random: Random): SimulatedNode[] {
    const { nodes, spares, hasLeases, hasTime } = this.#plan;
    const first = { voters: this.voters, votersOutgoing: [], learners: [] };
    // Who joins knows of no members before it is told.
    const nobody = { voters: [], votersOutgoing: [], learners: [] };
    const world: NodeWorld = {
      now: this.#now,
      schedule: this.#schedule,
      send: (message) => this.#send(message),
      checkers: this.#checkers,
      count: this.#count,
      happened: (node, event) => this.#eventHappened(node, event),
      trace: (node, what, detail) => this.#trace(node, what, detail),
      died: (node, how) => this.#nodeDied(node, how),
    };
    return Array.from({ length: nodes + spares }, (_, at) => {
      const nodeId = at + 1;
      const configuration = nodeId <= nodes ? first : nobody;
      const own = random.fork(`node ${nodeId}`);
      // Leases allow for clocks that differ a little.
      const tickTime = hasLeases ? own.fork('clock').within(LEASE_TICK_TIME) : TIME_PER_TICK;
      const raft = {
        ...this.#plan.raft,
        nodeId,
        configuration,
        configurationCodec,
        random: own.fork('core').next,
        leaseClock: hasLeases ? () => this.#time / tickTime : null,
      };
      const { syncTime, turnTimeMax, snapshots } = this.#plan;
      const clockAhead = hasTime ? CLOCK_BEGIN + own.fork('wall clock').below(CLOCK_SPREAD) : null;
      const options = { raft, founders: this.voters, syncTime, turnTimeMax, snapshots, tickTime, clockAhead };
      return new SimulatedNode(world, options, own);
    });
  }

  run(): SimulationResult {
    this.#options.trace?.(traceHeader(this.nodes));
    let isUndecided = false;
    let violation: FoundViolation | null = null;
    try {
      for (const node of this.nodes) if (node.isEngaged) this.#start(node);
      this.#workload.start();
      this.#nemesis.start();
      while (this.#steps < this.#plan.steps) this.#step();
      this.#heal();
      while (!this.#convergence.isReached()) this.#step();
      isUndecided = !this.#checkEnd();
    } catch (error) {
      violation = this.#violationOf(error);
      this.#trace(0, 'VIOLATION', `${violation.checker} [${violation.rule}]: ${violation.message}`);
    }
    return {
      plan: this.#plan,
      violation,
      steps: this.#steps,
      ticks: Math.round(this.#time / TIME_PER_TICK),
      healingTicks: this.#isHealing ? Math.round(this.#convergence.elapsedTicks) : 0,
      elections: this.#elections,
      committed: this.#checkers.commitment.lastIndex,
      operations: this.#history.operationCount,
      isUndecided,
      faults: this.#faults,
      rules: this.#rules,
      counts: this.#counts,
    };
  }

  #violationOf(error: unknown): FoundViolation {
    const at = { step: this.#steps, tick: Math.round(this.#time / TIME_PER_TICK) };
    if (error instanceof Violation) {
      const { checker, rule, message } = error;
      return { checker, rule, message, ...at };
    }
    // An assertion of the core, or a fault of the simulator itself: the first line of the stack says where.
    const where = error instanceof Error ? (error.stack?.split('\n')[1]?.trim() ?? '') : '';
    const message = error instanceof Error ? `${error.message} (${where})` : String(error);
    return { checker: 'assertion', rule: '', message, ...at };
  }

  #step(): void {
    const event = this.#queue.pop();
    if (event === null) throw new Error('nothing will ever happen again');
    this.#steps += 1;
    this.#time = event.time;
    event.run();
  }

  // --- nodes and links

  #nodeOf(id: NodeId): SimulatedNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new RangeError(`no node ${id}`);
    return node;
  }

  #start(node: SimulatedNode): void {
    this.#nemesis.beforeStart(node);
    node.start();
    this.#trace(node.id, 'starts', whatIsLost(node));
    for (const other of this.nodes) if (other !== node && other.isUp) this.#reconnect(node.id, other.id);
  }

  #nodeDied(node: SimulatedNode, how: Death): void {
    this.#trace(node.id, 'dies', how);
    if (how === 'ioError') this.#count('died of an I/O error');
    for (const other of this.nodes) {
      if (other === node) continue;
      this.#network.breakConnection(node.id, other.id);
      // A process that dies takes its connections down; a machine without power says nothing.
      if (other.isUp && this.#random.chance(how === 'crash' ? 0.2 : 0.8)) this.#tellLost(other, node.id);
    }
    const { life } = node;
    const downTicks = this.#isHealing ? 5 : this.#random.pick([2, 20, 60, 200]);
    this.#schedule(1 + this.#random.below(downTicks * TIME_PER_TICK), 'restart', () => {
      if (node.life === life && !node.isUp) this.#start(node);
    });
  }

  #retire(node: SimulatedNode): void {
    for (const other of this.nodes) {
      if (other === node) continue;
      this.#network.breakConnection(node.id, other.id);
      if (other.isUp) this.#tellLost(other, node.id);
    }
    this.#network.forget(node.id);
    node.retire();
    this.#trace(node.id, 'retires', '');
  }

  #disconnect(a: NodeId, b: NodeId): void {
    this.#network.breakConnection(a, b);
    this.#tellLost(this.#nodeOf(a), b);
    this.#tellLost(this.#nodeOf(b), a);
  }

  #tellLost(node: SimulatedNode, peer: NodeId): void {
    const { life } = node;
    this.#schedule(1 + this.#random.below(3 * TIME_PER_TICK), 'notice', () => {
      if (node.life !== life) return;
      this.#count('peer lost');
      node.poke((raft) => raft.peerLost(peer));
    });
  }

  /** Each side finds the connection standing at a moment of its own. */
  #reconnect(a: NodeId, b: NodeId): void {
    for (const [node, peer] of [
      [this.#nodeOf(a), b],
      [this.#nodeOf(b), a],
    ] as const) {
      const { life } = node;
      this.#schedule(1 + this.#random.below(5 * TIME_PER_TICK), 'notice', () => {
        if (node.life !== life || !this.#network.passes(a, b) || !this.#network.passes(b, a)) return;
        this.#count('peer connected');
        node.poke((raft) => raft.peerConnected(peer));
      });
    }
  }

  #send(message: Message): void {
    this.#count(message.type);
    rulesOfMessage(message, this.#hitRule);
    if (this.#options.tracesMessages) this.#trace(message.from, message.type, describe(message));
    this.#network.send(message);
  }

  // --- healing

  #heal(): void {
    this.#isHealing = true;
    this.#convergence.begin();
    this.#trace(0, 'HEALING', 'no faults from here on');
    this.#nemesis.stop();
    for (const node of this.nodes) {
      node.putOutFuse();
      if (!node.isUp && node.isEngaged)
        this.#schedule(1 + this.#random.below(5 * TIME_PER_TICK), 'restart', () => {
          if (!node.isUp && node.isEngaged) this.#start(node);
        });
      for (const other of this.nodes) if (node.id < other.id) this.#reconnect(node.id, other.id);
    }
    this.#workload.finish({ isQuiet: this.#plan.isQuietHealing });
  }

  /** False: whether the history is linearizable could not be decided. */
  #checkEnd(): boolean {
    const { leader } = this.#convergence;
    if (leader === null) throw new Error('the cluster is one, and nobody leads');
    checkStatesEqual(this.#convergence.membersOf(leader.raft.configuration));
    const { keyspace } = leader;
    this.#counters.finish((key) => Number(keyspace.get(key)?.value ?? 0));
    for (let at = 0; at < this.#plan.clients.keys; at++) {
      const key = `k${at}`;
      const value = keyspace.get(key)?.value ?? null;
      const read = this.#history.invoke({ process: `final/${key}`, f: 'read', key, value });
      this.#history.finish(read, 'ok');
    }
    return checkLinearizable(this.#history.entries());
  }

  // --- what is told about it

  readonly #count = (what: string): void => {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
    rulesOfObservation(what, this.#hitRule);
  };

  readonly #hitRule = (rule: string): void => {
    this.#rules.set(rule, (this.#rules.get(rule) ?? 0) + 1);
  };

  #eventHappened(node: NodeId, event: RaftEvent): void {
    this.#hitRule(event.rule);
    if (event.type === 'leaderElected') {
      this.#elections += 1;
      const leader = this.#nodeOf(node);
      if (leader.raft.currentTerm === event.term) this.#checkers.elected(leader, event.votes);
      this.#nemesis.leaderElected(leader);
    }
    if (event.type === 'logTruncated') this.#nemesis.logTruncated(this.#nodeOf(node));
    if (this.#options.trace !== undefined) this.#trace(node, event.type, describe(event));
  }

  #faultHappened(kind: FaultKind, node: NodeId, detail: string): void {
    this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + 1);
    this.#trace(node, `* ${kind}`, detail);
  }

  #trace(node: NodeId, what: string, detail: string): void {
    const { trace } = this.#options;
    if (trace === undefined) return;
    trace(traceLine({ step: this.#steps, time: this.#time, node, what, detail }, this.nodes));
  }
}

function whatIsLost({ disk }: SimulatedNode): string {
  if (disk.hasLostMemory) return 'without memory';
  return disk.refetchIndex === 0 ? '' : `refetches up to ${disk.refetchIndex}`;
}
