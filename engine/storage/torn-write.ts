// What is left of a write that lost its power: decided by a random source that is passed in, so that a seed
// replays it. Shared by the file system in memory and the power cut on a real one.

/** From 0 (included) to 1. */
export type Random = () => number;

/** Disks promise to write no less than this at once. */
export const SECTOR_BYTES = 512;

/** A half-open range of bytes in a file. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * The ranges of a write at `position` that reached the disk: nothing, all, a prefix cut at any byte (a torn
 * record), or any choice of sectors (a disk writes them in the order it likes).
 */
export function tearMask(write: { position: number; length: number }, random: Random): ByteRange[] {
  const { position, length } = write;
  const end = position + length;
  if (length === 0) return [];
  const fate = random();
  if (fate < 0.25) return [];
  if (fate < 0.4) return [{ start: position, end }];
  if (fate < 0.7) {
    const cut = position + Math.floor(random() * (length + 1));
    return cut === position ? [] : [{ start: position, end: cut }];
  }
  const kept: ByteRange[] = [];
  for (let start = position; start < end; ) {
    const stop = Math.min(end, (Math.floor(start / SECTOR_BYTES) + 1) * SECTOR_BYTES);
    if (random() < 0.5) {
      const last = kept.at(-1);
      if (last !== undefined && last.end === start) last.end = stop;
      else kept.push({ start, end: stop });
    }
    start = stop;
  }
  return kept;
}

/** The parts of `[start, end)` that `kept` leaves out. `kept` is sorted and lies within. */
export function rangesOutside(whole: ByteRange, kept: readonly ByteRange[]): ByteRange[] {
  const outside: ByteRange[] = [];
  let at = whole.start;
  for (const range of kept) {
    if (range.start > at) outside.push({ start: at, end: range.start });
    at = range.end;
  }
  if (at < whole.end) outside.push({ start: at, end: whole.end });
  return outside;
}
