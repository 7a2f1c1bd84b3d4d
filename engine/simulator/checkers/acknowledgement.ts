// What a client was told is done is committed, and is in the state for good. [W1]
import { type Checker, Violation } from './checker.ts';
import type { Commitment } from './commitment.ts';

export class Acknowledgement implements Checker {
  readonly name = 'acknowledgement';
  readonly #commitment: Commitment;

  constructor(commitment: Commitment) {
    this.#commitment = commitment;
  }

  /** That it stays committed is what Commitment checks. */
  writeAcknowledged({ index, term }: { index: number; term: number }): void {
    const committed = this.#commitment.termAt(index);
    if (committed === term) return;
    const stands = committed === null ? 'nothing is committed there' : `term ${committed} is committed there`;
    throw new Violation(
      this.name,
      'W1',
      `a write is acknowledged as entry ${index} of term ${term}, and ${stands}`,
    );
  }
}
