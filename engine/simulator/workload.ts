// What the cluster is there for: clients with their requests, a flood of writes that nobody waits for, and, once all
// is healed, the writes that must get through.
import type { NodeId } from '../raft/types.ts';
import type { CounterChecker } from './checkers/counters.ts';
import { SimulatedClient } from './client.ts';
import { drawEphemeral } from './ephemeral.ts';
import type { HistoryRecorder } from './history.ts';
import type { Network } from './network.ts';
import type { SimulatedNode } from './node.ts';
import { type SimulationPlan, TIME_PER_TICK } from './plan.ts';
import type { Random } from './random.ts';
import type { ClientReply, ClientRequest } from './requests.ts';

export interface WorkloadWorld {
  readonly now: () => number;
  readonly schedule: (delay: number, kind: string, run: () => void) => void;
  readonly nodes: readonly SimulatedNode[];
  /** Those of them that the cluster has now. */
  readonly members: () => readonly SimulatedNode[];
  readonly network: Network;
  readonly history: HistoryRecorder;
  readonly counters: CounterChecker;
  readonly count: (what: string) => void;
}

/** Writes that must get through after the faults. */
const PROBES = 3;
const PROBE_TICKS = 4;
const PROBE_TICKS_MAX = 128;
const FLOOD_KEYS = 8;
/** Longest time between two writes of keys that end. */
const EPHEMERAL_TICKS = 40;

export class Workload {
  readonly #world: WorkloadWorld;
  readonly #plan: SimulationPlan;
  readonly #random: Random;
  readonly #clients: readonly SimulatedClient[];
  #probes = 0;
  #isFinishing = false;
  #isQuiet = false;

  constructor(world: WorkloadWorld, plan: SimulationPlan, random: Random) {
    this.#world = world;
    this.#plan = plan;
    this.#random = random;
    const clientWorld = {
      ...world,
      request: (node: NodeId, request: ClientRequest, onReply: (reply: ClientReply) => void) =>
        this.#request(node, request, onReply),
      nodeIds: () => world.members().map((node) => node.id),
    };
    this.#clients = Array.from(
      { length: plan.clients.count },
      (_, at) => new SimulatedClient(clientWorld, at + 1, plan.clients, random.fork(`client ${at + 1}`)),
    );
  }

  start(): void {
    for (const client of this.#clients) client.start();
    if (this.#plan.clients.floodSize > 0) this.#flood();
    if (this.#plan.hasTime) this.#writeEphemeral(1);
  }

  /**
   * No new operations; those under way get their answers, and some writes more must get through. `isQuiet`: what is
   * under way is given up, and nothing is written before `nodesAreOne`.
   */
  finish({ isQuiet }: { isQuiet: boolean }): void {
    this.#isFinishing = true;
    this.#isQuiet = isQuiet;
    for (const client of this.#clients) {
      client.isStopping = true;
      if (isQuiet) client.abandon();
    }
    this.#probe();
  }

  /** The nodes agree on everything: from here on there may be writes. */
  nodesAreOne(): void {
    this.#isQuiet = false;
  }

  /** What is not done yet, or null. */
  whatIsMissing(): string | null {
    if (this.#probes < PROBES) return `${this.#probes} writes got through, and ${PROBES} must`;
    const waiting = this.#clients.find((client) => !client.isIdle);
    return waiting === undefined ? null : `client ${waiting.id} waits for an answer`;
  }

  /** Clients are on the network too, but nobody cuts them off from a node that lives. */
  #request(id: NodeId, request: ClientRequest, onReply: (reply: ClientReply) => void): void {
    const { network, nodes } = this.#world;
    const { trouble } = network;
    const node = nodes.find((each) => each.id === id);
    const copies = this.#random.chance(trouble.loss) ? 0 : 1;
    // Only a session makes it harmless to be heard twice.
    const mayRepeat = request.type === 'write' && request.proposal.session !== null;
    const repeats = mayRepeat && this.#random.chance(trouble.duplicates) ? 1 : 0;
    for (let copy = 0; copy < copies + repeats; copy++) {
      this.#world.schedule(this.#clientTime(), 'request', () => {
        node?.request(request, (reply) => {
          if (this.#random.chance(trouble.loss)) return;
          this.#world.schedule(this.#clientTime(), 'reply', () => onReply(reply));
        });
      });
    }
  }

  /** Writes that nobody waits for, to one that leads or thinks so: logs grow, where they must not last as well. */
  #flood(): void {
    const { floodSize, floodIntervalTicks } = this.#plan.clients;
    this.#world.schedule(1 + this.#random.below(floodIntervalTicks * 2 * TIME_PER_TICK), 'flood', () => {
      if (this.#isFinishing) return;
      this.#flood();
      const leaders = this.#world.nodes.filter((node) => node.isUp && node.raft.role === 'leader');
      if (leaders.length === 0) return;
      const leader = this.#random.pick(leaders);
      for (let left = 1 + this.#random.below(floodSize); left > 0; left--) {
        const value = 'x'.repeat(this.#random.pick([0, 10, 10, 300]));
        const command = { type: 'set', key: `f${this.#random.below(FLOOD_KEYS)}`, value, kind: 0 } as const;
        leader.request({ type: 'write', proposal: { command, session: null } }, () => undefined);
      }
    });
  }

  /** Keys that end, at whoever leads or thinks so. */
  #writeEphemeral(number: number): void {
    this.#world.schedule(1 + this.#random.below(EPHEMERAL_TICKS * TIME_PER_TICK), 'ephemeral', () => {
      if (this.#isFinishing) return;
      this.#writeEphemeral(number + 1);
      const leaders = this.#world.nodes.filter((node) => node.isUp && node.raft.role === 'leader');
      if (leaders.length === 0) return;
      const command = drawEphemeral(this.#random, number);
      const leader = this.#random.pick(leaders);
      leader.request({ type: 'write', proposal: { command, session: null } }, () => undefined);
    });
  }

  #clientTime(): number {
    const { delayed, delayMax } = this.#world.network.trouble;
    const extra = delayed > 0 && this.#random.chance(delayed) ? this.#random.below(delayMax + 1) : 0;
    return this.#random.within(this.#plan.linkTime) + extra;
  }

  /** Writes until enough have got through and nobody is missing entries; each waits longer for the one before. */
  #probe(waitTicks = PROBE_TICKS): void {
    const { nodes, schedule, members } = this.#world;
    const isMissing = members().some((node) => !node.isUp || node.raft.isRefetching);
    if (this.#probes >= PROBES && !isMissing && !this.#isQuiet) return;
    const leader = nodes.find((node) => node.isUp && node.raft.role === 'leader');
    // A log with a hole must grow past what it lost, which may be more than anybody else has. [E11]
    const lastIndex = leader?.log.lastIndex ?? 0;
    const isShort = members().some((node) => node.disk.refetchIndex > lastIndex);
    if (this.#isQuiet && !isShort) {
      schedule(PROBE_TICKS * TIME_PER_TICK, 'probe', () => this.#probe());
      return;
    }
    const command = { type: 'set', key: 'probe', value: String(this.#probes), kind: 0 } as const;
    let isAnswered = leader === undefined;
    leader?.request({ type: 'write', proposal: { command, session: null } }, (reply) => {
      isAnswered = true;
      if (reply.type === 'written') this.#probes += 1;
    });
    // Otherwise not faster than a follower with the smallest window can keep up with.
    schedule(waitTicks * TIME_PER_TICK, 'probe', () => {
      this.#probe(isAnswered || isShort ? PROBE_TICKS : Math.min(waitTicks * 2, PROBE_TICKS_MAX));
    });
  }
}
