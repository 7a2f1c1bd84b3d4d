// The time that this node stamps its proposals with, and, while it leads, the entry that says a key's end has come.
// Ends are decided by the log alone: a leader whose entries do not commit ends nothing. [K7, K8]
import type { Keyspace } from '../kv/keyspace.ts';
import { encodeProposal } from '../protocol/command-codec.ts';
import type { Raft } from '../raft/raft.ts';

export interface ClusterTimeOptions {
  raft: Raft;
  keyspace: Keyspace;
  /** Milliseconds since 1970; may jump, and differ from other nodes'. */
  wallClock?: () => number;
  /** Milliseconds; never goes back. */
  monotonicClock?: () => number;
}

export class ClusterTime {
  readonly #raft: Raft;
  readonly #keyspace: Keyspace;
  readonly #wallClock: () => number;
  readonly #monotonicClock: () => number;
  #last = 0;
  #lastAt: number;
  /** The entry that was proposed to end keys; 0 for none that is under way. */
  #index = 0;
  #term = 0;
  #stamp = 0;

  constructor({ raft, keyspace, wallClock, monotonicClock }: ClusterTimeOptions) {
    this.#raft = raft;
    this.#keyspace = keyspace;
    this.#wallClock = wallClock ?? Date.now;
    this.#monotonicClock = monotonicClock ?? (() => performance.now());
    this.#lastAt = this.#monotonicClock();
  }

  /**
   * Whole milliseconds since 1970, not before what the log says. Passes at its own pace where the clock is behind
   * that: a leader with a slow clock must not make every key live longer.
   */
  now(): number {
    const at = this.#monotonicClock();
    const passed = this.#last + (at - this.#lastAt);
    this.#lastAt = at;
    this.#last = Math.max(this.#wallClock(), this.#keyspace.time, passed);
    return Math.floor(this.#last);
  }

  /** For the proposals of this turn: looked up once. */
  stamp(): number {
    if (this.#stamp === 0) this.#stamp = this.now();
    return this.#stamp;
  }

  /** Once a turn, before anything is proposed. One entry is under way at a time. */
  keep(): void {
    this.#stamp = 0;
    const end = this.#keyspace.nextEnd;
    if (end === null || this.#raft.role !== 'leader' || this.waitIndex !== 0) return;
    const now = this.now();
    if (end > now) return;
    const entry = encodeProposal({ command: { type: 'advanceTime' }, session: null }, now);
    const result = this.#raft.propose([entry]);
    if (!result.accepted) return;
    this.#index = result.firstIndex;
    this.#term = result.term;
  }

  /** A read of this moment waits for this entry, so that no key is read whose end has come. 0: for none. */
  get waitIndex(): number {
    if (this.#index <= this.#raft.lastApplied || this.#term !== this.#raft.currentTerm) this.#index = 0;
    return this.#index;
  }
}
