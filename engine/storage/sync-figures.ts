// How long the latest syncs took: a ring without allocations, sorted only when somebody asks.

const RING_LENGTH = 2048;

export class SyncFigures {
  readonly #ring = new Float64Array(RING_LENGTH);
  #count = 0;

  record(durationMs: number): void {
    this.#ring[this.#count % RING_LENGTH] = durationMs;
    this.#count++;
  }

  /** Milliseconds; 0 before the first sync. */
  percentiles(): { p50Ms: number; p99Ms: number } {
    const length = Math.min(this.#count, RING_LENGTH);
    if (length === 0) return { p50Ms: 0, p99Ms: 0 };
    const sorted = this.#ring.slice(0, length).sort();
    return { p50Ms: at(sorted, 0.5), p99Ms: at(sorted, 0.99) };
  }
}

function at(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
