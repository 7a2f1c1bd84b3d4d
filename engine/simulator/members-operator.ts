// Whoever runs the cluster, as far as its members go: starts nodes and has them taken in, promoted, removed and
// replaced, at any moment and without waiting, and takes away who is a member no more.

import type { ConfigurationChange } from '../raft/membership.ts';
import { members } from '../raft/quorum.ts';
import type { Configuration, NodeId } from '../raft/types.ts';
import type { ConfigurationBook } from './checkers/configuration-book.ts';
import type { SimulatedNode } from './node.ts';
import type { Random } from './random.ts';

export interface MembersWorld {
  readonly nodes: readonly SimulatedNode[];
  readonly configurations: ConfigurationBook;
  readonly start: (node: SimulatedNode) => void;
  /** It goes away with its disk, and its connections break. */
  readonly retire: (node: SimulatedNode) => void;
  readonly happened: (node: NodeId, detail: string) => void;
  /** A leader has begun to give a vote to the newcomer. */
  readonly begun: (leader: NodeId, newcomer: NodeId) => void;
  readonly count: (what: string) => void;
}

export class MembersOperator {
  readonly #world: MembersWorld;
  readonly #random: Random;
  /**
   * Taken away with their disks. Such an id must not come back: as it catches up, it would pass through times in
   * which it had a vote, with nobody to tell it that they are gone. docs/BUGS.md tells how that ends.
   */
  readonly #spent = new Set<NodeId>();
  /** Adding them was begun by some leader, and they have not been seen as members since. */
  readonly #awaited = new Set<NodeId>();

