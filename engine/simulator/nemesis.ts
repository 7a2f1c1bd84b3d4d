// Makes faults happen: each kind that the plan has on comes again and again, at moments and of a size drawn from
// the seed. What a fault does to disks, links and nodes is theirs; this decides when and to whom.
import type { NodeId } from '../raft/types.ts';
import { type Network, NO_TROUBLE } from './network.ts';
import type { Death, SimulatedNode } from './node.ts';
import { drawOneWay, drawPartition, isolate, type PartitionShape, setApart } from './partition-shapes.ts';
import { type FaultKind, type SimulationPlan, TIME_PER_TICK } from './plan.ts';
import type { Random } from './random.ts';

export interface NemesisWorld {
  readonly now: () => number;
  readonly schedule: (delay: number, kind: string, run: () => void) => void;
  readonly nodes: readonly SimulatedNode[];
  readonly network: Network;
  /** Both sides find that their connection is gone, and later that it stands again. */
  readonly disconnect: (a: NodeId, b: NodeId) => void;
  readonly reconnect: (a: NodeId, b: NodeId) => void;
  readonly happened: (kind: FaultKind, node: NodeId, detail: string) => void;
  /** One change of members is asked for, whatever comes of it. */
  readonly changeMembers: () => void;
  /** The cluster can bear it that the node's folder is damaged. */
  readonly mayDamage: (node: SimulatedNode) => boolean;
  /** Its folder may be emptied now. */
  readonly mayWipe: (node: SimulatedNode) => boolean;
}

/** Ticks between two faults of a kind, on average, at an intensity of one half. */
const INTERVAL_TICKS: Record<FaultKind, number> = {
  crash: 120,
  kill: 120,
  pause: 150,
  partition: 120,
  oneWay: 120,
  disconnect: 60,
  loss: 150,
  delay: 150,
  reorder: 150,
  duplicate: 150,
  stale: 400,
  clockRate: 200,
  slowSync: 150,
  hungSync: 250,
  ioError: 250,
  noSpace: 250,
  // Looked for whenever a node starts; the interval means nothing.
  bitFlip: 1e9,
  wipe: 1e9,
  // Follows elections.
  assassin: 1e9,
  transfer: 80,
  campaign: 80,
  members: 12,
};

export class Nemesis {
  readonly #world: NemesisWorld;
  readonly #plan: SimulationPlan;
  readonly #random: Random;
  readonly #begin: Record<FaultKind, (intensity: number) => void>;
  #isStopped = false;

