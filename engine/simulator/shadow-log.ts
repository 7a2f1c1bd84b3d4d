// A log as the checkers keep it: of every entry its term and checksum, from what the core handed out and never
// from what the core remembers. One stands for what a node was told to write, one for what its disk holds.

export class ShadowLog {
  /** Before this index, inclusive, a snapshot stands for the entries. */
  #baseIndex = 0;
  #baseTerm = 0;
  #terms: number[] = [];
  #sums: number[] = [];

  get baseIndex(): number {
    return this.#baseIndex;
  }

  get baseTerm(): number {
    return this.#baseTerm;
  }

  get lastIndex(): number {
    return this.#baseIndex + this.#terms.length;
  }

  get lastTerm(): number {
    return this.#terms[this.#terms.length - 1] ?? this.#baseTerm;
  }

  /** Null where there is no entry, or none any more. Index 0 has term 0. */
  termAt(index: number): number | null {
    if (index === this.#baseIndex) return this.#baseTerm;
    return this.#terms[index - this.#baseIndex - 1] ?? null;
  }

  sumAt(index: number): number | null {
    return this.#sums[index - this.#baseIndex - 1] ?? null;
  }

  /** As a log does: an entry at an index that is there replaces it and all behind it. */
  put(entry: { index: number; term: number }, sum: number): void {
    const position = entry.index - this.#baseIndex - 1;
    if (position < 0 || position > this.#terms.length) {
      throw new RangeError(`entry ${entry.index} for a log of [${this.#baseIndex}, ${this.lastIndex}]`);
    }
    this.#terms.length = position;
    this.#sums.length = position;
    this.#terms.push(entry.term);
    this.#sums.push(sum);
  }

  compact(index: number): void {
    const term = this.termAt(index);
    if (index <= this.#baseIndex || term === null) return;
    this.#terms = this.#terms.slice(index - this.#baseIndex);
    this.#sums = this.#sums.slice(index - this.#baseIndex);
    this.#baseIndex = index;
    this.#baseTerm = term;
  }

  restartAt(point: { index: number; term: number }): void {
    this.#terms = [];
    this.#sums = [];
    this.#baseIndex = point.index;
    this.#baseTerm = point.term;
  }

  copy(): ShadowLog {
    const twin = new ShadowLog();
    twin.#baseIndex = this.#baseIndex;
    twin.#baseTerm = this.#baseTerm;
    twin.#terms = this.#terms.slice();
    twin.#sums = this.#sums.slice();
    return twin;
  }
}