  constructor(world: MembersWorld, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  /** Members by the newest configuration that is committed. */
  get members(): readonly SimulatedNode[] {
    const ids = new Set(members(this.#world.configurations.committed.configuration));
    return this.#world.nodes.filter((node) => ids.has(node.id));
  }

  /**
   * Its folder may be damaged now: a majority stays whole. Not while a change may be under way: the newest entries may
   * then be on a learner, which votes for nobody with fewer and does not campaign itself.
   */
  mayDamage(node: SimulatedNode): boolean {
    if (this.#world.configurations.possible.length > 1) return false;
    const damaged = new Set([...this.#damaged, node.id]);
    return this.#world.configurations.possible.every((configuration) => isBearable(configuration, damaged));
  }

  /** Whoever is left of those that the node is started with can tell it who the members are. [E14] */
  mayWipe(node: SimulatedNode): boolean {
    return this.#knowsAMember(node, members(this.#world.configurations.committed.configuration));
  }

  #knowsAMember({ id, options }: SimulatedNode, present: readonly NodeId[]): boolean {
    return options.founders.some((peer) => peer !== id && present.includes(peer));
  }

  get #damaged(): NodeId[] {
    const bad = this.#world.nodes.filter(({ disk }) => disk.refetchIndex !== 0 || disk.hasLostMemory);
    return bad.map(({ id }) => id);
  }

  /** Asks whoever leads, or thinks so, for one change. */
  change(): void {
    this.#takeAway();
    const { nodes, count } = this.#world;
    const leaders = nodes.filter((node) => node.isUp && node.raft.role === 'leader');
    if (leaders.length === 0) return;
    const leader = this.#random.pick(leaders);
    const change = this.#drawChange(leader);
    if (change === null) return;
    const id = 'member' in change ? change.member.id : change.id;
    const by = change.type === 'replace' ? ` by n${change.by}` : '';
    this.#world.happened(leader.id, `is to ${change.type} n${id}${by}`);
    leader.poke((raft) => {
      // Nobody who knows what he does lets a majority of voters without votes come about.
      const { voters: votersOutgoing } = raft.configuration;
      const after = { voters: votersAfter(votersOutgoing, change), votersOutgoing };
      if (!isBearable(after, new Set(this.#damaged))) return;
      if (change.type === 'remove' || change.type === 'replace') {
        const staying = members(raft.configuration).filter((each) => each !== change.id);
        const lost = nodes.filter((node) => node.disk.hasLostMemory && staying.includes(node.id));
        if (!lost.every((node) => this.#knowsAMember(node, staying))) return;
      }
      const result = raft.proposeConfiguration(change);
      count(result.accepted ? `change begun: ${change.type}` : `change refused: ${result.why}`);
      if (!result.accepted) return;
      if (change.type === 'addLearner') this.#expect(id);
      if (change.type === 'promote') this.#world.begun(leader.id, id);
      if (change.type === 'replace') this.#world.begun(leader.id, change.by);
    });
  }

  /** A leader that was stopped meanwhile may take in who has been taken away since. */
  #expect(id: NodeId): void {
    this.#awaited.add(id);
    const node = this.#world.nodes.find((each) => each.id === id);
    if (node !== undefined) this.#engage(node);
  }

  #engage(node: SimulatedNode): void {
    if (node.isEngaged) return;
    node.isEngaged = true;
    this.#world.start(node);
  }

  #drawChange(leader: SimulatedNode): ConfigurationChange | null {
    const random = this.#random;
    const { voters, learners } = leader.raft.configuration;
    const known = members(leader.raft.configuration);
    const strangers = this.#world.nodes.filter(({ id }) => !known.includes(id) && !this.#spent.has(id));
    const choices: (() => ConfigurationChange)[] = [];
    if (strangers.length > 0)
      choices.push(
        () => this.#add(random.pick(strangers)),
        () => this.#add(random.pick(strangers)),
      );
    if (learners.length > 0) {
      for (let more = 0; more < 3; more++)
        choices.push(() => ({ type: 'promote', id: random.pick(learners) }));
      for (let more = 0; more < 3; more++) {
        choices.push(() => ({ type: 'replace', id: random.pick(voters), by: random.pick(learners) }));
      }
      if (random.chance(0.2)) choices.push(() => ({ type: 'remove', id: random.pick(learners) }));
    }
    if (voters.length > 1) choices.push(() => ({ type: 'remove', id: random.pick(voters) }));
    return choices.length === 0 ? null : random.pick(choices)();
  }

  #add(node: SimulatedNode): ConfigurationChange {
    this.#engage(node);
    return { type: 'addLearner', member: { id: node.id, client: '', peer: '' } };
  }

  /**
   * Who is in no configuration that is or may yet be in force: the newest committed one does not name it, and the one
   * that took it in is committed too, so that no older one can come back.
   */
  #takeAway(): void {
    const { nodes, configurations, retire, happened } = this.#world;
    const { configuration } = configurations.committed;
    const present = new Set(members(configuration));
    for (const id of present) this.#awaited.delete(id);
    if (configuration.votersOutgoing.length > 0) return;
    for (const node of nodes) {
      if (!node.isEngaged || present.has(node.id) || this.#awaited.has(node.id)) continue;
      // Some stay for a while, and must not disturb anybody. [M7]
      if (!this.#random.chance(0.2)) continue;
      happened(node.id, 'is taken away');
      this.#spent.add(node.id);
      retire(node);
    }
  }
}

function votersAfter(voters: readonly NodeId[], change: ConfigurationChange): readonly NodeId[] {
  if ('member' in change) return voters;
  const others = voters.filter((id) => id !== change.id);
  if (change.type === 'remove') return others;
  return [...others, change.type === 'replace' ? change.by : change.id];
}

/** Of each set of voters, a majority is whole. */
function isBearable(
  { voters, votersOutgoing }: Pick<Configuration, 'voters' | 'votersOutgoing'>,
  damaged: ReadonlySet<NodeId>,
): boolean {
  return [voters, votersOutgoing].every(
    (set) => set.filter((id) => damaged.has(id)).length <= Math.max(0, Math.floor((set.length - 1) / 2)),
  );
}
