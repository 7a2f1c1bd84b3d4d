// What one simulation will be like: size, timings, load and faults, all drawn from its seed. Swarm testing (Groce
// et al., ISSTA 2012): each seed leaves out some kinds of faults altogether, so that none hides what others show.
import type { RaftOptions } from '../raft/options.ts';
import { Random } from './random.ts';

/** Simulated time in one tick of a node whose clock is right. */
export const TIME_PER_TICK = 100;

/** Every fault, with what it does. The names stand in replay commands. */
export const FAULT_KINDS = {
  crash: 'power cut: what was not synced is lost or torn',
  kill: 'process killed: what was written stays',
  pause: 'process stopped for a while, and goes on as if nothing had been',
  partition: 'the cluster falls into parts',
  oneWay: 'messages pass in one direction only',
  disconnect: 'a connection breaks and stands again',
  loss: 'messages get lost',
  delay: 'messages take long',
  reorder: 'messages overtake each other',
  duplicate: 'messages arrive more than once',
  stale: 'messages from before a restart arrive after it',
  clockRate: 'clocks run at different rates',
  slowSync: 'the disk is slow',
  hungSync: 'a sync does not return for a while',
  ioError: 'a write or sync fails: the process exits',
  noSpace: 'the disk is full for a while',
  bitFlip: 'a bit of the log has flipped when the node starts',
  wipe: 'the folder is empty when the node starts',
  assassin: 'new leaders die, stop or are cut off soon after they have won',
  transfer: 'leadership is handed over on request',
  campaign: 'a node is asked to campaign',
  members: 'members are added, promoted, removed and replaced',
} as const;
export type FaultKind = keyof typeof FAULT_KINDS;

export function isFaultKind(name: string): name is FaultKind {
  return Object.hasOwn(FAULT_KINDS, name);
}

/**
 * `mixed`: anything. `churn`: leaders that have just won fail at once, and entries travel one by one, as in figure 8
 * of the paper. `stale`: leaders that are cut off, stopped or slow go on serving reads while others write. `rot`: logs
 * whose ends were replaced lose entries to flipped bits. `lag`: followers fall behind what logs still hold. `members`: who
 * belongs to the cluster changes all the time, while leaders fail and links are cut.
 */
export const THEMES = ['mixed', 'churn', 'stale', 'rot', 'lag', 'members'] as const;
export type Theme = (typeof THEMES)[number];

type CoreOptions = Omit<
  RaftOptions,
  'nodeId' | 'configuration' | 'configurationCodec' | 'leaseClock' | 'random'
>;

export interface SimulationPlan {
  seed: number;
  nodes: number;
  /** Nodes beyond those, which may become members. */
  spares: number;
  /** Nothing is written while the cluster heals. */
  isQuietHealing: boolean;
  /** Leaders serve reads by lease: where clocks go at nearly one rate. [R5] */
  hasLeases: boolean;
  /** Proposals are stamped with the time of whoever leads, and keys end. [K7] [K8] */
  hasTime: boolean;
  /** Events of the safety phase; what follows is healing. */
  steps: number;
  /** Kinds that are on, and how hard: from 0 to 1. */
  faults: ReadonlyMap<FaultKind, number>;
  /** What the draw leans to. */
  theme: Theme;
  /** How often all of them come: 1 is as in the nemesis' table. */
  faultRate: number;
  raft: CoreOptions;
  /** Time that a message takes when nothing is wrong: half open. */
  linkTime: readonly [min: number, max: number];
  /** Time that a sync takes when nothing is wrong: half open. */
  syncTime: readonly [min: number, max: number];
  /** Longest wait between an input and the turn that deals with it: inputs that come meanwhile share it. */
  turnTimeMax: number;
  clients: ClientPlan;
  snapshots: SnapshotPlan;
}

