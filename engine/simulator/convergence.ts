// Is the cluster one again? How far apart its nodes are, and how long they may take, once nothing goes wrong any more.
import { members } from '../raft/quorum.ts';
import type { Configuration } from '../raft/types.ts';
import { Violation } from './checkers/checker.ts';
import type { SimulatedNode } from './node.ts';
import { type SimulationPlan, TIME_PER_TICK } from './plan.ts';
import type { Workload } from './workload.ts';

/** Longest election timeouts that the cluster has, once everything works, to become one again. */
const HEALING_TIMEOUTS_MAX = 30;

export interface ConvergenceOptions {
  nodes: readonly SimulatedNode[];
  plan: SimulationPlan;
  workload: Workload;
  now: () => number;
}

export class Convergence {
  readonly #options: ConvergenceOptions;
  #healedAt = 0;
  #backlogTicks = 0;

  constructor(options: ConvergenceOptions) {
    this.#options = options;
  }

  /** From here on the time counts. */
  begin(): void {
    this.#healedAt = this.#options.now();
    this.#backlogTicks = this.#timeForBacklog();
  }

  get elapsedTicks(): number {
    return (this.#options.now() - this.#healedAt) / TIME_PER_TICK;
  }

  /** Throws a Violation when it takes too long. */
  isReached(): boolean {
    const { plan, workload } = this.#options;
    const differs = this.#whatIsMissing();
    if (differs === null) workload.nodesAreOne();
    const missing = differs ?? workload.whatIsMissing();
    if (missing === null) return true;
    const [, timeoutTicks] = plan.raft.electionTimeoutTicks;
    const { elapsedTicks } = this;
    if (elapsedTicks <= HEALING_TIMEOUTS_MAX * timeoutTicks + this.#backlogTicks) return false;
    const after = `${elapsedTicks.toFixed(0)} ticks after the last fault`;
    throw new Violation('convergence', 'E2', `${after} ${missing}`);
  }

  /** Who leads in the highest term; null when nobody does. */
  get leader(): SimulatedNode | null {
    const leaders = this.#options.nodes.filter((node) => node.isUp && node.raft.role === 'leader');
    return leaders.sort((a, b) => b.raft.currentTerm - a.raft.currentTerm)[0] ?? null;
  }

  membersOf(configuration: Configuration): SimulatedNode[] {
    const ids = new Set(members(configuration));
    return this.#options.nodes.filter(({ id }) => ids.has(id));
  }

  /** Ticks that the slowest needs for what it lacks when entries travel one by one, as small windows have it. */
  #timeForBacklog(): number {
    const { nodes, plan } = this.#options;
    const last = nodes.map((node) => node.disk.durableLog.lastIndex);
    const lost = nodes.map((node) => node.disk.refetchIndex);
    const entries = Math.max(...last, ...lost) - Math.min(...last);
    const { linkTime, syncTime, turnTimeMax, raft } = plan;
    const roundTime = 2 * linkTime[1] + syncTime[1] + 3 * turnTimeMax;
    const isNarrow =
      raft.messageBytesMax < 1000 || raft.inflightBytesMax < 1000 || raft.inflightMessagesMax === 1;
    return (entries * roundTime) / TIME_PER_TICK / (isNarrow ? 1 : 10);
  }

  /** What keeps the members from being one, or null. */
  #whatIsMissing(): string | null {
    const { leader } = this;
    if (leader === null) return 'nobody leads';
    const { currentTerm, commitIndex, configuration } = leader.raft;
    if (configuration.votersOutgoing.length > 0) return 'members are being changed';
    for (const { id, isUp, raft, log } of this.membersOf(configuration)) {
      if (!isUp) return `n${id} is down`;
      if (raft.isRefetching) return `n${id} misses entries`;
      if (raft.leaderId !== leader.id || raft.currentTerm !== currentTerm)
        return `n${id} does not follow n${leader.id}`;
      if (
        raft.commitIndex !== commitIndex ||
        raft.lastApplied !== commitIndex ||
        log.lastIndex !== commitIndex
      ) {
        return `n${id} is at ${raft.lastApplied}/${raft.commitIndex}/${log.lastIndex}, n${leader.id} has committed ${commitIndex}`;
      }
    }
    return null;
  }
}
