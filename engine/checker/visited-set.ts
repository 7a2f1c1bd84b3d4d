// Which configurations the search has seen: (known operations placed, state) exactly, and the unknown ones
// placed up to inclusion. One growing Int32Array instead of an object for each: millions fit.

/**
 * Entry in the arena: [next, hash, state, lowWord, wordCount, ...words, ...unknownWords].
 * Only the words between the first known operation not placed and the last one that could be are stored: below
 * all are placed, above none is, and both ends follow from the set itself.
 */
const HEADER_INTS = 5;
const NONE = -1;

/** Not kept: its sets are copied, so the caller goes on changing them. */
export interface Configuration {
  hash: number;
  state: number;
  readonly bits: Int32Array;
  /** Half-open range of words of `bits` that tells it apart. */
  lowWord: number;
  highWord: number;
  readonly unknownBits: Int32Array;
}

export class VisitedSet {
  readonly #unknownWordCount: number;
  readonly #intsMax: number;
  #arena = new Int32Array(1024);
  #used = 0;
  #heads = new Int32Array(256).fill(NONE);
  #count = 0;

  /** Beyond `intsMax` nothing more is remembered: the search stays right and meets its budget of steps. */
  constructor(options: { readonly unknownWordCount: number; readonly intsMax: number }) {
    this.#unknownWordCount = options.unknownWordCount;
    this.#intsMax = options.intsMax;
  }

  /**
   * True when a configuration was added before that can do whatever this one can: the same known operations, the
   * same state, and no unknown operation used up that this one still has. Otherwise remembers this one.
   */
  isCoveredOrAdd(configuration: Configuration): boolean {
    const slot = configuration.hash & (this.#heads.length - 1);
    for (let at = this.#heads[slot] as number; at !== NONE; at = this.#arena[at] as number) {
      if (this.#covers(at, configuration)) return true;
    }
    this.#add(configuration);
    return false;
  }

  #covers(at: number, { hash, state, bits, lowWord, highWord, unknownBits }: Configuration): boolean {
    const arena = this.#arena;
    if (arena[at + 1] !== hash || arena[at + 2] !== state || arena[at + 3] !== lowWord) return false;
    if (arena[at + 4] !== highWord - lowWord) return false;
    let cursor = at + HEADER_INTS;
    for (let word = lowWord; word < highWord; word++) if (arena[cursor++] !== bits[word]) return false;
    for (let word = 0; word < this.#unknownWordCount; word++) {
      if (((arena[cursor++] as number) & ~(unknownBits[word] as number)) !== 0) return false;
    }
    return true;
  }

  #add({ hash, state, bits, lowWord, highWord, unknownBits }: Configuration): void {
    const size = HEADER_INTS + highWord - lowWord + this.#unknownWordCount;
    if (this.#used + size > this.#arena.length) {
      if (this.#used + size > this.#intsMax) return;
      const grown = new Int32Array(Math.max(this.#arena.length * 2, this.#used + size));
      grown.set(this.#arena);
      this.#arena = grown;
    }
    if (this.#count >= this.#heads.length) this.#growHeads();
    const arena = this.#arena;
    const at = this.#used;
    const slot = hash & (this.#heads.length - 1);
    arena[at] = this.#heads[slot] as number;
    arena[at + 1] = hash;
    arena[at + 2] = state;
    arena[at + 3] = lowWord;
    arena[at + 4] = highWord - lowWord;
    let cursor = at + HEADER_INTS;
    for (let word = lowWord; word < highWord; word++) arena[cursor++] = bits[word] as number;
    for (let word = 0; word < this.#unknownWordCount; word++) arena[cursor++] = unknownBits[word] as number;
    this.#heads[slot] = at;
    this.#used = cursor;
    this.#count++;
  }

  #growHeads(): void {
    const heads = new Int32Array(this.#heads.length * 4).fill(NONE);
    const arena = this.#arena;
    for (let at = 0; at < this.#used; ) {
      const slot = (arena[at + 1] as number) & (heads.length - 1);
      arena[at] = heads[slot] as number;
      heads[slot] = at;
      at += HEADER_INTS + (arena[at + 4] as number) + this.#unknownWordCount;
    }
    this.#heads = heads;
  }
}
