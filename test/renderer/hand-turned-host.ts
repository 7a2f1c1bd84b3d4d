// A clock and frames that stand still until a test turns them.
import type { FeedHost } from '../../src/renderer/store/cluster-store.ts';
import { START } from './sample-view.ts';

export class HandTurnedHost implements FeedHost {
  #nowMs = START;
  #frames: (() => void)[] = [];
  #timers: { callback: () => void; at: number }[] = [];

  requestFrame(callback: () => void): void {
    this.#frames.push(callback);
  }

  setTimer(callback: () => void, delayMs: number): () => void {
    const timer = { callback, at: this.#nowMs + delayMs };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  now(): number {
    return this.#nowMs;
  }

  frame(): void {
    const frames = this.#frames;
    this.#frames = [];
    for (const callback of frames) callback();
  }

  /** Lets time pass, timer by timer, and what each of them started settle. */
  async pass(durationMs: number): Promise<void> {
    const end = this.#nowMs + durationMs;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((left, right) => left.at - right.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#nowMs = Math.max(this.#nowMs, next.at);
      next.callback();
      await settled();
    }
    this.#nowMs = end;
    await settled();
  }

  get pendingTimers(): number {
    return this.#timers.length;
  }
}

/** Promises that need no clock have run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
