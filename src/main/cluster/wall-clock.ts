// The time of day with a fraction of a millisecond, that never goes back while the process lives.

/** Milliseconds since the epoch. */
export function wallClockMs(): number {
  return performance.timeOrigin + performance.now();
}
