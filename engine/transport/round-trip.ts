// The smoothed round trip to one peer, from numbered probes that come back with their number. A lost probe
// leaves no mark, and no answer is taken for another probe's.

/** Probes on their way at once whose answers still count. */
const PROBES_REMEMBERED = 64;
/** Weight of a new sample: a change of the link shows within about ten probes. */
const SAMPLE_WEIGHT = 1 / 4;

export class RoundTrip {
  readonly #sentMs = new Float64Array(PROBES_REMEMBERED).fill(Number.NaN);
  #probe = 0;
  #smoothedMs: number | null = null;

  /** Null before the first answer. */
  get smoothedMs(): number | null {
    return this.#smoothedMs;
  }

  /** The number of a probe that leaves now; from 1. */
  nextProbe(nowMs: number): number {
    this.#probe++;
    this.#sentMs[this.#probe % PROBES_REMEMBERED] = nowMs;
    return this.#probe;
  }

  /** The answer to a probe. One that was not asked for, came twice or comes very late counts for nothing. */
  answer(probe: number, nowMs: number): void {
    if (probe > this.#probe || probe <= this.#probe - PROBES_REMEMBERED) return;
    const at = probe % PROBES_REMEMBERED;
    const sampleMs = nowMs - (this.#sentMs[at] as number);
    if (Number.isNaN(sampleMs)) return;
    this.#sentMs[at] = Number.NaN;
    this.#smoothedMs =
      this.#smoothedMs === null ? sampleMs : this.#smoothedMs + SAMPLE_WEIGHT * (sampleMs - this.#smoothedMs);
  }

  /** The connection broke: what was measured on it does not describe the next one. */
  reset(): void {
    this.#sentMs.fill(Number.NaN);
    this.#smoothedMs = null;
  }
}
