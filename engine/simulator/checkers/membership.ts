// Members change through both majorities only, one change at a time, and whoever decides has met whoever decided
// before: no two quorums that can know nothing of each other. Raft paper §6. [M2] [M3]
import type { Configuration, Entry, NodeId } from '../../raft/types.ts';
import { EntryKind } from '../../raft/types.ts';
import { type Checker, type NodeView, Violation } from './checker.ts';
import { type ConfigurationBook, isQuorum } from './configuration-book.ts';

export class Membership implements Checker {
  readonly name = 'membership';
  readonly #book: ConfigurationBook;
  /** On whose disks the last committed entry was when it was found to be committed. */
  #lastDecision: { index: number; holders: ReadonlySet<NodeId> } = { index: 0, holders: new Set() };

  constructor(book: ConfigurationBook) {
    this.#book = book;
  }

  entryHanded(node: NodeView, { entry }: { entry: Entry }): void {
    if (entry.kind !== EntryKind.configuration) return;
    const { configuration: after } = this.#book.inForce(node.log, entry.index + 1);
    const before = this.#book.inForce(node.log, entry.index);
    const objection = objectionTo(before.configuration, after);
    if (objection !== null) {
      throw new Violation(
        this.name,
        'M2',
        `n${node.id} has at ${entry.index} ${textOf(after)} after ${textOf(before.configuration)}: ${objection}`,
      );
    }
    const isOwn = node.raft.role === 'leader' && entry.term === node.raft.currentTerm;
    if (!isOwn || before.index <= node.raft.commitIndex) return;
    const both = `the change at ${before.index} is not committed, and n${node.id} begins another at ${entry.index}`;
    throw new Violation(this.name, 'M3', both);
  }

  elected(node: NodeView, votes: readonly NodeId[]): void {
    const voters = new Set([node.id, ...votes]);
    const { configuration } = this.#book.inForce(node.log);
    const names = [...voters].map((id) => `n${id}`).join(', ');
    const what = `n${node.id} leads term ${node.raft.currentTerm} by the votes of ${names}`;
    if (!isQuorum(configuration, voters)) {
      throw new Violation(this.name, 'M2', `${what}, and needs majorities of ${textOf(configuration)}`);
    }
    const { index, holders } = this.#lastDecision;
    if (index === 0 || [...voters].some((id) => holders.has(id))) return;
    const others = [...holders].map((id) => `n${id}`).join(', ');
    throw new Violation(
      this.name,
      'M2',
      `${what}; entry ${index} was committed by ${others}, and nobody is in both`,
    );
  }

  decided(_node: NodeView, decision: { index: number; holders: ReadonlySet<NodeId> }): void {
    this.#lastDecision = decision;
  }
}

function objectionTo(before: Configuration, after: Configuration): string | null {
  const isJointBefore = before.votersOutgoing.length > 0;
  const isJointAfter = after.votersOutgoing.length > 0;
  if (isJointBefore && isJointAfter) return 'one joint configuration after another';
  if (isJointAfter) {
    return isSame(after.votersOutgoing, before.voters) ? null : 'the outgoing voters are not those of before';
  }
  return isSame(after.voters, before.voters) ? null : 'voters change in a single step';
}

function isSame(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}

function textOf({ voters, votersOutgoing }: Configuration): string {
  return votersOutgoing.length === 0 ? `[${voters}]` : `[${votersOutgoing}] and [${voters}]`;
}
