// The state that all parts of the core share, and the outbox in which they leave what the host must do.
// It decides nothing: the rules are in elections, replication, reads and transfer.
import { assert } from './assert.ts';
import { Configurations } from './configurations.ts';
import { Lease } from './lease.ts';
import { RaftLog } from './log.ts';
import type { RaftOptions } from './options.ts';
import { Progress } from './progress.ts';
import { isVoter, members } from './quorum.ts';
import type { ReadState } from './ready.ts';
import { Rejoin } from './rejoin.ts';
import {
  type Configuration,
  type Entry,
  EntryKind,
  type HardState,
  type InstallSnapshot,
  type Message,
  type NodeId,
  type RaftEvent,
  type Role,
} from './types.ts';

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
/** A message without the fields that `send` fills in. `term` defaults to `currentTerm`. */
export type Outgoing = DistributiveOmit<Message, 'from' | 'term'> & { term?: number };

/** A read of this node's host, or one that a follower asked for. */
export type ReadOrigin = { token: number } | { from: NodeId; requestId: number };

export interface ReadRound {
  round: number;
  /** `commitIndex` when the round began. */
  index: number;
  origins: readonly ReadOrigin[];
}

/** What a node's disk held when it started. */
export interface RaftStart {
  hardState: HardState;
  lastIncludedIndex: number;
  lastIncludedTerm: number;
  entries: readonly Entry[];
  /** The snapshot's configuration; null or absent when there is no snapshot. [M1] */
  configuration?: Configuration | null;
  /** See Core.refetchIndex. */
  refetchIndex?: number;
  /** This member took part before, and remembers nothing of it. See Core.rejoin. */
  hasLostMemory?: boolean;
}

export class Core {
  readonly id: NodeId;
  readonly options: RaftOptions;
  readonly log: RaftLog;
  /** The newest is in force. [M1] */
  readonly configurations: Configurations;
  /** It has changed since the host was last told. */
  configurationIsNew = false;
  /** Index of the newest configuration that was said to be committed. */
  configurationToldIndex = 0;

  /** Latest term this node has seen. [E1] */
  currentTerm: number;
  /** Vote in `currentTerm`, 0 for none. [E3] */
  votedFor: NodeId;
  /** The hard state was changed since it was last handed out. */
  hardStateDirty = false;
  /** Highest term that is durable here: nothing that speaks for a later term leaves before it is. */
  stableTerm: number;
  /** The hint on disk, where it is believed: so much is known to be committed after a restart too. */
  stableCommitIndex: number;
  /** What the hint said before entries were lost to corruption: true again when all of them are back. [C7] */
  owedCommitIndex: number;

  /** Highest index that this node may have acknowledged before corruption took entries from it; 0 once all are back. [E11] */
  refetchIndex: number;
  /** Set while this member, which lost all that it had said and stored, is not whole again. [E14] */
  rejoin: Rejoin | null;
  /** Follower: up to here this log was compared with that of the leader of `comparedTerm`, in this life. [C5] */
  comparedIndex = 0;
  comparedTerm = 0;
  /** The host can write, and so could lead. It votes either way. [E13] */
  isEligible = true;

  role: Role = 'follower';
  /** Leader of `currentTerm` as far as known, 0 for none. */
  leaderId: NodeId = 0;
  /** Answers of this campaign. Empty unless campaigning. */
  votes = new Map<NodeId, boolean>();
  /** The campaign was asked for by the leader itself. [E10] */
  campaignIsTransfer = false;
  /** Books about the other members. Empty unless leading. */
  progress = new Map<NodeId, Progress>();

  /** Ticks since this core was made. */
  tickCount = 0;
  electionElapsedTicks = 0;
  /** Drawn anew on every reset of the election timer. [E2] */
  electionTimeoutTicks = 0;
  /** The election timer was cut short because the connection to this leader broke; 0 otherwise. [E9] */
  lostLeaderId: NodeId = 0;
  heartbeatElapsedTicks = 0;

  /** Successor while leadership is handed over, else 0. [E10] */
  leadTransferee: NodeId = 0;
  transferElapsedTicks = 0;

