// What every checker is: an onlooker that is told what nodes did, step by step, and throws when it must not be. It
// knows nodes by what they hand out, send, store and apply, and shares no code with what it checks.
import type { Keyspace } from '../../kv/keyspace.ts';
import type { CommandResult, Proposal } from '../../protocol/command.ts';
import type { Raft } from '../../raft/raft.ts';
import type { Entry, HardState, Message, NodeId } from '../../raft/types.ts';
import type { ShadowLog } from '../shadow-log.ts';

/** Something happened that the named rule forbids. The run ends here. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly checker: string;
  /** Of engine/SPEC.md. */
  readonly rule: string;

  constructor(checker: string, rule: string, message: string) {
    super(message);
    this.checker = checker;
    this.rule = rule;
  }
}

/** A node as checkers see it. */
export interface NodeView {
  readonly id: NodeId;
  /** Starts so far. */
  readonly life: number;
  readonly isUp: boolean;
  readonly raft: Pick<Raft, 'role' | 'currentTerm' | 'commitIndex' | 'lastApplied' | 'isRefetching'>;
  readonly keyspace: Pick<Keyspace, 'get' | 'time'>;
  /** Every entry that the core handed out in this life, or was started with. */
  readonly log: ShadowLog;
  readonly disk: {
    readonly durableLog: ShadowLog;
    readonly durableHardState: HardState;
    readonly shelf: { readonly newest: { readonly index: number } | null };
    /** Entries up to here were once acknowledged and are lost; 0 when none are. */
    readonly refetchIndex: number;
    /** The folder was emptied, and what was in it is not back. */
    readonly hasLostMemory: boolean;
  };
}

/** All nodes, and what has been found out about them together. */
export interface ClusterView {
  readonly nodes: readonly NodeView[];
  /** Those that vote in the beginning. */
  readonly voters: readonly NodeId[];
}

/** Each method is called right after the fact, and throws a Violation or returns. */
export interface Checker {
  readonly name: string;
  /** The node has read its disk and made its core. */
  nodeStarted?(node: NodeView): void;
  /** The core handed out an entry to be written; `previousTerm` is that of the entry before it. */
  entryHanded?(node: NodeView, handed: HandedEntry): void;
  /** It has won an election. */
  elected?(node: NodeView, votes: readonly NodeId[]): void;
  /** The entry at `index` was found to be committed, while it was on the disks of `holders`. */
  decided?(node: NodeView, decision: { index: number; holders: ReadonlySet<NodeId> }): void;
  /** It is no member any more, and was taken away with its disk: under its id another may come. */
  nodeRetired?(node: NodeView): void;
  /** The core was asked for a Ready, whose entries are in `log`; nothing of it has been carried out. */
  readyTaken?(node: NodeView): void;
  /** `durableLog` and `durableHardState` have just changed. */
  batchDurable?(node: NodeView): void;
  messageLeft?(node: NodeView, message: Message): void;
  /** `proposal` and `result` are null for entries that carry no command. */
  applied?(node: NodeView, applied: AppliedEntry): void;
  /** A snapshot from the leader, which ends at `index`, took the place of log and state. */
  restored?(node: NodeView, index: number): void;
  /** The state at `index`, dumped or about to be loaded; `sum` is over its bytes. */
  stateDumped?(node: NodeView, index: number, sum: number): void;
  /** A read reached the node. */
  readAsked?(node: NodeView, token: number): void;
  /** The read may be served at `index`. */
  readConfirmed?(node: NodeView, token: number, index: number): void;
  /** A client was told that its write is done, as the entry at `index` of `term`. */
  writeAcknowledged?(written: { index: number; term: number }): void;
}

export interface HandedEntry {
  index: number;
  term: number;
  sum: number;
  previousTerm: number;
  entry: Entry;
}

export interface AppliedEntry {
  entry: Entry;
  sum: number;
  proposal: Proposal | null;
  result: CommandResult | null;
}
