// The faults that a chaos run can make, what each does, and what each costs the cluster while it lasts.

/**
 * What a fault takes from the promises of reliability.md while it is in force:
 * - `nuisance`: nothing; everything must go on, slower.
 * - `node`: one node is away or useless; with the other two, writes must go on.
 * - `cluster`: there is no majority; nothing need go on, and nothing may be lost.
 * - `memory`: what a node had on disk is gone or damaged; the others' must be whole.
 */
export type FaultCost = 'nuisance' | 'node' | 'cluster' | 'memory';

interface FaultDescription {
  cost: FaultCost;
  /** How often it is drawn, beside the others. */
  weight: number;
  /** Milliseconds that it lasts, half open; [0, 1) for what is over at once. */
  durationMs: readonly [min: number, max: number];
  what: string;
}

export const CHAOS_FAULTS = {
  kill: { cost: 'node', weight: 5, durationMs: [100, 2500], what: 'SIGKILL, and a start later' },
  stop: { cost: 'node', weight: 1, durationMs: [100, 1500], what: 'a graceful stop, and a start later' },
  pause: { cost: 'node', weight: 4, durationMs: [200, 3000], what: 'SIGSTOP, later SIGCONT' },
  powerCut: {
    cost: 'node',
    weight: 5,
    durationMs: [100, 2500],
    what: 'what was not synced is dropped and torn, and the process dies',
  },
  killAll: { cost: 'cluster', weight: 1, durationMs: [50, 800], what: 'SIGKILL of all nodes at once' },
  powerCutAll: { cost: 'cluster', weight: 2, durationMs: [50, 800], what: 'a power cut of all at once' },
  isolate: { cost: 'node', weight: 3, durationMs: [300, 4000], what: 'one node alone' },
  oneWay: {
    cost: 'node',
    weight: 3,
    durationMs: [300, 4000],
    what: 'one node hears nothing, or is not heard',
  },
  bridge: {
    cost: 'node',
    weight: 2,
    durationMs: [300, 4000],
    what: 'two nodes see each other only over a third',
  },
  flap: {
    cost: 'node',
    weight: 2,
    durationMs: [500, 4000],
    what: 'one node is cut off and joined again and again',
  },
  shatter: { cost: 'cluster', weight: 1, durationMs: [300, 1500], what: 'every node alone' },
  slowLinks: { cost: 'nuisance', weight: 2, durationMs: [500, 5000], what: 'messages of one node take long' },
  lossyLinks: { cost: 'nuisance', weight: 2, durationMs: [500, 5000], what: 'messages of one node get lost' },
  slowDisk: {
    cost: 'nuisance',
    weight: 2,
    durationMs: [500, 5000],
    what: 'writes and syncs of one node take long',
  },
  hungDisk: { cost: 'node', weight: 2, durationMs: [500, 3000], what: 'syncs of one node do not return' },
  fullDisk: { cost: 'node', weight: 2, durationMs: [500, 3000], what: 'one node has no room on its disk' },
  failedSync: {
    cost: 'node',
    weight: 1,
    durationMs: [200, 1500],
    what: 'a sync fails: the process ends with code 74',
  },
  tornWrite: {
    cost: 'node',
    weight: 1,
    durationMs: [200, 1500],
    what: 'half of a write reaches the disk: the process ends with code 74',
  },
  corrupt: {
    cost: 'memory',
    weight: 2,
    durationMs: [100, 1000],
    what: 'a bit flips in the log of a stopped node',
  },
  wipe: {
    cost: 'memory',
    weight: 1,
    durationMs: [100, 1000],
    what: 'a follower is stopped and its folder emptied',
  },
  snapshot: { cost: 'nuisance', weight: 2, durationMs: [0, 1], what: 'a snapshot is asked for' },
  member: {
    cost: 'nuisance',
    weight: 2,
    durationMs: [500, 5000],
    what: 'a node joins, gets a vote, and is removed again',
  },
  transfer: { cost: 'nuisance', weight: 2, durationMs: [0, 1], what: 'the leader is asked to hand over' },
} as const satisfies Record<string, FaultDescription>;

export type ChaosFault = keyof typeof CHAOS_FAULTS;

export const CHAOS_FAULT_KINDS = Object.keys(CHAOS_FAULTS) as readonly ChaosFault[];

export function isChaosFault(name: string): name is ChaosFault {
  return Object.hasOwn(CHAOS_FAULTS, name);
}

export function costOf(kind: ChaosFault): FaultCost {
  return CHAOS_FAULTS[kind].cost;
}
