// A model of the log for crash tests: which states a recovery may find, given what was handed in and what was
// acknowledged. One batch either happened or did not; an acknowledged one did.
import type { Entry, HardState } from '../../engine/raft/types.ts';
import type { LogBatch, Recovered } from '../../engine/storage/types.ts';

interface ModelEntry {
  term: number;
  /** The first four bytes of its data: unique to the entry. */
  tag: number;
}

interface ModelState {
  base: number;
  entries: readonly ModelEntry[];
  currentTerm: number;
  votedFor: number;
}

export function tagOf(entry: Entry): number {
  const { data } = entry;
  return ((data[0] ?? 0) | ((data[1] ?? 0) << 8) | ((data[2] ?? 0) << 16) | ((data[3] ?? 0) << 24)) >>> 0;
}

export class CrashModel {
  /** After the last acknowledged batch, and after each later one. */
  #states: ModelState[] = [{ base: 0, entries: [], currentTerm: 0, votedFor: 0 }];
  #commitIndexMax = 0;
  /** What a restart would be given. */
  snapshot = { index: 0, term: 0 };

  /** As it is now, whatever happens to this one. */
  copy(): CrashModel {
    const twin = new CrashModel();
    twin.#states = [...this.#states];
    twin.#commitIndexMax = this.#commitIndexMax;
    twin.snapshot = this.snapshot;
    return twin;
  }

  get latest(): ModelState {
    return this.#states.at(-1) as ModelState;
  }

  get lastIndex(): number {
    return this.latest.base + this.latest.entries.length;
  }

  termAt(index: number): number {
    return this.latest.entries[index - this.latest.base - 1]?.term ?? 0;
  }

  submit(batch: LogBatch): void {
    const { base, entries, currentTerm, votedFor } = this.latest;
    const [first] = batch.entries;
    const kept = first === undefined ? entries : entries.slice(0, first.index - base - 1);
    this.#states.push({
      base,
      entries: [...kept, ...batch.entries.map((entry) => ({ term: entry.term, tag: tagOf(entry) }))],
      currentTerm: batch.hardState?.currentTerm ?? currentTerm,
      votedFor: batch.hardState?.votedFor ?? votedFor,
    });
    this.#commitIndexMax = Math.max(this.#commitIndexMax, batch.hardState?.commitIndex ?? 0);
  }

  /** The oldest batch that was not yet acknowledged is now. */
  acknowledge(): void {
    this.#states.shift();
  }

  /** The log begins anew behind a snapshot; counts as a batch. */
  submitRestart(point: { index: number; term: number }): void {
    const { currentTerm, votedFor } = this.latest;
    this.#states.push({ base: point.index, entries: [], currentTerm, votedFor });
  }

  /** Null when the recovered log is one of the states it may be; otherwise what is wrong. */
  objection(recovered: Pick<Recovered, 'hardState' | 'entries'>): string | null {
    const { index: snapshotIndex } = this.snapshot;
    let contiguous = snapshotIndex;
    for (const entry of recovered.entries) {
      contiguous++;
      if (entry.index !== contiguous) return `entry ${entry.index} stands where ${contiguous} belongs`;
    }
    if (recovered.hardState.commitIndex > this.#commitIndexMax) return 'a commit index that nobody wrote';
    for (const state of this.#states) if (this.#matches(state, recovered)) return null;
    const found = recovered.entries.map((entry) => `${entry.index}:${entry.term}`).join(' ');
    const allowed = this.#states.map(
      (state) =>
        `term ${state.currentTerm} vote ${state.votedFor} base ${state.base} [${state.entries.map((entry, at) => `${state.base + at + 1}:${entry.term}`).join(' ')}]`,
    );
    const { currentTerm, votedFor } = recovered.hardState;
    return `found term ${currentTerm} vote ${votedFor} [${found}] behind snapshot ${snapshotIndex}; allowed:\n${allowed.join('\n')}`;
  }

  #matches(state: ModelState, recovered: Pick<Recovered, 'hardState' | 'entries'>): boolean {
    const { hardState } = recovered;
    if (hardState.currentTerm !== state.currentTerm || hardState.votedFor !== state.votedFor) return false;
    const skip = this.snapshot.index - state.base;
    const termThere = skip === 0 ? this.snapshot.term : state.entries[skip - 1]?.term;
    // A log that does not reach or does not match the snapshot gives way to it.
    const visible = skip < 0 || termThere !== this.snapshot.term ? [] : state.entries.slice(skip);
    if (visible.length !== recovered.entries.length) return false;
    return recovered.entries.every((entry, at) => {
      const expected = visible[at];
      return expected !== undefined && expected.term === entry.term && expected.tag === tagOf(entry);
    });
  }
}

export function nextHardState(hardState: HardState, random: () => number): HardState {
  const raise = random() < 0.5;
  return {
    currentTerm: hardState.currentTerm + (raise ? 1 + Math.floor(random() * 3) : 0),
    votedFor: raise ? Math.floor(random() * 4) : hardState.votedFor,
    commitIndex: hardState.commitIndex,
  };
}