  constructor(world: NemesisWorld, plan: SimulationPlan, random: Random) {
    this.#world = world;
    this.#plan = plan;
    this.#random = random;
    this.#begin = {
      crash: () => this.#kill('crash'),
      kill: () => this.#kill('kill'),
      pause: () => this.#pause(this.#victim()),
      partition: () => this.#cut('partition', drawPartition(this.#ids, this.#leader, this.#random)),
      oneWay: () => this.#cut('oneWay', drawOneWay(this.#ids, this.#leader, this.#random)),
      disconnect: () => this.#disconnect(),
      loss: (intensity) => this.#trouble('loss', { loss: 0.02 + 0.4 * intensity * this.#random.next() }),
      delay: (intensity) => {
        const delayMax = Math.ceil(TIME_PER_TICK * (2 + 40 * intensity * this.#random.next()));
        this.#trouble('delay', { delayed: this.#random.next(), delayMax });
      },
      reorder: () => this.#trouble('reorder', { reordered: this.#random.next() }),
      duplicate: () => this.#trouble('duplicate', { duplicates: 0.5 * this.#random.next() }),
      stale: () => this.#trouble('stale', { keepsStale: true }),
      clockRate: (intensity) => this.#changeClock(intensity),
      slowSync: (intensity) => this.#slowDisk(intensity),
      hungSync: () => this.#hangDisk(),
      ioError: () => this.#failDisk(),
      noSpace: () => this.#fillDisk(),
      bitFlip: () => undefined,
      wipe: () => undefined,
      assassin: () => undefined,
      transfer: () => this.#transfer(),
      campaign: () => this.#campaign(),
      members: () => this.#world.changeMembers(),
    };
  }

  start(): void {
    for (const [kind, intensity] of this.#plan.faults) this.#planNext(kind, intensity);
  }

  /** Nothing new happens from now on, and what was under way is over. */
  stop(): void {
    this.#isStopped = true;
    const { nodes, network } = this.#world;
    network.healAll();
    Object.assign(network.trouble, NO_TROUBLE);
    for (const node of nodes) {
      node.tickTime = node.options.tickTime;
      node.disk.slowness = 1;
      node.disk.hungUntil = 0;
      node.disk.isFailing = false;
      node.disk.isFull = false;
      node.resume();
      if (node.isUp) node.disk.resume();
    }
  }

  /** Asked as a node is about to start: damages its disk, where the cluster can bear it. */
  beforeStart(node: SimulatedNode): void {
    if (this.#isStopped) return;
    const { happened, mayDamage } = this.#world;
    // With a majority corrupt there is nobody left to refetch from: no protocol helps then.
    if (!mayDamage(node)) return;
    const flips = this.#plan.faults.get('bitFlip') ?? 0;
    const wipes = this.#plan.faults.get('wipe') ?? 0;
    if (this.#random.chance(flips / 2) && node.disk.shelf.flipBit(this.#random)) {
      happened('bitFlip', node.id, 'a bit of its newest snapshot has flipped');
    } else if (this.#random.chance(flips) && node.disk.flipBit()) {
      happened('bitFlip', node.id, 'a bit of its log has flipped');
    } else if (this.#random.chance(wipes / 3) && this.#mayWipe(node)) {
      node.disk.wipe();
      this.#world.network.forget(node.id);
      happened('wipe', node.id, 'its folder is empty');
    }
  }

  /** Two without memory wait for each other. */
  #mayWipe(node: SimulatedNode): boolean {
    const { nodes, mayWipe } = this.#world;
    return mayWipe(node) && !nodes.some((other) => other !== node && other.disk.hasLostMemory);
  }

  /** The moments right after an election are those in which old and new entries meet. */
  leaderElected(leader: SimulatedNode): void {
    const intensity = this.#plan.faults.get('assassin');
    if (intensity === undefined || this.#isStopped || !this.#random.chance(intensity)) return;
    if (this.#random.chance(0.3)) {
      // Before its first message has left.
      this.#world.happened('assassin', leader.id, 'nobody will hear that it has won');
      if (this.#random.chance(0.5)) leader.lightFuse(this.#random.below(3), 'kill');
      else this.#cut('partition', isolate(this.#ids, leader.id));
      return;
    }
    const { life } = leader;
    const delay = this.#random.below(this.#random.pick([1, 3, 10]) * TIME_PER_TICK);
    this.#world.schedule(delay, 'fault', () => {
      if (this.#isStopped || leader.life !== life || !leader.isUp) return;
      this.#world.happened('assassin', leader.id, 'it has just won');
      this.#assassinate(leader);
    });
  }

  /** A leader and a new voter: right after the change is when majorities of old and new could be strangers. */
  changeBegun(leader: NodeId, newcomer: NodeId): void {
    const intensity = this.#plan.faults.get('partition');
    if (intensity === undefined || this.#isStopped || !this.#random.chance(intensity / 2)) return;
    this.#cut('partition', setApart(this.#ids, [leader, newcomer]));
  }

  /** A log whose end was just replaced is the one that corruption hurts most: what is left may be the old end. */
  logTruncated(node: SimulatedNode): void {
    const intensity = this.#plan.faults.get('bitFlip');
    if (intensity === undefined || this.#isStopped || !this.#random.chance(intensity / 2)) return;
    const { life } = node;
    this.#endAfter([1, 15], () => {
      if (node.life !== life || !node.isUp) return;
      this.#world.happened('kill', node.id, 'the end of its log was just replaced');
      node.die('kill');
    });
  }

  #assassinate(leader: SimulatedNode): void {
    switch (this.#random.below(4)) {
      case 0:
        leader.die('crash');
        return;
      case 1:
        leader.lightFuse(this.#random.below(12), 'kill');
        return;
      case 2:
        this.#pause(leader);
        return;
      default:
        this.#cut('partition', isolate(this.#ids, leader.id));
    }
  }

  get #ids(): readonly NodeId[] {
    return this.#engaged.map((node) => node.id);
  }

  get #engaged(): readonly SimulatedNode[] {
    return this.#world.nodes.filter((node) => node.isEngaged);
  }

  get #leader(): NodeId {
    const leaders = this.#world.nodes.filter((node) => node.isUp && node.raft.role === 'leader');
    return leaders.sort((a, b) => b.raft.currentTerm - a.raft.currentTerm)[0]?.id ?? 0;
  }

