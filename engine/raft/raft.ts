// The Raft core: feed it ticks, messages, proposals and disk completions; carry out the Ready it returns in
// the order that ready.ts gives. No I/O, no clock, no randomness of its own.
import { Core, type RaftStart } from './core.ts';
import {
  askWhenConnected,
  checkQuorum,
  countOwnVote,
  leaderConnectionLost,
  startPreVote,
  tickElection,
} from './elections.ts';
import { tellWhenCommitted } from './in-force.ts';
import { entryBytes } from './log.ts';
import {
  type ChangeResult,
  type ConfigurationChange,
  continueChange,
  dismissDeparted,
  proposeConfiguration,
} from './membership.ts';
import { checkOptions, type RaftOptions } from './options.ts';
import { pictureOf, type RaftPicture } from './picture.ts';
import {
  canStartReadRound,
  expireForwardedReads,
  readIndex,
  sendHeartbeats,
  startReadRound,
} from './reads.ts';
import type { Ready, SoftState } from './ready.ts';
import { askWhenReachable, checkRejoined, tickRejoin } from './rejoin.ts';
import { advanceCommit, appendAsLeader, sendAppend } from './replication.ts';
import { type InstalledSnapshot, installSnapshot, snapshotFailed } from './snapshots.ts';
import { step } from './step.ts';
import { type TransferRefusal, tickTransfer, transferLeadership } from './transfer.ts';
import type { Configuration, Entry, HardState, Message, NodeId, Role } from './types.ts';

export type ProposeRefusal = 'notLeader' | 'transferring' | 'tooMuchUncommitted';
export type ProposeResult =
  | { accepted: true; firstIndex: number; term: number }
  | { accepted: false; why: ProposeRefusal };

export class Raft {
  readonly #core: Core;
  #softState: SoftState;

  constructor(options: RaftOptions, start: RaftStart) {
    checkOptions(options);
    this.#core = new Core(options, start);
    this.#softState = { role: 'follower', leaderId: 0 };
  }

  /** One unit of time. A host that slept calls it as often as time has passed, within reason. */
  tick(): void {
    const core = this.#core;
    core.tickCount += 1;
    expireForwardedReads(core);
    tickRejoin(core);
    if (core.role !== 'leader') {
      tickElection(core);
      return;
    }
    core.electionElapsedTicks += 1;
    core.heartbeatElapsedTicks += 1;
    tickTransfer(core);
    if (core.electionElapsedTicks >= core.options.electionTimeoutTicks[0]) {
      core.electionElapsedTicks = 0;
      checkQuorum(core);
      if ((core.role as Role) !== 'leader') return;
      core.catchUpIndex = core.catchUpIndexNext;
      core.catchUpIndexNext = core.log.commitIndex;
    }
    dismissDeparted(core);
    if (core.heartbeatElapsedTicks < core.options.heartbeatTicks) return;
    // A round of its own, so that its answers say what they answer. [R5]
    if (core.options.leaseClock !== null) core.readRound += 1;
    sendHeartbeats(core);
  }

