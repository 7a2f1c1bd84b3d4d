// Nothing leaves a node before what it speaks for is on the node's disk, and what is on disk never goes back. Raft
// paper figure 2; thesis §10.2.1 [E1] [E3] [L8] [W1]
import type { AppendEntriesResponse, Message } from '../../raft/types.ts';
import { type Checker, type NodeView, Violation } from './checker.ts';

export class Durability implements Checker {
  readonly name = 'durability';
  /** `forgotten`: the commit index that its core no longer believes, and that batches without one still carry. [C7] */
  readonly #saved = new Map<
    number,
    { life: number; term: number; votedFor: number; commitIndex: number; forgotten: number }
  >();

  nodeStarted(node: NodeView): void {
    // What an emptied folder must not lead to shows elsewhere: two votes in a term, a lost entry. [E14]
    if (node.disk.hasLostMemory) this.#saved.delete(node.id);
    this.#look(node, 'starts with');
    // A log with a hole begins anew with its commit index: what was known is of another log. [C7] So does an emptied one.
    const saved = this.#saved.get(node.id);
    const beginsAnew = node.disk.refetchIndex !== 0 || node.disk.hasLostMemory;
    if (saved === undefined || !beginsAnew) return;
    saved.forgotten = Math.max(saved.forgotten, saved.commitIndex);
    saved.commitIndex = 0;
  }

  nodeRetired(node: NodeView): void {
    this.#saved.delete(node.id);
  }

  batchDurable(node: NodeView): void {
    this.#look(node, 'saves');
  }

  #look(node: NodeView, does: string): void {
    const { currentTerm: term, votedFor, commitIndex: hint } = node.disk.durableHardState;
    const before = this.#saved.get(node.id);
    const forgotten = before?.forgotten ?? 0;
    const commitIndex = hint !== 0 && hint === forgotten ? (before?.commitIndex ?? 0) : hint;
    this.#saved.set(node.id, { life: node.life, term, votedFor, commitIndex, forgotten });
    if (before === undefined) return;
    const what = `n${node.id} ${does}`;
    if (term < before.term) {
      throw new Violation(this.name, 'E1', `${what} term ${term}, and had saved ${before.term}`);
    }
    if (term === before.term && before.votedFor !== 0 && votedFor !== before.votedFor) {
      const votes = `a vote for n${votedFor} in term ${term}, and had saved one for n${before.votedFor}`;
      throw new Violation(this.name, 'E3', `${what} ${votes}`);
    }
    if (commitIndex < before.commitIndex) {
      throw new Violation(
        this.name,
        'C1',
        `${what} commit index ${commitIndex}, and had saved ${before.commitIndex}`,
      );
    }
  }

  messageLeft(node: NodeView, message: Message): void {
    const { durableHardState, durableLog } = node.disk;
    // Who asks whether it could win speaks for a term that it has not entered. [E6]
    if (message.type === 'PreVote' || (message.type === 'PreVoteResponse' && message.voteGranted)) return;
    // Between hosts: how far the chunks have come. Nobody counts on it.
    if (message.type === 'InstallSnapshotResponse') return;
    if (message.term > durableHardState.currentTerm) {
      const what = `n${node.id} sends ${message.type} of term ${message.term}`;
      throw new Violation(this.name, 'E1', `${what}, and its disk is at ${durableHardState.currentTerm}`);
    }
    if (message.type === 'RequestVoteResponse' && message.voteGranted) {
      this.#checkVote(node, message.term, message.to);
    } else if (message.type === 'RequestVote') {
      this.#checkVote(node, message.term, message.from);
    } else if (message.type === 'AppendEntriesResponse' && message.term === durableHardState.currentTerm) {
      // In a later term the disk may have given up, rightly, what was acknowledged in this one.
      const lastIndex = Math.max(durableLog.lastIndex, node.disk.shelf.newest?.index ?? 0);
      this.#checkAcknowledgement(node, message, lastIndex);
    }
  }

  #checkVote(node: NodeView, term: number, candidate: number): void {
    const { currentTerm, votedFor } = node.disk.durableHardState;
    if (currentTerm !== term || votedFor === candidate) return;
    throw new Violation(
      this.name,
      'E3',
      `n${node.id} votes for n${candidate}, and its disk says n${votedFor}`,
    );
  }

  #checkAcknowledgement(node: NodeView, message: AppendEntriesResponse, lastDurable: number): void {
    if (!message.success || message.matchIndex <= lastDurable) return;
    const what = `n${node.id} acknowledges up to ${message.matchIndex}`;
    throw new Violation(this.name, 'L8', `${what}, and its disk ends at ${lastDurable}`);
  }
}
