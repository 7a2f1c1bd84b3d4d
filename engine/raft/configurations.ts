// Which configuration is in force at which index: the newest that the log holds, committed or not, and the
// older ones, for when it is cut back. Decides nothing: the rules are in membership.ts. Raft paper §6. [M1]
import { assert } from './assert.ts';
import { members } from './quorum.ts';
import type { Configuration, NodeId } from './types.ts';

interface Placed {
  /** Of its entry; of the first one, where the log begins or before. */
  index: number;
  configuration: Configuration;
}

export class Configurations {
  /** By rising index. The first is that of the snapshot, or the one that the node was started with. */
  #placed: Placed[];

  constructor(index: number, configuration: Configuration) {
    this.#placed = [{ index, configuration }];
  }

  get #newest(): Placed {
    return this.#placed[this.#placed.length - 1] as Placed;
  }

  get latest(): Configuration {
    return this.#newest.configuration;
  }

  get latestIndex(): number {
    return this.#newest.index;
  }

  /** Index of the first of them that names the node as a member; null when none does. */
  firstNaming(id: NodeId): number | null {
    return this.#placed.find(({ configuration }) => members(configuration).includes(id))?.index ?? null;
  }

  /** What was in force when `index` was the last: what a snapshot of it must carry. */
  at(index: number): Configuration {
    const placed = this.#placed.findLast((each) => each.index <= index) ?? this.#placed[0];
    return (placed as Placed).configuration;
  }

  add(index: number, configuration: Configuration): void {
    assert(index > this.latestIndex, `configuration ${index} behind ${this.latestIndex}`);
    this.#placed.push({ index, configuration });
  }

  /** True when the newest went with the entries from `fromIndex` on. */
  truncate(fromIndex: number): boolean {
    const before = this.#placed.length;
    while (this.#placed.length > 1 && this.latestIndex >= fromIndex) this.#placed.pop();
    return this.#placed.length < before;
  }

  /** Forgets what was replaced at or before `index`. */
  compact(index: number): void {
    const keep = this.#placed.findLastIndex((each) => each.index <= index);
    if (keep > 0) this.#placed.splice(0, keep);
  }

  /** A snapshot takes the place of the log. */
  restore(index: number, configuration: Configuration): void {
    this.#placed = [{ index, configuration }];
  }
}
