// Which key ends next: the keys with an end, in the order of their ends. Costs nothing for a key without one.
import type { ByteString } from '../protocol/command.ts';
import { compareBytes, createSet } from './sorted-tree.ts';

interface KeyEnd {
  expiresAt: number;
  key: ByteString;
}

function compareEnds(left: KeyEnd, right: KeyEnd): number {
  return left.expiresAt - right.expiresAt || compareBytes(left.key, right.key);
}

export class ExpiryOrder {
  readonly #ends = createSet<KeyEnd>(compareEnds);

  get size(): number {
    return this.#ends.size;
  }

  add(key: ByteString, expiresAt: number): void {
    this.#ends.set({ expiresAt, key }, undefined);
  }

  delete(key: ByteString, expiresAt: number): void {
    this.#ends.delete({ expiresAt, key });
  }

  /** The key that ends first, of several the first in byte order. */
  first(): KeyEnd | null {
    return this.#ends.minKey() ?? null;
  }

  /** Keys whose end is not later than `time`. Walks over them: few, because every entry removes some. */
  countDue(time: number): number {
    let count = 0;
    for (const { expiresAt } of this.#ends.keys()) {
      if (expiresAt > time) break;
      count++;
    }
    return count;
  }
}
