// Increments by one, from the clients' side: every answer is a number that nobody else got, in the order of time,
// and the sum is what was answered plus some of what was not. Catches a write that is applied twice or lost. [X1]
import { Violation } from './checker.ts';

interface Counter {
  /** Highest answer so far. */
  highest: number;
  answers: Set<number>;
  /** Calls without an answer that may have happened. */
  unknown: number;
  /** Calls under way. */
  open: number;
}

export class CounterChecker {
  readonly name = 'counters';
  readonly #counters = new Map<string, Counter>();

  /** An increment begins: returns what its answer must be above. */
  call(key: string): number {
    const counter = this.#counter(key);
    counter.open += 1;
    return counter.highest;
  }

  answered({ key, call }: { key: string; call: number }, value: string): void {
    const counter = this.#counter(key);
    const answer = Number(value);
    counter.open -= 1;
    if (counter.answers.has(answer))
      throw new Violation(this.name, 'X1', `two increments of ${key} made it ${answer}`);
    if (answer <= call) {
      throw new Violation(
        this.name,
        'C6',
        `an increment of ${key} made it ${answer}, and before it began it was ${call}`,
      );
    }
    counter.answers.add(answer);
    counter.highest = Math.max(counter.highest, answer);
  }

  unanswered({ key }: { key: string }, mayHaveHappened: boolean): void {
    const counter = this.#counter(key);
    counter.open -= 1;
    if (mayHaveHappened) counter.unknown += 1;
  }

  /** `finalValueOf`: what the state holds when all is over; 0 when nothing. */
  finish(finalValueOf: (key: string) => number): void {
    for (const [key, { answers, unknown, open, highest }] of this.#counters) {
      const value = finalValueOf(key);
      const most = answers.size + unknown + open;
      if (value >= answers.size && value <= most && value >= highest) continue;
      const expected = `${answers.size} increments were answered, ${unknown + open} are unknown, the highest answer is ${highest}`;
      throw new Violation(this.name, 'X1', `${key} is ${value} in the end: ${expected}`);
    }
  }

  #counter(key: string): Counter {
    let counter = this.#counters.get(key);
    if (counter === undefined) {
      counter = { highest: 0, answers: new Set(), unknown: 0, open: 0 };
      this.#counters.set(key, counter);
    }
    return counter;
  }
}
