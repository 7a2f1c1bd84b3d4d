// A linearizable read is served at an index no earlier than what was committed, anywhere, when it was asked.
// Thesis §6.4 [R1] [R2]
import { type Checker, type NodeView, Violation } from './checker.ts';
import type { Commitment } from './commitment.ts';

export class ReadFreshness implements Checker {
  readonly name = 'read freshness';
  readonly #commitment: Commitment;
  /** By node, life and token: the highest committed index when the read was asked. */
  readonly #asked = new Map<string, number>();

  constructor(commitment: Commitment) {
    this.#commitment = commitment;
  }

  readAsked(node: NodeView, token: number): void {
    this.#asked.set(`${node.id}:${node.life}:${token}`, this.#commitment.lastIndex);
  }

  readConfirmed(node: NodeView, token: number, index: number): void {
    const key = `${node.id}:${node.life}:${token}`;
    const committed = this.#asked.get(key) ?? 0;
    this.#asked.delete(key);
    if (index >= committed) return;
    const what = `n${node.id} (${node.raft.role}) serves a read at ${index}`;
    throw new Violation(this.name, 'R2', `${what}, and ${committed} was committed before it was asked`);
  }
}