export interface SnapshotPlan {
  /** One is taken after so many entries were applied; 0: none. */
  everyEntries: number;
  /** Entries that stay in the log behind the applied index. */
  trailingEntries: number;
  chunkBytes: number;
  /** Until a snapshot is written. */
  time: number;
}

export interface ClientPlan {
  count: number;
  /** Keys that all of them use. */
  keys: number;
  thinkTicksMax: number;
  /** How long a client waits for a reply. */
  patienceTicks: number;
  /** Share of operations that read. */
  reads: number;
  /** Share of reads that go to any node rather than the leader. */
  followerReads: number;
  /** Share of clients that give their writes a session. */
  sessions: number;
  /** Writes in a row to whoever leads, or thinks so, for nobody who waits: long logs. 0: none. */
  floodSize: number;
  floodIntervalTicks: number;
}

/** What may be set by hand; the rest is drawn. */
export interface PlanOverrides {
  theme?: Theme;
  nodes?: number;
  steps?: number;
  /** Of the kinds drawn only these stay on. */
  faults?: readonly FaultKind[];
  clients?: number;
}

export function drawPlan(seed: number, overrides: PlanOverrides = {}): SimulationPlan {
  const random = new Random(seed).fork('plan');
  const nodes = random.pick([3, 3, 3, 3, 4, 5, 5, 5, 6, 7]);
  const steps = random.pick([2000, 4000, 4000, 8000]);
  const raft = drawCoreOptions(random.fork('core'));
  const linkMax = random.pick([20, 60, 150]);
  const syncMax = random.pick([10, 50, 200]);
  const theme = random.pick<Theme>([
    'mixed',
    'mixed',
    'mixed',
    'mixed',
    'churn',
    'stale',
    'rot',
    'lag',
    'members',
  ]);
  const drawn = leanTo(overrides.theme ?? theme, {
    faults: drawFaults(random.fork('faults')),
    faultRate: random.pick([0.7, 1.5, 3]),
    turnTimeMax: random.pick([1, 1, 10, 60]),
    raft,
    clients: drawClients(random.fork('clients'), raft),
    snapshots: drawSnapshots(random.fork('snapshots')),
  });
  const kept = overrides.faults;
  const faults = new Map([...drawn.faults].filter(([kind]) => kept === undefined || kept.includes(kind)));
  const isQuietHealing = random.fork('healing').chance(1 / 3);
  return {
    ...drawn,
    seed,
    spares: faults.has('members') ? random.fork('members').pick([1, 2, 3, 4]) : 0,
    isQuietHealing,
    hasLeases: !faults.has('clockRate') && random.fork('leases').chance(0.4),
    // Keys that end are written to the log.
    hasTime: !isQuietHealing && random.fork('time').chance(0.7),
    nodes: overrides.nodes ?? nodes,
    steps: overrides.steps ?? steps,
    faults,
    linkTime: [Math.ceil(linkMax / 5), linkMax],
    syncTime: [Math.ceil(syncMax / 5), syncMax],
    clients: { ...drawn.clients, count: overrides.clients ?? drawn.clients.count },
  };
}

function drawSnapshots(random: Random): SnapshotPlan {
  return {
    everyEntries: random.pick([0, 3, 10, 40]),
    trailingEntries: random.pick([0, 0, 5, 20]),
    chunkBytes: random.pick([64, 300, 5000]),
    time: random.within([1, 10 * TIME_PER_TICK]),
  };
}

type Leaning = Pick<
  SimulationPlan,
  'faults' | 'faultRate' | 'raft' | 'turnTimeMax' | 'clients' | 'snapshots'
>;

