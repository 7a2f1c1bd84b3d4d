// What is committed stays: it is on the disks of a majority, it is the same for everybody, it never goes back, and
// every later leader has it. Raft paper §5.4 [C1] [C2]
import type { NodeId } from '../../raft/types.ts';
import { type Checker, type ClusterView, type HandedEntry, type NodeView, Violation } from './checker.ts';
import { type ConfigurationBook, isQuorum, type PlacedConfiguration } from './configuration-book.ts';

interface Committed {
  term: number;
  sum: number;
  /** In which it was committed: leaders of later terms must have it. */
  inTerm: number;
}

export class Commitment implements Checker {
  readonly name = 'commitment';
  readonly #cluster: ClusterView;
  readonly #configurations: ConfigurationBook;
  readonly #decided: (node: NodeView, decision: { index: number; holders: ReadonlySet<NodeId> }) => void;
  /** From index 1 on. */
  readonly #committed: Committed[] = [];
  /** By node: the first entry of the Ready that is being looked at. */
  readonly #firstHanded = new Map<number, number>();
  /** By node: life and commit index when last looked at. */
  readonly #seen = new Map<number, { life: number; commitIndex: number; ledTerm: number }>();

  /** `decided` is told of each new end of what is committed. */
  constructor(
    cluster: ClusterView,
    configurations: ConfigurationBook,
    decided: (node: NodeView, decision: { index: number; holders: ReadonlySet<NodeId> }) => void,
  ) {
    this.#cluster = cluster;
    this.#configurations = configurations;
    this.#decided = decided;
  }

  /** Highest index that any node has known to be committed. */
  get lastIndex(): number {
    return this.#committed.length;
  }

  termAt(index: number): number | null {
    return this.#committed[index - 1]?.term ?? null;
  }

  nodeStarted(node: NodeView): void {
    this.#seen.set(node.id, { life: node.life, commitIndex: 0, ledTerm: 0 });
    this.#look(node);
  }

  entryHanded(node: NodeView, { index }: HandedEntry): void {
    if (!this.#firstHanded.has(node.id)) this.#firstHanded.set(node.id, index);
  }

  readyTaken(node: NodeView): void {
    this.#look(node);
    this.#firstHanded.delete(node.id);
  }

  #look(node: NodeView): void {
    const seen = this.#seen.get(node.id);
    if (seen === undefined || seen.life !== node.life) throw new Error(`n${node.id} was not started`);
    const { role, currentTerm, commitIndex } = node.raft;
    if (commitIndex < seen.commitIndex) {
      const steps = `from ${seen.commitIndex} to ${commitIndex}`;
      throw new Violation(this.name, 'C1', `the commit index of n${node.id} goes back ${steps}`);
    }
    if (role === 'leader' && seen.ledTerm !== currentTerm) {
      seen.ledTerm = currentTerm;
      this.#checkLeader(node, 1);
    }
    if (commitIndex === seen.commitIndex) return;
    const known = this.#committed.length;
    this.#take(node, seen.commitIndex + 1, commitIndex);
    seen.commitIndex = commitIndex;
    if (this.#committed.length === known) return;
    this.#checkDurable(node, commitIndex);
    for (const other of this.#cluster.nodes) {
      if (other.isUp && other.raft.role === 'leader') this.#checkLeader(other, known + 1);
    }
  }

  #take(node: NodeView, from: number, to: number): void {
    if (to > node.log.lastIndex) {
      throw new Violation(
        this.name,
        'C1',
        `n${node.id} commits ${to}, and its log ends at ${node.log.lastIndex}`,
      );
    }
    const top = node.log.termAt(to) ?? 0;
    // A follower may hear of it only in a later term than it happened in.
    const inTerm = node.raft.role === 'leader' ? node.raft.currentTerm : top;
    const { baseIndex, baseTerm } = node.log;
    if (baseIndex >= from) this.#checkSnapshot(node, { index: baseIndex, term: baseTerm });
    for (let index = Math.max(from, baseIndex + 1); index <= to; index++) {
      const term = node.log.termAt(index);
      const sum = node.log.sumAt(index);
      if (term === null || sum === null) throw new Error(`n${node.id} has no entry ${index}`);
      const known = this.#committed[index - 1];
      if (known === undefined) this.#committed.push({ term, sum, inTerm });
      else if (known.term !== term || known.sum !== sum) {
        const both = `of term ${known.term} and of term ${term}`;
        throw new Violation(
          this.name,
          'C2',
          `n${node.id} commits another entry ${index}: both ${both} are committed`,
        );
      }
    }
  }

  /** A snapshot stands for committed entries, and no others. [S8] */
  #checkSnapshot(node: NodeView, { index, term }: { index: number; term: number }): void {
    const committed = this.#committed[index - 1];
    if (committed?.term === term) return;
    const stands = committed === undefined ? 'nothing' : `term ${committed.term}`;
    const what = `n${node.id} has a snapshot up to entry ${index} of term ${term}`;
    throw new Violation(this.name, 'S8', `${what}, and ${stands} is committed there`);
  }

  /** On the disks of a majority, but for what corruption has taken since. [L8] */
  #checkDurable(node: NodeView, index: number): void {
    const term = node.log.termAt(index);
    const holders = this.#cluster.nodes.filter(
      ({ disk }) =>
        disk.durableLog.termAt(index) === term ||
        (disk.shelf.newest?.index ?? 0) >= index ||
        disk.refetchIndex >= index ||
        disk.hasLostMemory,
    );
    const ids = new Set(holders.map(({ id }) => id));
    const { configuration } = this.#configurationOf(node, ids);
    if (isQuorum(configuration, ids)) {
      this.#decided(node, { index, holders: ids });
      return;
    }
    const names = [...ids].map((id) => `n${id}`).join(', ') || 'nobody';
    const { voters, votersOutgoing } = configuration;
    const needed = [votersOutgoing, voters].filter((set) => set.length > 0).map((set) => `[${set}]`);
    const what = `n${node.id} (${node.raft.role}) commits entry ${index} of term ${term}`;
    const whose = `on the disks of ${names} alone, of majorities of ${needed.join(' and ')}`;
    throw new Violation(this.name, 'L8', `${what}, which is ${whose}`);
  }

  /** A configuration that was handed out in this very turn may be younger than the decision. */
  #configurationOf(node: NodeView, holders: ReadonlySet<NodeId>): PlacedConfiguration {
    const newest = this.#configurations.inForce(node.log);
    const firstHanded = this.#firstHanded.get(node.id) ?? Number.POSITIVE_INFINITY;
    let placed = newest;
    while (placed.index >= firstHanded && !isQuorum(placed.configuration, holders)) {
      placed = this.#configurations.inForce(node.log, placed.index);
    }
    return placed;
  }

  /** Leader completeness. Raft paper §5.4.3 [C2] */
  #checkLeader(leader: NodeView, from: number): void {
    for (let index = Math.max(from, leader.log.baseIndex + 1); index <= this.#committed.length; index++) {
      const committed = this.#committed[index - 1] as Committed;
      if (committed.inTerm >= leader.raft.currentTerm) continue;
      const term = leader.log.termAt(index);
      if (term === committed.term) continue;
      const has = term === null ? 'has none' : `has one of term ${term}`;
      const what = `entry ${index} of term ${committed.term}, committed in term ${committed.inTerm}`;
      throw new Violation(
        this.name,
        'C2',
        `n${leader.id} leads term ${leader.raft.currentTerm} without ${what}: it ${has}`,
      );
    }
  }
}