  /** A message from a peer. Anything may come, in any order, any number of times. */
  step(message: Message): void {
    step(this.#core, message);
  }

  /** Leader: takes the entries (their index and term are filled in) or says why not. Takes all or none. */
  propose(entries: readonly Entry[]): ProposeResult {
    const core = this.#core;
    if (core.role !== 'leader') return { accepted: false, why: 'notLeader' };
    if (core.leadTransferee !== 0) return { accepted: false, why: 'transferring' };
    let bytes = 0;
    for (const entry of entries) bytes += entryBytes(entry);
    // The first proposal always fits, or one above the limit could never be made. [L7]
    if (core.uncommittedBytes > 0 && core.uncommittedBytes + bytes > core.options.uncommittedBytesMax) {
      return { accepted: false, why: 'tooMuchUncommitted' };
    }
    const firstIndex = core.log.lastIndex + 1;
    appendAsLeader(core, entries);
    return { accepted: true, firstIndex, term: core.currentTerm };
  }

  /**
   * Leader: begins a change of members, or says why not. It is in force at once and done when a configuration that
   * is not joint is committed; what becomes of it when leadership is lost meanwhile, only the next leader knows.
   */
  proposeConfiguration(change: ConfigurationChange): ChangeResult {
    return proposeConfiguration(this.#core, change);
  }

  /** Asks for a linearizable read; `token` comes back in `Ready.reads`. On a follower the leader is asked. */
  readIndex(token: number): void {
    readIndex(this.#core, token);
  }

  /** Starts an election now, with its pre-vote. No effect on a leader or a node without a vote. */
  campaign(): void {
    startPreVote(this.#core, { reason: 'asked to campaign', rule: 'E2' });
  }

  /** Leader: hands leadership to `target`, or (0) to the best follower; steps down when none is up. */
  transferLeadership(target: NodeId): TransferRefusal | null {
    return transferLeadership(this.#core, target);
  }

  /** False: the disk under this node takes nothing, so it must not lead. It goes on following and voting. [E13] */
  setEligible(isEligible: boolean): void {
    this.#core.isEligible = isEligible;
  }

  /** The connection to a peer was torn down by the other side: its process has most likely died. */
  peerLost(peer: NodeId): void {
    const core = this.#core;
    if (core.role === 'follower' && core.leaderId === peer && peer !== 0) leaderConnectionLost(core);
  }

  /** A new connection to a peer stands: what was under way on the old one is lost. */
  peerConnected(peer: NodeId): void {
    const core = this.#core;
    askWhenConnected(core, peer);
    askWhenReachable(core, peer);
    const progress = core.progress.get(peer);
    if (progress === undefined) return;
    progress.becomeProbe();
    sendAppend(core, progress);
  }

  /** Drops entries up to `index`, which a durable snapshot covers. */
  compact(index: number): void {
    this.#core.log.compact(index);
    this.#core.configurations.compact(index);
  }

  /** The last entry handed to the state machine: where a snapshot of it ends, and the configuration as of there. */
  appliedPoint(): InstalledSnapshot {
    const { log, configurations } = this.#core;
    const index = log.lastApplied;
    return { index, term: log.termAt(index) ?? 0, configuration: configurations.at(index) };
  }

  /** Leader: the host could not send the snapshot that `Ready.snapshotsWanted` asked for. */
  snapshotFailed(follower: NodeId): void {
    snapshotFailed(this.#core, follower);
  }

  /**
   * A snapshot from the leader is durable: it takes the place of the whole log. False when the log has come
   * further by itself; nothing has changed then.
   */
  installSnapshot(snapshot: InstalledSnapshot): boolean {
    return installSnapshot(this.#core, snapshot);
  }

  hasReady(): boolean {
    const core = this.#core;
    return (
      core.hardStateDirty ||
      core.messages.length > 0 ||
      core.messagesAfterSync.length > 0 ||
      core.reads.length > 0 ||
      core.events.length > 0 ||
      core.configurationIsNew ||
      core.snapshotsWanted.length > 0 ||
      core.snapshotChunks.length > 0 ||
      core.role !== this.#softState.role ||
      core.leaderId !== this.#softState.leaderId ||
      canStartReadRound(core) ||
      core.log.handedIndex < core.log.lastIndex ||
      core.log.lastApplied < core.log.commitIndex
    );
  }

  /** What the host owes now. Several may be outstanding; they are advanced in their order. */
  ready(): Ready {
    const core = this.#core;
    startReadRound(core);
    tellWhenCommitted(core);
    const entries = core.log.takeUnhanded();
    const ready: Ready = {
      hardState: this.#takeHardState(entries.length > 0),
      entries,
      messages: core.messages,
      messagesAfterSync: core.messagesAfterSync,
      committed: core.log.takeCommitted(core.options.committedBytesMax),
      reads: core.reads,
      snapshotsWanted: core.snapshotsWanted,
      snapshotChunks: core.snapshotChunks,
      softState: this.#takeSoftState(),
      configuration: core.configurationIsNew ? core.configuration : null,
      events: core.events,
    };
    core.messages = [];
    core.messagesAfterSync = [];
    core.reads = [];
    core.snapshotsWanted = [];
    core.snapshotChunks = [];
    core.events = [];
    core.configurationIsNew = false;
    return ready;
  }

  /** Everything of this Ready and of all before it is durable. */
  advance(ready: Ready): void {
    const core = this.#core;
    if (ready.hardState !== null) {
      core.stableTerm = Math.max(core.stableTerm, ready.hardState.currentTerm);
      // Where entries are missing, the hint is ahead of what is known of this log. [C7]
      core.stableCommitIndex = Math.min(ready.hardState.commitIndex, core.log.commitIndex);
    }
    const last = ready.entries[ready.entries.length - 1];
    if (last !== undefined) core.log.markStable(last.index, last.term);
    checkRejoined(core);
    countOwnVote(core);
    if (last === undefined) return;
    core.checkRefetched();
    if (core.role !== 'leader') return;
    advanceCommit(core);
    continueChange(core);
  }

  status(): RaftPicture {
    return pictureOf(this.#core);
  }

  get role(): Role {
    return this.#core.role;
  }

  get leaderId(): NodeId {
    return this.#core.leaderId;
  }

  get currentTerm(): number {
    return this.#core.currentTerm;
  }

  /** Leader: leadership is being handed over, and no proposal is taken meanwhile. [E10] */
  get isTransferring(): boolean {
    return this.#core.leadTransferee !== 0;
  }

  /** What was lost to corruption, or with the whole folder, is not back yet; until then this node has no vote. [E11] [E14] */
  get isRefetching(): boolean {
    return this.#core.isRefetching;
  }

  /** In force here, committed or not. [M1] */
  get configuration(): Configuration {
    return this.#core.configuration;
  }

  get lastApplied(): number {
    return this.#core.log.lastApplied;
  }

  get commitIndex(): number {
    return this.#core.log.commitIndex;
  }

  /** With new entries it rides along for free and keeps the hint for the commit index fresh. */
  #takeHardState(hasEntries: boolean): HardState | null {
    const core = this.#core;
    if (!core.hardStateDirty && !hasEntries) return null;
    core.hardStateDirty = false;
    const commitIndex = Math.max(core.log.commitIndex, core.owedCommitIndex);
    return { currentTerm: core.currentTerm, votedFor: core.votedFor, commitIndex };
  }

  #takeSoftState(): SoftState | null {
    const { role, leaderId } = this.#core;
    if (role === this.#softState.role && leaderId === this.#softState.leaderId) return null;
    this.#softState = { role, leaderId };
    return this.#softState;
  }
}
