// Lease reads, where they are switched on: a leader that a majority has promised to stick to serves linearizable
// reads without asking around, for as long as the promises certainly last. Raft thesis §6.4.1; the promises are
// ours, because followers here would otherwise leave a leader as soon as their connection to it breaks. [E9]
import type { Core } from './core.ts';
import { quorumValue } from './quorum.ts';
import type { Heartbeat, HeartbeatResponse, NodeId } from './types.ts';

/** Clocks of two nodes may differ in pace by this share: a follower's smallest timeout may pass sooner than it should. */
const DRIFT_SHARE_MAX = 0.2;
/** A tick of the follower may come right after its promise. */
const PROMISE_TICKS_LOST = 1;

/** A leader's knowledge of how long it certainly leads. */
export class Lease {
  /** Rounds of heartbeats that are not answered by a majority yet, oldest first, and when they left. */
  #sent: { round: number; at: number }[] = [];
  /** A majority has promised from this moment on; null while there is no lease. */
  #from: number | null = null;
  /** Leadership may pass on by its own will: for the rest of the term nothing is certain. [R6] */
  #isForfeited = false;

  /** A new leader begins without. */
  begin(): void {
    this.end();
    this.#isForfeited = false;
  }

  /** Promises so far are worth nothing: the members have changed, or leadership is gone. */
  end(): void {
    this.#sent = [];
    this.#from = null;
  }

  forfeit(): void {
    this.end();
    this.#isForfeited = true;
  }

  sent(round: number, at: number, ticks: number): void {
    // What is older than a lease is of no use; so a leader without answers keeps no long list.
    while (this.#sent.length > 0 && (this.#sent[0]?.at ?? at) + ticks < at) this.#sent.shift();
    this.#sent.push({ round, at });
  }

  /** A majority has answered `round` or a later one, with a promise. */
  promised(round: number): void {
    while (this.#sent.length > 0 && (this.#sent[0]?.round ?? 0) <= round) {
      this.#from = this.#sent.shift()?.at ?? null;
    }
  }

  holds(now: number, ticks: number): boolean {
    return !this.#isForfeited && this.#from !== null && now - this.#from < ticks;
  }
}

function leaseTicks(core: Core): number {
  const [minTicks] = core.options.electionTimeoutTicks;
  return (minTicks - PROMISE_TICKS_LOST) * (1 - DRIFT_SHARE_MAX);
}

/** Leader: a round of heartbeats is about to leave. Counted from here, which is earlier than anybody can hear it. [R5] */
export function noteRound(core: Core): void {
  const { leaseClock } = core.options;
  if (leaseClock !== null) core.lease.sent(core.readRound, leaseClock(), leaseTicks(core));
}

/** Leader: a follower answered a round and sticks to this leader. Both majorities count while joint. [R5] [M2] */
export function takePromise(core: Core, message: HeartbeatResponse): void {
  const progress = core.progress.get(message.from);
  if (core.options.leaseClock === null || progress === undefined || message.promise !== true) return;
  if (message.readRound <= progress.promisedRound) return;
  progress.promisedRound = message.readRound;
  const round = quorumValue(core.configuration, (id) =>
    // The leader votes for nobody as long as it leads.
    id === core.id ? core.readRound : (core.progress.get(id)?.promisedRound ?? 0),
  );
  core.lease.promised(round);
}

/** Leader: certainly nobody else can have been elected yet. [R5] */
export function leaseHolds(core: Core): boolean {
  const { leaseClock } = core.options;
  return leaseClock !== null && core.lease.holds(leaseClock(), leaseTicks(core));
}

/** Follower: sticks to this leader for the smallest election timeout, whatever happens. False when leases are off. [R6] */
export function promise(core: Core, heartbeat: Heartbeat): boolean {
  if (core.options.leaseClock === null) return false;
  core.promisedTo = heartbeat.from;
  core.promisedUntilTick = core.tickCount + core.options.electionTimeoutTicks[0];
  return true;
}

/** May not help anybody but the promised leader to become leader, itself included. [R6] */
export function isPromised(core: Core, candidate: NodeId): boolean {
  return core.tickCount < core.promisedUntilTick && candidate !== core.promisedTo;
}
