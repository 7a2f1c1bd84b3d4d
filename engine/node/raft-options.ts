// The core counts ticks; people write milliseconds. This is where one becomes the other.
import { configurationCodec } from '../protocol/configuration-codec.ts';
import { DEFAULT_RAFT_OPTIONS, type RaftOptions } from '../raft/options.ts';
import type { Configuration } from '../raft/types.ts';
import type { NodeConfig } from './node-config.ts';

/** Fine enough that election timeouts seldom coincide, coarse enough to cost nothing. */
export function tickIntervalMsOf(config: NodeConfig): number {
  return Math.max(1, Math.min(10, Math.floor(config.heartbeatIntervalMs / 5)));
}

/** `hasLostMemory`: this member's folder was emptied, so it does not wait to be taken in, although it once joined. [E14] */
export function raftOptionsOf(config: NodeConfig, random: () => number, hasLostMemory = false): RaftOptions {
  const tickIntervalMs = tickIntervalMsOf(config);
  const ticks = (milliseconds: number): number => Math.max(1, Math.round(milliseconds / tickIntervalMs));
  const [minMs, maxMs] = config.electionTimeoutMs;
  const minTicks = ticks(minMs);
  return {
    ...DEFAULT_RAFT_OPTIONS,
    nodeId: config.nodeId,
    configurationCodec,
    configuration: config.join && !hasLostMemory ? NOT_TOLD : founders(config),
    electionTimeoutTicks: [minTicks, Math.max(minTicks + 1, ticks(maxMs))],
    heartbeatTicks: Math.min(ticks(config.heartbeatIntervalMs), Math.max(1, Math.floor(minTicks / 2))),
    leaderLostStaggerTicks: ticks(30),
    uncommittedBytesMax: config.limits.uncommittedBytesMax,
    // Milliseconds that go on while the process stands still.
    leaseClock: config.leaseReads ? () => performance.now() / tickIntervalMs : null,
    random,
  };
}

/** A node that joins does not know yet who the members are. [M9] */
const NOT_TOLD: Configuration = { voters: [], votersOutgoing: [], learners: [] };

/** The first change of members writes their addresses into the log, for those that come later. [M10] */
function founders({ peers }: NodeConfig): Configuration {
  const addresses = [...peers].sort((a, b) => a.id - b.id);
  return { voters: addresses.map(({ id }) => id), votersOutgoing: [], learners: [], addresses };
}
