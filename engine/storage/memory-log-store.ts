// The log store's contract in memory, for tests and for hosts without a disk. "Durable" here is the moment at
// which the scheduled completion runs; nothing survives the process.
import type { Entry, HardState } from '../raft/types.ts';
import type { LogBatch, LogHealth, LogStore, LogStoreStatus, Recovered } from './types.ts';

export interface MemoryLogOptions {
  /** What an earlier store's `durable()` gave, to go on from. */
  recovered?: Recovered | undefined;
  /** Runs the completion of one write later, never at once; a microtask by default. */
  schedule?: ((complete: () => void) => void) | undefined;
}

export interface MemoryLogStore extends LogStore {
  /** What a restart would find now: everything durable, nothing that waits. A copy. */
  durable(): Recovered;
}

interface Waiting {
  batch: LogBatch;
  /** The log begins anew behind this point, before the batch is entered. */
  restart: { index: number; term: number } | null;
  onDurable: () => void;
}

const NOTHING: LogBatch = { hardState: null, entries: [] };

export const EMPTY_RECOVERED: Recovered = {
  hardState: { currentTerm: 0, votedFor: 0, commitIndex: 0 },
  entries: [],
  lastIncludedIndex: 0,
  lastIncludedTerm: 0,
  configuration: null,
  lastDurableIndexKnown: 0,
  verdicts: [],
};

export function openMemoryLog(options: MemoryLogOptions = {}): {
  store: MemoryLogStore;
  recovered: Recovered;
} {
  const recovered = options.recovered ?? EMPTY_RECOVERED;
  return { store: new InMemoryLog(recovered, options.schedule ?? queueMicrotask), recovered };
}

class InMemoryLog implements MemoryLogStore {
  readonly #schedule: (complete: () => void) => void;
  #hardState: HardState;
  #entries: Entry[];
  /** Index and term before the first entry. */
  #base: { index: number; term: number };
  #lastIndex: number;
  #refetchIndex: number;
  #waiting: Waiting[] = [];
  #writing: Waiting[] = [];
  #closed = false;
  #syncsTotal = 0;
  #entriesSyncedTotal = 0;

  constructor(recovered: Recovered, schedule: (complete: () => void) => void) {
    this.#schedule = schedule;
    this.#hardState = recovered.hardState;
    this.#entries = [...recovered.entries];
    this.#base = { index: recovered.lastIncludedIndex, term: recovered.lastIncludedTerm };
    this.#lastIndex = this.#base.index + this.#entries.length;
    const known = recovered.lastDurableIndexKnown;
    this.#refetchIndex = known > this.#lastIndex ? known : 0;
  }

  append(batch: LogBatch, onDurable: () => void): void {
    if (this.#closed) throw new Error('append on a closed log');
    const [first] = batch.entries;
    const last = batch.entries.at(-1);
    if (first !== undefined && last !== undefined) {
      if (last.index - first.index !== batch.entries.length - 1) {
        throw new Error('entries of a batch must be contiguous');
      }
      if (first.index < 1 || first.index > this.#lastIndex + 1) {
        throw new Error(`entry ${first.index} does not follow ${this.#lastIndex}`);
      }
      this.#lastIndex = last.index;
    }
    this.#waiting.push({ batch, restart: null, onDurable });
    this.#pump();
  }

  async compact(index: number): Promise<void> {
    if (index > this.#lastIndex) return this.restartAt({ index, term: 0 });
    await this.#flushed();
    const dropped = Math.min(index - this.#base.index, this.#entries.length);
    if (dropped <= 0) return;
    const term = this.#entries[dropped - 1]?.term ?? 0;
    this.#entries.splice(0, dropped);
    this.#base = { index: this.#base.index + dropped, term };
  }

  async restartAt(point: { index: number; term: number }): Promise<void> {
    this.#lastIndex = point.index;
    await this.#flushed({ ...point });
  }

  markRefetched(): void {
    this.#refetchIndex = 0;
  }

  health(): LogHealth {
    return { bytesSyncedTotal: 0, syncInFlightMs: 0, noSpace: false };
  }

  status(): LogStoreStatus {
    return {
      firstIndex: this.#base.index + 1,
      lastIndex: this.#lastIndex,
      syncedIndex: this.#syncedIndex(),
      segments: 0,
      bytes: 0,
      syncsTotal: this.#syncsTotal,
      entriesSyncedTotal: this.#entriesSyncedTotal,
      syncP50Ms: 0,
      syncP99Ms: 0,
      batchesQueued: this.#waiting.length,
      ...this.health(),
    };
  }

  async close(): Promise<void> {
    await this.#flushed();
    this.#closed = true;
  }

  durable(): Recovered {
    const lastIndex = this.#base.index + this.#entries.length;
    return {
      hardState: { ...this.#hardState },
      entries: [...this.#entries],
      lastIncludedIndex: this.#base.index,
      lastIncludedTerm: this.#base.term,
      configuration: null,
      lastDurableIndexKnown: Math.max(lastIndex, this.#refetchIndex),
      verdicts: [],
    };
  }

  /** What is durable and will not be replaced by a batch that waits. */
  #syncedIndex(): number {
    let synced = this.#base.index + this.#entries.length;
    for (const { batch, restart } of [...this.#writing, ...this.#waiting]) {
      const first = batch.entries[0]?.index ?? Number.POSITIVE_INFINITY;
      synced = Math.min(synced, first - 1, restart?.index ?? synced);
    }
    return synced;
  }

  #pump(): void {
    if (this.#writing.length > 0 || this.#waiting.length === 0) return;
    const group = this.#waiting;
    this.#writing = group;
    this.#waiting = [];
    this.#schedule(() => {
      this.#syncsTotal++;
      for (const waiting of group) this.#enter(waiting);
      this.#writing = [];
      this.#pump();
      for (const { onDurable } of group) onDurable();
    });
  }

  #enter({ batch, restart }: Waiting): void {
    if (restart !== null) {
      this.#entries = [];
      this.#base = restart;
    }
    if (batch.hardState !== null) this.#hardState = batch.hardState;
    const [first] = batch.entries;
    if (first === undefined) return;
    this.#entries.length = Math.max(0, Math.min(this.#entries.length, first.index - this.#base.index - 1));
    for (const entry of batch.entries) this.#entries.push(entry);
    this.#entriesSyncedTotal += batch.entries.length;
  }

  /** When everything that waits now is durable. */
  async #flushed(restart: Waiting['restart'] = null): Promise<void> {
    if (restart === null && this.#writing.length === 0 && this.#waiting.length === 0) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push({ batch: NOTHING, restart, onDurable: resolve });
      this.#pump();
    });
  }
}
