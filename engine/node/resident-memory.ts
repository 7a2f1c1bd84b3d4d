// Resident memory of this process. The system is asked once a second: it takes half a millisecond to answer.

const FRESH_MS = 1_000;

let bytes = 0;
let askedAt = Number.NEGATIVE_INFINITY;

/** Bytes, at most a second old. `now` in milliseconds, of any clock that callers share. */
export function residentBytes(now: number): number {
  if (now - askedAt >= FRESH_MS || now < askedAt) {
    bytes = process.memoryUsage.rss();
    askedAt = now;
  }
  return bytes;
}
