// A write of a session takes effect once, however often it was proposed. Thesis §6.3 [X1]
import { type AppliedEntry, type Checker, type NodeView, Violation } from './checker.ts';

export class SessionOnce implements Checker {
  readonly name = 'sessions';
  /** By client and sequence: the entry that took effect. */
  readonly #effective = new Map<string, number>();

  applied(node: NodeView, { entry, proposal, result }: AppliedEntry): void {
    if (proposal === null || proposal.session === null || result === null) return;
    // Refused as too old: nothing happened.
    if (result.type === 'failed' && result.outcome === 'unknown') return;
    const key = `${proposal.session.client}:${proposal.session.sequence}`;
    const known = this.#effective.get(key);
    if (known === undefined) this.#effective.set(key, result.index);
    else if (known !== result.index) {
      const write = `write ${proposal.session.sequence} of a session`;
      const both = `${known} and as ${result.index}`;
      throw new Violation(
        this.name,
        'X1',
        `${write} takes effect as entry ${both} (n${node.id} at ${entry.index})`,
      );
    }
  }
}
