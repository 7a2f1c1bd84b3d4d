// The only source of chance in a simulation: generators that follow from the seed alone. Each part draws from a
// generator of its own, so that leaving one part out changes as little as possible of what the others draw.

export class Random {
  readonly #seed: number;
  #state: number;

  /** Equal seeds, equal sequences. Any safe integer; only 32 bits of it count. */
  constructor(seed: number) {
    this.#seed = seed >>> 0;
    this.#state = this.#seed;
  }

  /** From 0 up to but not 1 (mulberry32). */
  readonly next = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    const state = this.#state;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };

  /** A whole number in [0, end). */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  /** A whole number in [range[0], range[1]). */
  within(range: readonly [min: number, max: number]): number {
    return range[0] + this.below(range[1] - range[0]);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** `items` is not empty. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** A new order of the same items. */
  shuffled<T>(items: readonly T[]): T[] {
    const order = [...items];
    for (let at = order.length - 1; at > 0; at--) {
      const other = this.below(at + 1);
      const item = order[at] as T;
      order[at] = order[other] as T;
      order[other] = item;
    }
    return order;
  }

  /** A generator of its own for the part called `name`: independent of how much this one has drawn. */
  fork(name: string): Random {
    let hash = Math.imul(this.#seed ^ 0x9e3779b9, 0x85ebca6b);
    for (let at = 0; at < name.length; at++) {
      hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
      hash ^= hash >>> 13;
    }
    return new Random(Math.imul(hash ^ (hash >>> 16), 0xc2b2ae35));
  }
}