/** Rare orders of events need several things at once: a theme sees to those, and leaves the rest as drawn. */
function leanTo(theme: Theme, drawn: Leaning): Leaning & { theme: Theme } {
  const { raft, clients, snapshots } = drawn;
  const faults = new Map(drawn.faults);
  const flood = { ...clients, floodSize: 6, floodIntervalTicks: 5 };
  if (theme === 'churn') {
    faults.set('assassin', 0.9);
    return { ...drawn, theme, faults, raft: { ...raft, messageBytesMax: 1, inflightMessagesMax: 1 } };
  }
  if (theme === 'stale') {
    for (const kind of ['delay', 'oneWay', 'pause', 'clockRate'] as const) faults.set(kind, 0.9);
    const eager = { ...clients, count: 8, reads: 0.7, followerReads: 0, thinkTicksMax: 2 };
    return { ...drawn, theme, faults, faultRate: 3, clients: eager };
  }
  if (theme === 'rot') {
    for (const kind of ['bitFlip', 'kill', 'pause'] as const) faults.set(kind, 0.9);
    const whole = { ...snapshots, everyEntries: 0 };
    const narrow = { ...raft, messageBytesMax: 1, inflightMessagesMax: 1 };
    return { ...drawn, theme, faults, faultRate: 1, raft: narrow, clients: flood, snapshots: whole };
  }
  if (theme === 'lag') {
    for (const kind of ['partition', 'kill', 'assassin'] as const) faults.set(kind, 0.9);
    const often = { ...snapshots, everyEntries: 3, trailingEntries: 0 };
    // Much comes in between two turns: a request for a snapshot and the end of the leadership, say.
    return { ...drawn, theme, faults, turnTimeMax: drawn.turnTimeMax * 4, clients: flood, snapshots: often };
  }
  if (theme === 'members') {
    for (const kind of ['members', 'partition'] as const) faults.set(kind, 0.9);
    faults.set('assassin', 0.3);
    // A new member must catch up before it counts: not everything may fail all the time.
    return { ...drawn, theme, faults, faultRate: 0.7 };
  }
  return { ...drawn, theme };
}

function drawFaults(random: Random): Map<FaultKind, number> {
  const faults = new Map<FaultKind, number>();
  // One seed in forty sees no fault at all: then nothing may go wrong, not even slowly.
  const share = random.chance(1 / 40) ? 0 : random.pick([0.2, 0.4, 0.6]);
  for (const kind of Object.keys(FAULT_KINDS) as FaultKind[]) {
    const isOn = random.chance(share);
    const intensity = random.next();
    if (isOn) faults.set(kind, intensity);
  }
  return faults;
}

function drawCoreOptions(random: Random): CoreOptions {
  const minTicks = random.pick([10, 15, 20]);
  const small = random.chance(0.3);
  return {
    electionTimeoutTicks: [minTicks, minTicks * 2],
    heartbeatTicks: random.pick([2, 3, Math.floor(minTicks / 2)]),
    leaderLostStaggerTicks: random.pick([1, 3, 5]),
    // From one entry a message to everything at once.
    messageBytesMax: random.pick([1, 150, 1000, 1024 * 1024]),
    inflightMessagesMax: random.pick([1, 2, 8, 256]),
    inflightBytesMax: random.pick([100, 2000, 32 * 1024 * 1024]),
    uncommittedBytesMax: small ? random.pick([200, 2000]) : 256 * 1024 * 1024,
    committedBytesMax: small ? random.pick([1, 500]) : 4 * 1024 * 1024,
  };
}

function drawClients(random: Random, raft: CoreOptions): ClientPlan {
  const timeoutTicks = raft.electionTimeoutTicks[1];
  return {
    count: random.pick([2, 4, 6, 8]),
    keys: random.pick([1, 2, 4]),
    thinkTicksMax: random.pick([2, 8, 20]),
    patienceTicks: random.pick([timeoutTicks, timeoutTicks * 2, timeoutTicks * 4]),
    reads: random.pick([0.1, 0.4, 0.7]),
    followerReads: random.pick([0, 0.3, 0.7]),
    sessions: random.pick([0.5, 0.8, 1]),
    floodSize: random.pick([0, 2, 6, 30]),
    floodIntervalTicks: random.pick([5, 20, 60]),
  };
}
