// All checkers of a run behind one call each: only those that look at an event are asked.
import type { Message, NodeId } from '../../raft/types.ts';
import { Acknowledgement } from './acknowledgement.ts';
import { Application } from './application.ts';
import type { AppliedEntry, Checker, ClusterView, HandedEntry, NodeView } from './checker.ts';
import { Commitment } from './commitment.ts';
import { ConfigurationBook } from './configuration-book.ts';
import { Durability } from './durability.ts';
import { ElectionSafety } from './election-safety.ts';
import { EndsOfKeys } from './ends-of-keys.ts';
import { LogMatching } from './log-matching.ts';
import { Membership } from './membership.ts';
import { OwnTermCommit } from './own-term-commit.ts';
import { ReadFreshness } from './read-freshness.ts';
import { SessionOnce } from './session-once.ts';

type Method = Exclude<keyof Checker, 'name'>;

export class CheckerSet {
  readonly commitment: Commitment;
  readonly configurations: ConfigurationBook;
  readonly #all: readonly Checker[];
  readonly #by: { readonly [M in Method]: readonly (Checker & Required<Pick<Checker, M>>)[] };

  /** `without`: names of checkers to leave out, to see what the others find. */
  constructor(cluster: ClusterView, without: readonly string[] = []) {
    const initial = { voters: cluster.voters, votersOutgoing: [], learners: [] };
    const configurations: ConfigurationBook = new ConfigurationBook(initial, (index) =>
      this.commitment.termAt(index),
    );
    const commitment = new Commitment(cluster, configurations, (node, decision) =>
      this.#decided(node, decision),
    );
    this.commitment = commitment;
    this.configurations = configurations;
    this.#all = [
      new ElectionSafety(),
      new LogMatching(),
      commitment,
      new OwnTermCommit(),
      new Application(),
      new Durability(),
      new SessionOnce(),
      new EndsOfKeys(),
      new ReadFreshness(commitment),
      new Acknowledgement(commitment),
      new Membership(configurations),
    ].filter((checker) => !without.includes(checker.name));
    this.#by = {
      nodeStarted: this.#with('nodeStarted'),
      entryHanded: this.#with('entryHanded'),
      elected: this.#with('elected'),
      decided: this.#with('decided'),
      nodeRetired: this.#with('nodeRetired'),
      readyTaken: this.#with('readyTaken'),
      batchDurable: this.#with('batchDurable'),
      messageLeft: this.#with('messageLeft'),
      applied: this.#with('applied'),
      restored: this.#with('restored'),
      stateDumped: this.#with('stateDumped'),
      readAsked: this.#with('readAsked'),
      readConfirmed: this.#with('readConfirmed'),
      writeAcknowledged: this.#with('writeAcknowledged'),
    };
  }

  #with<M extends Method>(method: M): (Checker & Required<Pick<Checker, M>>)[] {
    return this.#all.filter(
      (checker): checker is Checker & Required<Pick<Checker, M>> => checker[method] !== undefined,
    );
  }

  nodeStarted(node: NodeView): void {
    for (const checker of this.#by.nodeStarted) checker.nodeStarted(node);
  }

  entryHanded(node: NodeView, handed: HandedEntry): void {
    this.configurations.entryHanded(handed.entry);
    for (const checker of this.#by.entryHanded) checker.entryHanded(node, handed);
  }

  elected(node: NodeView, votes: readonly NodeId[]): void {
    for (const checker of this.#by.elected) checker.elected(node, votes);
  }

  #decided(node: NodeView, decision: { index: number; holders: ReadonlySet<NodeId> }): void {
    for (const checker of this.#by.decided) checker.decided(node, decision);
  }

  nodeRetired(node: NodeView): void {
    for (const checker of this.#by.nodeRetired) checker.nodeRetired(node);
  }

  readyTaken(node: NodeView): void {
    for (const checker of this.#by.readyTaken) checker.readyTaken(node);
  }

  batchDurable(node: NodeView): void {
    for (const checker of this.#by.batchDurable) checker.batchDurable(node);
  }

  messageLeft(node: NodeView, message: Message): void {
    for (const checker of this.#by.messageLeft) checker.messageLeft(node, message);
  }

  applied(node: NodeView, applied: AppliedEntry): void {
    for (const checker of this.#by.applied) checker.applied(node, applied);
  }

  restored(node: NodeView, index: number): void {
    for (const checker of this.#by.restored) checker.restored(node, index);
  }

  stateDumped(node: NodeView, index: number, sum: number): void {
    for (const checker of this.#by.stateDumped) checker.stateDumped(node, index, sum);
  }

  readAsked(node: NodeView, token: number): void {
    for (const checker of this.#by.readAsked) checker.readAsked(node, token);
  }

  readConfirmed(node: NodeView, token: number, index: number): void {
    for (const checker of this.#by.readConfirmed) checker.readConfirmed(node, token, index);
  }

  writeAcknowledged(written: { index: number; term: number }): void {
    for (const checker of this.#by.writeAcknowledged) checker.writeAcknowledged(written);
  }
}
