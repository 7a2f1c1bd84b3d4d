// The core counts ticks; people write milliseconds. This is where one becomes the other.
import { configurationCodec } from '../protocol/configuration-codec.ts';
import { DEFAULT_RAFT_OPTIONS, type RaftOptions } from '../raft/options.ts';
import type { NodeConfig } from './node-config.ts';

/** Fine enough that election timeouts seldom coincide, coarse enough to cost nothing. */
export function tickIntervalMsOf(config: NodeConfig): number {
  return Math.max(1, Math.min(10, Math.floor(config.heartbeatIntervalMs / 5)));
}

export function raftOptionsOf(config: NodeConfig, random: () => number): RaftOptions {
  const tickIntervalMs = tickIntervalMsOf(config);
  const ticks = (milliseconds: number): number => Math.max(1, Math.round(milliseconds / tickIntervalMs));
  const [minMs, maxMs] = config.electionTimeoutMs;
  const minTicks = ticks(minMs);
  return {
    ...DEFAULT_RAFT_OPTIONS,
    nodeId: config.nodeId,
    configurationCodec,
    configuration: { voters: config.peers.map((member) => member.id), votersOutgoing: [], learners: [] },
    electionTimeoutTicks: [minTicks, Math.max(minTicks + 1, ticks(maxMs))],
    heartbeatTicks: Math.min(ticks(config.heartbeatIntervalMs), Math.max(1, Math.floor(minTicks / 2))),
    leaderLostStaggerTicks: ticks(30),
    uncommittedBytesMax: config.limits.uncommittedBytesMax,
    random,
  };
}