  #planNext(kind: FaultKind, intensity: number): void {
    const mean = INTERVAL_TICKS[kind] / ((0.5 + intensity) * this.#plan.faultRate);
    const delay = Math.ceil(-Math.log(1 - this.#random.next()) * mean * TIME_PER_TICK);
    this.#world.schedule(delay, 'fault', () => {
      if (this.#isStopped) return;
      this.#begin[kind](intensity);
      this.#planNext(kind, intensity);
    });
  }

  /** Undone after a while, unless everything is healed before. */
  #endAfter(ticks: readonly [number, number], end: () => void): void {
    const delay = this.#random.within(ticks) * TIME_PER_TICK;
    this.#world.schedule(delay, 'fault', () => {
      if (!this.#isStopped) end();
    });
  }

  /** One of those that are up, the leader more often than others; null when there is none. */
  #victim(): SimulatedNode | null {
    const up = this.#world.nodes.filter((node) => node.isUp);
    if (up.length === 0) return null;
    const leader = this.#leader;
    const leading = up.find((node) => node.id === leader);
    return leading !== undefined && this.#random.chance(0.4) ? leading : this.#random.pick(up);
  }

  #kill(how: Death & FaultKind): void {
    const node = this.#victim();
    if (node === null) return;
    const isNow = this.#random.chance(0.4);
    this.#world.happened(how, node.id, isNow ? 'at rest' : 'in the middle of a turn');
    if (isNow) {
      node.die(how);
      return;
    }
    const { life } = node;
    node.lightFuse(this.#random.below(10), how);
    this.#endAfter([1, 10], () => {
      if (node.life === life) node.die(how);
    });
  }

  #pause(node: SimulatedNode | null): void {
    if (node === null || node.isPaused) return;
    node.pause();
    const { life } = node;
    this.#world.happened('pause', node.id, 'stopped');
    this.#endAfter([2, 120], () => {
      if (node.life !== life) return;
      this.#world.happened('pause', node.id, 'goes on');
      node.resume();
    });
  }

  #cut(kind: 'partition' | 'oneWay', shape: PartitionShape): void {
    const { network, happened } = this.#world;
    for (const { from, to } of shape.cuts) network.cut(from, to);
    happened(kind, 0, shape.name);
    const isNoticed = this.#random.chance(0.4);
    if (isNoticed) for (const { from, to } of shape.cuts) if (from < to) this.#world.disconnect(from, to);
    this.#endAfter([5, 150], () => {
      happened(kind, 0, `${shape.name}: over`);
      for (const { from, to } of shape.cuts) network.join(from, to);
      if (isNoticed) for (const { from, to } of shape.cuts) if (from < to) this.#world.reconnect(from, to);
    });
  }

  #disconnect(): void {
    const [a, b] = this.#random.shuffled(this.#ids);
    if (a === undefined || b === undefined) return;
    this.#world.happened('disconnect', a, `from n${b}`);
    this.#world.disconnect(a, b);
    this.#endAfter([0, 10], () => this.#world.reconnect(a, b));
  }

  #trouble(kind: FaultKind, trouble: Partial<Network['trouble']>): void {
    const { network, happened } = this.#world;
    Object.assign(network.trouble, trouble);
    happened(
      kind,
      0,
      Object.values(trouble)
        .map((value) => (typeof value === 'number' ? value.toFixed(2) : value))
        .join(', '),
    );
    const names = Object.keys(trouble) as (keyof Network['trouble'])[];
    this.#endAfter([20, 300], () => {
      for (const name of names) Object.assign(network.trouble, { [name]: NO_TROUBLE[name] });
    });
  }

  #changeClock(intensity: number): void {
    const node = this.#random.pick(this.#engaged);
    // Up to three times as fast, or as slow.
    const factor = 3 ** (intensity * (2 * this.#random.next() - 1));
    node.tickTime = Math.max(1, Math.round(TIME_PER_TICK * factor));
    this.#world.happened(
      'clockRate',
      node.id,
      `one tick takes ${(node.tickTime / TIME_PER_TICK).toFixed(2)}`,
    );
  }

  #slowDisk(intensity: number): void {
    const node = this.#random.pick(this.#engaged);
    const { disk } = node;
    disk.slowness = 2 + 60 * intensity * this.#random.next();
    this.#world.happened('slowSync', node.id, `syncs take ${disk.slowness.toFixed(0)} times as long`);
    this.#endAfter([20, 200], () => {
      disk.slowness = 1;
    });
  }

  #hangDisk(): void {
    const node = this.#victim();
    if (node === null) return;
    const ticks = this.#random.within([5, 150]);
    node.disk.hungUntil = this.#world.now() + ticks * TIME_PER_TICK;
    this.#world.happened('hungSync', node.id, `for ${ticks} ticks`);
  }

  #failDisk(): void {
    const node = this.#victim();
    if (node === null) return;
    node.disk.isFailing = true;
    this.#world.happened('ioError', node.id, 'the next sync fails');
  }

  #fillDisk(): void {
    const node = this.#victim();
    if (node === null || node.disk.isFull) return;
    node.disk.isFull = true;
    this.#world.happened('noSpace', node.id, 'the disk is full');
    this.#endAfter([10, 150], () => {
      this.#world.happened('noSpace', node.id, 'there is room again');
      node.disk.isFull = false;
      if (node.isUp) node.disk.resume();
    });
  }

  #transfer(): void {
    const leader = this.#world.nodes.find((node) => node.id === this.#leader);
    if (leader === undefined) return;
    const target = this.#random.chance(0.4) ? 0 : this.#random.pick(this.#ids);
    this.#world.happened('transfer', leader.id, target === 0 ? 'to whoever is best' : `to n${target}`);
    leader.poke((raft) => void raft.transferLeadership(target));
  }

  #campaign(): void {
    const node = this.#victim();
    if (node === null) return;
    this.#world.happened('campaign', node.id, 'asked to');
    node.poke((raft) => raft.campaign());
  }
}
