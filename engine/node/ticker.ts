// Time for the core: ticks at a steady pace. A process that was stopped or starved does not catch up on what
// it slept through, or it would take its own pause for the leader's silence.

/** Ticks that one wake-up may deliver. */
const CATCH_UP_TICKS_MAX = 2;

export class Ticker {
  readonly #intervalMs: number;
  readonly #tick: (count: number) => void;
  #timer: NodeJS.Timeout | null = null;
  #lastAt = 0;

  constructor(intervalMs: number, tick: (count: number) => void) {
    this.#intervalMs = intervalMs;
    this.#tick = tick;
  }

  start(): void {
    this.#lastAt = performance.now();
    this.#timer = setInterval(() => this.#wake(), this.#intervalMs);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #wake(): void {
    const now = performance.now();
    const due = Math.floor((now - this.#lastAt) / this.#intervalMs);
    if (due <= 0) return;
    this.#lastAt = due > CATCH_UP_TICKS_MAX ? now : this.#lastAt + due * this.#intervalMs;
    this.#tick(Math.min(due, CATCH_UP_TICKS_MAX));
  }
}
