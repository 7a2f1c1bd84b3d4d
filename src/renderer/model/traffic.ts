// How fast things move along each link, from the counters in two statuses of the same process.
import type { LinkStatus, NodeStatus } from '../../../engine/protocol/node-status.ts';
import type { NodeId } from '../../../engine/raft/types.ts';

/** One direction of a link, smoothed over about a second. */
export interface LaneTraffic {
  entriesPerSecond: number;
  bytesPerSecond: number;
  appendsPerSecond: number;
  /** Heartbeats and answers to anything: the small change of a quiet cluster. */
  heartbeatsPerSecond: number;
  acknowledgementsPerSecond: number;
  droppedPerSecond: number;
}

export const SILENT: LaneTraffic = {
  entriesPerSecond: 0,
  bytesPerSecond: 0,
  appendsPerSecond: 0,
  heartbeatsPerSecond: 0,
  acknowledgementsPerSecond: 0,
  droppedPerSecond: 0,
};

const SMOOTHING_MS = 700;

/** Rates of everything that `latest`'s node sends, by peer. `before` are its smoothed rates so far. */
export function laneTraffic(
  before: ReadonlyMap<NodeId, LaneTraffic>,
  previous: NodeStatus | null,
  latest: NodeStatus,
): Map<NodeId, LaneTraffic> {
  const rates = new Map<NodeId, LaneTraffic>();
  const passedMs = previous === null ? 0 : latest.at - previous.at;
  const samePid = previous?.process.pid === latest.process.pid;
  for (const link of latest.links) {
    const earlier = previous?.links.find(({ peer }) => peer === link.peer);
    if (!samePid || earlier === undefined || passedMs <= 0) {
      rates.set(link.peer, SILENT);
      continue;
    }
    const now = ratesBetween(earlier, link, passedMs);
    const old = before.get(link.peer) ?? now;
    rates.set(link.peer, blend(old, now, 1 - Math.exp(-passedMs / SMOOTHING_MS)));
  }
  return rates;
}

function ratesBetween(earlier: LinkStatus, later: LinkStatus, passedMs: number): LaneTraffic {
  const perSecond = (from: number, to: number) => (Math.max(0, to - from) * 1000) / passedMs;
  const sent = (type: keyof LinkStatus['sent']) => perSecond(earlier.sent[type] ?? 0, later.sent[type] ?? 0);
  return {
    entriesPerSecond: perSecond(earlier.entriesSent, later.entriesSent),
    bytesPerSecond: perSecond(earlier.bytesSent, later.bytesSent),
    appendsPerSecond: sent('AppendEntries') + sent('InstallSnapshot'),
    heartbeatsPerSecond: sent('Heartbeat') + sent('HeartbeatResponse'),
    acknowledgementsPerSecond: sent('AppendEntriesResponse'),
    droppedPerSecond: perSecond(earlier.dropped, later.dropped),
  };
}

function blend(old: LaneTraffic, now: LaneTraffic, share: number): LaneTraffic {
  const mix = (key: keyof LaneTraffic) => {
    const value = old[key] + (now[key] - old[key]) * share;
    // A tail that nobody can see is silence; otherwise an idle link would pulse for ever.
    return value < 0.2 ? 0 : value;
  };
  return {
    entriesPerSecond: mix('entriesPerSecond'),
    bytesPerSecond: mix('bytesPerSecond'),
    appendsPerSecond: mix('appendsPerSecond'),
    heartbeatsPerSecond: mix('heartbeatsPerSecond'),
    acknowledgementsPerSecond: mix('acknowledgementsPerSecond'),
    droppedPerSecond: mix('droppedPerSecond'),
  };
}

/** Width of a replication lane in pixels: logarithmic, so that 10 and 10,000 entries a second differ and fit. */
export function laneWidth(entriesPerSecond: number): number {
  if (entriesPerSecond <= 0) return 0;
  const width = Math.min(8, 1.6 + 1.35 * Math.log10(1 + entriesPerSecond));
  // In steps, so that a steady rate does not make the window draw at every status.
  return Math.round(width * 4) / 4;
}
