// A leader commits by counting only entries of its own term. Raft paper §5.4.2 [C3] A rule rather than a promise:
// breaking it shows at once here, and as a lost entry only when the right nodes fail in the right order.
import { type Checker, type NodeView, Violation } from './checker.ts';

export class OwnTermCommit implements Checker {
  readonly name = 'own-term commit';
  readonly #seen = new Map<number, { life: number; ledTerm: number; commitIndex: number }>();

  readyTaken(node: NodeView): void {
    const { role, currentTerm, commitIndex } = node.raft;
    const before = this.#seen.get(node.id);
    const ledTerm = role === 'leader' ? currentTerm : 0;
    this.#seen.set(node.id, { life: node.life, ledTerm, commitIndex });
    if (before === undefined || before.life !== node.life) return;
    if (ledTerm === 0 || before.ledTerm !== ledTerm || commitIndex === before.commitIndex) return;
    const term = node.log.termAt(commitIndex);
    if (term === currentTerm) return;
    const what = `n${node.id} leads term ${currentTerm} and commits up to ${commitIndex}`;
    throw new Violation(this.name, 'C3', `${what}, an entry of term ${term}`);
  }
}
