// Which configuration is in force on which node, as its log says and not as its core thinks: from the entries that
// cores handed out. Judges nothing.
import { configurationCodec } from '../../protocol/configuration-codec.ts';
import { type Configuration, type Entry, EntryKind } from '../../raft/types.ts';
import type { ShadowLog } from '../shadow-log.ts';

export interface PlacedConfiguration {
  index: number;
  term: number;
  configuration: Configuration;
}

export class ConfigurationBook {
  readonly #initial: PlacedConfiguration;
  /** By falling index. Of one index there may be several, of different terms. */
  readonly #placed: PlacedConfiguration[] = [];
  /** Term of the entry that is committed at an index, null while none is. */
  readonly #committedTermAt: (index: number) => number | null;

  constructor(initial: Configuration, committedTermAt: (index: number) => number | null) {
    this.#initial = { index: 0, term: 0, configuration: initial };
    this.#committedTermAt = committedTermAt;
  }

  entryHanded(entry: Entry): void {
    if (entry.kind !== EntryKind.configuration) return;
    const { index, term } = entry;
    if (this.#placed.some((known) => known.index === index && known.term === term)) return;
    const configuration = configurationCodec.decode(entry.data);
    if (configuration === null) throw new Error(`the configuration at ${index} cannot be read`);
    this.#placed.push({ index, term, configuration });
    this.#placed.sort((a, b) => b.index - a.index);
  }

  /** The newest in the log, or in the snapshot before it; only those before `endIndex`. */
  inForce(log: ShadowLog, endIndex = Number.POSITIVE_INFINITY): PlacedConfiguration {
    for (const placed of this.#placed) {
      if (placed.index >= endIndex) continue;
      const term =
        placed.index > log.baseIndex ? log.termAt(placed.index) : this.#committedTermAt(placed.index);
      if (term === placed.term) return placed;
    }
    return this.#initial;
  }

  /** Those that are or may yet be in force: the newest that is committed, and all that may come after it. */
  get possible(): readonly Configuration[] {
    const { committed } = this;
    const later = this.#placed.filter(({ index }) => index > committed.index);
    return [committed, ...later].map(({ configuration }) => configuration);
  }

  /** The newest that is committed. */
  get committed(): PlacedConfiguration {
    const found = this.#placed.find(({ index, term }) => this.#committedTermAt(index) === term);
    return found ?? this.#initial;
  }
}

/** A majority of the voters, and of the outgoing ones while there are any. */
export function isQuorum({ voters, votersOutgoing }: Configuration, ids: ReadonlySet<number>): boolean {
  const isMajority = (set: readonly number[]): boolean =>
    set.length === 0 || set.filter((id) => ids.has(id)).length > set.length / 2;
  return voters.length > 0 && isMajority(voters) && isMajority(votersOutgoing);
}
