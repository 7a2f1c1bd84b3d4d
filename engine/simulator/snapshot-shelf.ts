// The snapshots of a simulated disk: two are kept, and a damaged one is passed over. [S1] [S4]
import { crc32 } from '../protocol/crc32.ts';
import type { Configuration } from '../raft/types.ts';
import type { Random } from './random.ts';

export interface StoredSnapshot {
  index: number;
  term: number;
  configuration: Configuration;
  /** The state as engine/kv dumps it. */
  bytes: Uint8Array;
  sum: number;
}

const KEPT = 2;

export class SnapshotShelf {
  /** The latest that was found damaged. */
  lost: { index: number; term: number } | null = null;
  /** Newest first, durable all of them. */
  #snapshots: StoredSnapshot[] = [];

  get newest(): StoredSnapshot | null {
    return this.#snapshots[0] ?? null;
  }

  /** The log must reach back to here, in case the newer one turns out damaged; 0: it must reach back to its beginning. */
  get compactableIndex(): number {
    return this.#snapshots[KEPT - 1]?.index ?? 0;
  }

  add(snapshot: Omit<StoredSnapshot, 'sum'>): void {
    const { bytes } = snapshot;
    const others = this.#snapshots.filter((other) => other.index !== snapshot.index);
    this.#snapshots = [{ ...snapshot, sum: crc32(bytes) }, ...others]
      .sort((a, b) => b.index - a.index)
      .slice(0, KEPT);
  }

  /** Forgets what is damaged. True when there was something. */
  dropDamaged(): boolean {
    const sound = this.#snapshots.filter(({ bytes, sum }) => crc32(bytes) === sum);
    const isDamaged = sound.length < this.#snapshots.length;
    for (const { index, term } of this.#snapshots) {
      if (index > (sound[0]?.index ?? 0) && index > (this.lost?.index ?? 0)) this.lost = { index, term };
    }
    this.#snapshots = sound;
    return isDamaged;
  }

  /** Of the newest, where an older one stands behind it. False when there is none. */
  flipBit(random: Random): boolean {
    const [newest, older] = this.#snapshots;
    if (newest === undefined || older === undefined) return false;
    const bytes = newest.bytes.slice();
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
    this.#snapshots = [{ ...newest, bytes }, older];
    return true;
  }

  clear(): void {
    this.lost = null;
    this.#snapshots = [];
  }
}
