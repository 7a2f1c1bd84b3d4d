// At most one leader a term, and one vote of each node in a term, across restarts. Raft paper §5.2 [E3] [E4]
import type { Message, NodeId } from '../../raft/types.ts';
import { type Checker, type NodeView, Violation } from './checker.ts';

const SAID_BY_LEADERS: ReadonlySet<Message['type']> = new Set([
  'AppendEntries',
  'Heartbeat',
  'InstallSnapshot',
  'TimeoutNow',
]);

export class ElectionSafety implements Checker {
  readonly name = 'election safety';
  readonly #leaderOf = new Map<number, NodeId>();
  /** By node and term: for whom its vote went out. */
  readonly #votes = new Map<string, NodeId>();

  readyTaken(node: NodeView): void {
    if (node.raft.role === 'leader') this.#lead(node.raft.currentTerm, node.id);
  }

  messageLeft(_node: NodeView, message: Message): void {
    if (message.type === 'RequestVote') this.#vote(message.from, message.term, message.from);
    else if (message.type === 'RequestVoteResponse' && message.voteGranted) {
      this.#vote(message.from, message.term, message.to);
    } else if (SAID_BY_LEADERS.has(message.type)) {
      // It may have won and lost the term within one turn.
      this.#lead(message.term, message.from);
    }
  }

  #lead(term: number, leader: NodeId): void {
    const known = this.#leaderOf.get(term);
    if (known === undefined) this.#leaderOf.set(term, leader);
    else if (known !== leader) {
      throw new Violation(this.name, 'E4', `n${known} and n${leader} both lead term ${term}`);
    }
  }

  #vote(voter: NodeId, term: number, candidate: NodeId): void {
    const key = `${voter}:${term}`;
    const known = this.#votes.get(key);
    if (known === undefined) this.#votes.set(key, candidate);
    else if (known !== candidate) {
      const both = `n${known} and for n${candidate}`;
      throw new Violation(this.name, 'E3', `n${voter} voted in term ${term} for ${both}`);
    }
  }
}
