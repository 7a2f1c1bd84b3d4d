// If two logs hold an entry with the same index and term, they are equal up to there. Raft paper §5.3 [L2]
// By induction: all entries of one index and term are the same, and follow an entry of the same term.
import { type Checker, type HandedEntry, type NodeView, Violation } from './checker.ts';

interface KnownEntry {
  sum: number;
  previousTerm: number;
  node: number;
}

const TERMS_MAX = 2 ** 26;

export class LogMatching implements Checker {
  readonly name = 'log matching';
  readonly #entries = new Map<number, KnownEntry>();

  entryHanded(node: NodeView, handed: HandedEntry): void {
    const { index, term, sum, previousTerm } = handed;
    const key = index * TERMS_MAX + term;
    const known = this.#entries.get(key);
    if (known === undefined) {
      this.#entries.set(key, { sum, previousTerm, node: node.id });
      return;
    }
    const where = `entry ${index} of term ${term}`;
    if (known.sum !== sum) {
      throw new Violation(this.name, 'L2', `${where} is another one on n${node.id} than on n${known.node}`);
    }
    if (known.previousTerm !== previousTerm) {
      const terms = `${previousTerm} on n${node.id} and ${known.previousTerm} on n${known.node}`;
      throw new Violation(this.name, 'L2', `${where} follows an entry of term ${terms}`);
    }
  }
}