  /** Leader: a learner with everything up to here is level: committed an election timeout ago, or older than this leader. [M5] */
  catchUpIndex = 0;
  catchUpIndexNext = 0;
  /** Leader: members that left are waited for until then; 0 when none did. [M7] */
  dismissAtTick = 0;

  /** Bytes proposed by this leader and not yet committed. [L7] */
  uncommittedBytes = 0;

  /** Reads of this turn that wait for a round to begin. */
  readsWaiting: ReadOrigin[] = [];
  /** Rounds under way, oldest first. Leader only. */
  readRounds: ReadRound[] = [];
  readRound = 0;
  /** A follower's own reads under way at the leader, by request id. */
  readsForwarded = new Map<number, { tokens: readonly number[]; sentAtTick: number }>();
  readRequestId = 0;

  /** Leader. [R5] */
  readonly lease = new Lease();
  /** Until then this node helps nobody but this leader to become one; 0: whoever it was, in a former life. [R6] */
  promisedTo: NodeId = 0;
  promisedUntilTick = 0;

  messages: Message[] = [];
  messagesAfterSync: Message[] = [];
  reads: ReadState[] = [];
  /** Leader: followers that need a snapshot. [S7] */
  snapshotsWanted: NodeId[] = [];
  /** Follower: chunks of a snapshot, from the leader of this term. [S8] */
  snapshotChunks: InstallSnapshot[] = [];
  events: RaftEvent[] = [];

  constructor(options: RaftOptions, start: RaftStart) {
    const { hardState } = start;
    this.id = options.nodeId;
    this.options = options;
    this.currentTerm = hardState.currentTerm;
    this.stableTerm = hardState.currentTerm;
    this.votedFor = hardState.votedFor;
    const lastIndex = start.lastIncludedIndex + start.entries.length;
    this.refetchIndex =
      start.refetchIndex !== undefined && start.refetchIndex > lastIndex ? start.refetchIndex : 0;
    this.rejoin = start.hasLostMemory === true ? new Rejoin() : null;
    // What stood in the hole may have replaced what stands before it: the hint speaks of another log. [C7]
    const commitIndex = this.isRefetching ? start.lastIncludedIndex : hardState.commitIndex;
    this.log = new RaftLog({ ...start, commitIndex });
    // Not what a snapshot alone says: it may be damaged, and the log be whole without it.
    this.stableCommitIndex = this.isRefetching ? 0 : Math.min(hardState.commitIndex, lastIndex);
    this.owedCommitIndex = this.refetchIndex === 0 ? 0 : hardState.commitIndex;
    this.configurations = findConfigurations(options, start);
    this.configurationToldIndex = this.configurations.latestIndex;
    this.configurationIsNew = start.configuration != null || this.configurations.latestIndex > 0;
    // A promise given in a former life may not be over. [R6]
    if (options.leaseClock !== null && hardState.currentTerm > 0) {
      this.promisedUntilTick = options.electionTimeoutTicks[0];
    }
    this.resetElectionTimer();
  }

  /** In force: the newest that the log holds. [M1] */
  get configuration(): Configuration {
    return this.configurations.latest;
  }

  get mayCampaign(): boolean {
    const mayBeNeeded = isVoter(this.configuration, this.id) || this.#leavesUncommitted;
    return this.role !== 'leader' && mayBeNeeded && !this.isRefetching && this.isEligible;
  }

