// Percentiles of about the last second: a histogram of fixed buckets that is read and emptied now and then.
// Recording is two additions; nothing is allocated.

/** Each bucket is about 4 % wider than the one before, from 10 microseconds to over a minute. */
const BUCKETS = 400;
const SMALLEST_MS = 0.01;
const GROWTH = Math.log(1.04);

export class LatencyWindow {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;
  #p50Ms = 0;
  #p99Ms = 0;
  #rolledAt = 0;

  record(milliseconds: number): void {
    const bucket = milliseconds <= SMALLEST_MS ? 0 : Math.ceil(Math.log(milliseconds / SMALLEST_MS) / GROWTH);
    const at = bucket < BUCKETS ? bucket : BUCKETS - 1;
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#total++;
  }

  /** Percentiles of the last whole window; a new one begins when `now` (ms) is a second past its start. */
  read(now: number): { p50Ms: number; p99Ms: number } {
    if (now - this.#rolledAt >= 1000) {
      this.#p50Ms = this.#percentile(0.5);
      this.#p99Ms = this.#percentile(0.99);
      this.#counts.fill(0);
      this.#total = 0;
      this.#rolledAt = now;
    }
    return { p50Ms: this.#p50Ms, p99Ms: this.#p99Ms };
  }

  #percentile(share: number): number {
    if (this.#total === 0) return 0;
    let left = Math.ceil(this.#total * share);
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.#counts[bucket] as number;
      if (left <= 0) return SMALLEST_MS * Math.exp(bucket * GROWTH);
    }
    return 0;
  }
}
