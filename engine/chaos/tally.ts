// The figures of a run: operations by kind and outcome, throughput and latency second by second, and the pauses in
// which no write was acknowledged. Its size depends on the seconds of the run and on nothing else.

export const OPERATION_KINDS = [
  'read',
  'stale read',
  'scan',
  'set',
  'delete',
  'cas',
  'bulk',
  'incr',
] as const;
export type OperationKind = (typeof OPERATION_KINDS)[number];
/** `failed`: it certainly did not happen. */
export type OperationOutcome = 'ok' | 'failed' | 'unknown';

export interface Second {
  /** Done in this second. */
  ok: number;
  failed: number;
  unknown: number;
  /** Of those that were done, milliseconds; 0 when none was. */
  p50Ms: number;
  p99Ms: number;
}

export interface Pause {
  /** From the last acknowledged write before to the first after. */
  fromMs: number;
  untilMs: number;
  /** Of it, how long a majority was well as far as faults go: in that time writes should have gone on. */
  wellMs: number;
}

/** Pauses shorter than this are no pauses. */
const PAUSE_MS_MIN = 250;
const PAUSES_KEPT_MAX = 500;
const LATENCIES_A_SECOND_MAX = 5000;

const READS: ReadonlySet<OperationKind> = new Set(['read', 'stale read', 'scan']);

export class Tally {
  readonly operations = new Map<OperationKind, Record<OperationOutcome, number>>();
  readonly seconds: Second[] = [];
  readonly pauses: Pause[] = [];
  longestPause: Pause | null = null;
  /** Writes that were sent again under their session after an unknown outcome. */
  repeats = 0;
  acknowledgedWrites = 0;
  #latencies: number[] = [];
  #lastWriteMs = 0;
  #wellMs = 0;

  constructor() {
    for (const kind of OPERATION_KINDS) this.operations.set(kind, { ok: 0, failed: 0, unknown: 0 });
  }

  get total(): number {
    let total = 0;
    for (const { ok, failed, unknown } of this.operations.values()) total += ok + failed + unknown;
    return total;
  }

  sumOf(outcome: OperationOutcome): number {
    let sum = 0;
    for (const counts of this.operations.values()) sum += counts[outcome];
    return sum;
  }

  /** An operation ended at `atMs` of the run, `latencyMs` after it was asked. */
  ended(
    kind: OperationKind,
    outcome: OperationOutcome,
    { atMs, latencyMs }: { atMs: number; latencyMs: number },
  ): void {
    const counts = this.operations.get(kind);
    if (counts !== undefined) counts[outcome] += 1;
    const second = this.#secondAt(atMs);
    second[outcome] += 1;
    if (outcome !== 'ok') return;
    if (this.#latencies.length < LATENCIES_A_SECOND_MAX) this.#latencies.push(latencyMs);
    if (READS.has(kind)) return;
    this.acknowledgedWrites += 1;
    this.#endPause(atMs);
  }

  /** Looked at again after `elapsedMs`, in which a majority was well or was not. */
  watched({ elapsedMs, isMajorityWell }: { elapsedMs: number; isMajorityWell: boolean }): void {
    if (isMajorityWell) this.#wellMs += elapsedMs;
  }

  /** For how long writes have been missing by now, in a time in which they should not. */
  get missingMs(): number {
    return this.#wellMs;
  }

  /** Closes the last second. */
  finish(): void {
    this.#closeSecond();
  }

  #endPause(atMs: number): void {
    const lengthMs = atMs - this.#lastWriteMs;
    if (this.#lastWriteMs > 0 && lengthMs >= PAUSE_MS_MIN) {
      const pause = { fromMs: this.#lastWriteMs, untilMs: atMs, wellMs: Math.min(this.#wellMs, lengthMs) };
      if (this.pauses.length < PAUSES_KEPT_MAX) this.pauses.push(pause);
      const longest = this.longestPause;
      if (longest === null || lengthMs > longest.untilMs - longest.fromMs) this.longestPause = pause;
    }
    this.#lastWriteMs = atMs;
    this.#wellMs = 0;
  }

  #secondAt(atMs: number): Second {
    const at = Math.floor(atMs / 1000);
    while (this.seconds.length <= at) {
      this.#closeSecond();
      this.seconds.push({ ok: 0, failed: 0, unknown: 0, p50Ms: 0, p99Ms: 0 });
    }
    return this.seconds[this.seconds.length - 1] as Second;
  }

  #closeSecond(): void {
    const second = this.seconds.at(-1);
    const sorted = this.#latencies.sort((a, b) => a - b);
    this.#latencies = [];
    if (second === undefined || sorted.length === 0) return;
    second.p50Ms = sorted[Math.floor(sorted.length / 2)] ?? 0;
    second.p99Ms = sorted[Math.floor(sorted.length * 0.99)] ?? 0;
  }
}