  /**
   * The newest configuration does not name this voter, and is not committed: whoever it names may lack it, and then
   * nobody else can be elected. Thesis §4.2.2 [M7]
   */
  get #leavesUncommitted(): boolean {
    const { configurations, log } = this;
    return (
      configurations.latestIndex > log.commitIndex && isVoter(configurations.at(log.commitIndex), this.id)
    );
  }

  /** Entries that this node may once have acknowledged are not back yet: its vote could lose them. [E11] [E14] */
  get isRefetching(): boolean {
    return this.refetchIndex !== 0 || this.rejoin !== null;
  }

  /** Once: what a leader replaces afterwards was never committed, and takes no vote away. */
  checkRefetched(): void {
    if (this.refetchIndex === 0 || this.log.stableIndex < this.refetchIndex) return;
    this.refetchIndex = 0;
    // This log is a leader's now, and every leader's has what was known to be committed.
    this.log.commitTo(Math.min(this.owedCommitIndex, this.log.stableIndex));
    this.owedCommitIndex = 0;
  }

  /** Everything up to `index` stands in the log of this term's leader. [L4] */
  comparedWithLeader(index: number): void {
    const known = this.comparedTerm === this.currentTerm ? this.comparedIndex : 0;
    this.comparedIndex = Math.max(known, index);
    this.comparedTerm = this.currentTerm;
  }

  /** What the leader may commit here by its word alone. [C5] */
  get lastVouchedIndex(): number {
    // The leader names at most what it knows to be here. It may not know yet what was lost here, and what stands there
    // instead may have been replaced long ago: then only what was compared with its own log counts.
    if (!this.isRefetching) return this.log.lastIndex;
    return this.comparedTerm === this.currentTerm ? this.comparedIndex : 0;
  }

  /** It joins, and has not been told of any configuration. [M9] */
  get isOutsider(): boolean {
    return this.configuration.voters.length === 0;
  }

  /** The newest configuration that is committed, as far as this node knows. */
  get committedConfiguration(): Configuration {
    return this.configurations.at(this.log.commitIndex);
  }

  get isJoint(): boolean {
    return this.configuration.votersOutgoing.length > 0;
  }

  /** Every other member, learners included. */
  peers(): NodeId[] {
    return members(this.configuration).filter((id) => id !== this.id);
  }

  /** Every other node whose vote counts. */
  voterPeers(): NodeId[] {
    return this.peers().filter((id) => isVoter(this.configuration, id));
  }

  /** A fresh book. A new leader has just won a majority: everybody gets an election timeout to be heard from. */
  newProgress(id: NodeId): Progress {
    const { inflightMessagesMax: messagesMax, inflightBytesMax: bytesMax } = this.options;
    const start = { id, nextIndex: this.log.lastIndex + 1, heardAtTick: this.tickCount };
    return new Progress(start, { messagesMax, bytesMax });
  }

  /** Heard from within the smallest election timeout. [E8] */
  isActive(progress: Progress): boolean {
    return this.tickCount - progress.heardAtTick < this.options.electionTimeoutTicks[0];
  }

  resetElectionTimer(): void {
    const [min, max] = this.options.electionTimeoutTicks;
    this.electionElapsedTicks = 0;
    this.lostLeaderId = 0;
    this.electionTimeoutTicks = min + Math.floor(this.options.random() * (max - min));
  }

  /** Leaves at once, unless it would speak for a term that is not durable here yet. */
  send(outgoing: Outgoing): void {
    const message = this.#address(outgoing);
    if (this.stableTerm === this.currentTerm) this.messages.push(message);
    else this.messagesAfterSync.push(message);
  }

  /** Leaves when everything handed out so far is durable: votes and acknowledgements. [E3] [L8] */
  sendAfterSync(outgoing: Outgoing): void {
    this.messagesAfterSync.push(this.#address(outgoing));
  }

  #address(outgoing: Outgoing): Message {
    return { term: this.currentTerm, ...outgoing, from: this.id } as Message;
  }

  emit(event: RaftEvent): void {
    this.events.push(event);
  }
}

/** What the log holds is newer than the snapshot, and that newer than what the node is started with. [M1] */
function findConfigurations(options: RaftOptions, start: RaftStart): Configurations {
  const configurations = new Configurations(
    start.lastIncludedIndex,
    start.configuration ?? options.configuration,
  );
  for (const { index, kind, data } of start.entries) {
    if (kind !== EntryKind.configuration) continue;
    const configuration = options.configurationCodec.decode(data);
    assert(configuration !== null, `the configuration at index ${index} cannot be read`);
    configurations.add(index, configuration);
  }
  return configurations;
}
