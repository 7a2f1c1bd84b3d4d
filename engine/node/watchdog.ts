// Looks after the node's own health at every tick: raises and clears alarms, and gives leadership away when the
// disk cannot keep up with it.
import { members } from '../raft/quorum.ts';
import type { Raft } from '../raft/raft.ts';
import type { LogStore } from '../storage/types.ts';
import type { Alarms } from './alarms.ts';
import type { NodeConfig } from './node-config.ts';
import { tickIntervalMsOf } from './raft-options.ts';

export interface WatchdogOptions {
  config: NodeConfig;
  raft: Raft;
  store: LogStore;
  /** Null unless this member started without any memory: called once it has caught up. [E14] */
  onMemoryRestored: (() => void) | null;
  alarms: Alarms;
}

export class Watchdog {
  readonly #options: WatchdogOptions;
  #leaderlessMs = 0;

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  /** `count` ticks have passed. */
  watch(count: number): void {
    const { config, raft } = this.#options;
    this.#leaderlessMs = raft.leaderId === 0 ? this.#leaderlessMs + count * tickIntervalMsOf(config) : 0;
    this.#watchQuorum();
    this.#watchDisk();
  }

  #watchQuorum(): void {
    const { config, raft, alarms } = this.#options;
    // A node that is no member misses nobody.
    const isLong =
      this.#leaderlessMs > config.electionTimeoutMs[1] * 3 &&
      members(raft.configuration).includes(config.nodeId);
    alarms.set(
      'noQuorum',
      isLong,
      () => 'no leader for three election timeouts: a majority is not reachable',
    );
  }

  /** Says why this node has no vote, and lets the disk know when it has one again. [E11] [E14] */
  #watchRefetching(): void {
    const { raft, store, alarms, onMemoryRestored } = this.#options;
    const changes = alarms.set('refetching', raft.isRefetching, () =>
      onMemoryRestored !== null
        ? 'its folder was emptied: no vote before it has heard every other node and caught up'
        : 'entries lost to corruption are fetched from the leader; no vote until they are back',
    );
    if (!changes || raft.isRefetching) return;
    store.markRefetched();
    onMemoryRestored?.();
  }

  /**
   * A disk that hangs or is full must not stop the cluster: leadership goes to a node whose disk works, tried
   * again until one has it. A node that cannot write could win an election, but not lead. [W11] [W12] [E13]
   */
  #watchDisk(): void {
    const { config, raft, store, alarms } = this.#options;
    const { syncInFlightMs: hungMs, noSpace } = store.health();
    // A write that waits for room is none that hangs.
    const isHung = !noSpace && hungMs > config.electionTimeoutMs[1];
    const full = 'the disk is full: nothing is acknowledged until there is room';
    alarms.set('diskHung', isHung, () => `a sync has not returned for ${Math.round(hungMs)} ms`);
    alarms.set('noSpace', noSpace, () => full);
    this.#watchRefetching();
    const works = !isHung && !noSpace;
    raft.setEligible(works);
    if (!works && raft.role === 'leader' && !raft.isTransferring) raft.transferLeadership(0);
  }
}
