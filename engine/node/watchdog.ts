// Looks after the node's own health at every tick: raises and clears alarms, and gives leadership away when the
// disk cannot keep up with it.
import type { Raft } from '../raft/raft.ts';
import type { LogStore } from '../storage/types.ts';
import type { Alarms } from './alarms.ts';
import type { NodeConfig } from './node-config.ts';
import { tickIntervalMsOf } from './raft-options.ts';

export interface WatchdogOptions {
  config: NodeConfig;
  raft: Raft;
  store: LogStore;
  alarms: Alarms;
}

export class Watchdog {
  readonly #options: WatchdogOptions;
  #leaderlessMs = 0;

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  /** A node that cannot write could win an election, but not lead. */
  get diskWorks(): boolean {
    const { alarms } = this.#options;
    return !alarms.has('diskHung') && !alarms.has('noSpace');
  }

  /** `count` ticks have passed. */
  watch(count: number): void {
    const { config, raft } = this.#options;
    this.#leaderlessMs = raft.leaderId === 0 ? this.#leaderlessMs + count * tickIntervalMsOf(config) : 0;
    this.#watchQuorum();
    this.#watchDisk();
  }

  #watchQuorum(): void {
    const { config, alarms } = this.#options;
    const isLong = this.#leaderlessMs > config.electionTimeoutMs[1] * 3;
    alarms.set(
      'noQuorum',
      isLong,
      () => 'no leader for three election timeouts: a majority is not reachable',
    );
  }

  /** A disk that hangs or is full must not stop the cluster: leadership goes to a node whose disk works. */
  #watchDisk(): void {
    const { config, raft, store, alarms } = this.#options;
    const { syncInFlightMs: hungMs, noSpace } = store.status();
    const isHung = hungMs > config.electionTimeoutMs[1];
    const full = 'the disk is full: nothing is acknowledged until there is room';
    const hangs = alarms.set(
      'diskHung',
      isHung,
      () => `a sync has not returned for ${Math.round(hungMs)} ms`,
    );
    const fills = alarms.set('noSpace', noSpace, () => full);
    const refetches = 'entries lost to corruption are fetched from the leader';
    alarms.set('refetching', raft.isRefetching, () => refetches);
    const isNews = (hangs && isHung) || (fills && noSpace);
    if (isNews && raft.role === 'leader') raft.transferLeadership(0);
  }
}
