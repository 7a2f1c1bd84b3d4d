// Samples and the feed, shaped for the charts: rows by time and the marks of what happened.
import type { NodeId } from '../../../engine/raft/types.ts';
import type { ClusterView, FeedItem, RateSample } from '../../shared/cluster-view.ts';
import { nodeName } from './appearance.ts';

export interface ChartRow {
  /** Milliseconds since the epoch. */
  at: number;
  writes: number;
  reads: number;
  /** Null where nothing was written: a gap in the line, not a zero. */
  p50: number | null;
  p99: number | null;
  /** `lag1`, `sync1`: entries behind the leader and sync p99 of node 1. */
  [series: `lag${number}` | `sync${number}`]: number;
}

export interface ChartMark {
  id: number;
  at: number;
  kind: 'election' | 'kill' | 'fault';
  label: string;
}

/** Marks are few even when someone keeps killing nodes. */
export const MARKS_MAX = 24;

export function chartRows(samples: readonly RateSample[], since: number): ChartRow[] {
  const rows: ChartRow[] = [];
  for (const sample of samples) {
    if (sample.at < since) continue;
    const wrote = sample.writesPerSecond > 0;
    const row: ChartRow = {
      at: sample.at,
      writes: sample.writesPerSecond,
      reads: sample.readsPerSecond,
      p50: wrote ? sample.writeP50Ms : null,
      p99: wrote ? sample.writeP99Ms : null,
    };
    for (const { nodeId, entries } of sample.lag) row[`lag${nodeId}`] = entries;
    for (const { nodeId, p99Ms } of sample.sync) row[`sync${nodeId}`] = p99Ms;
    rows.push(row);
  }
  // Clocks of three processes: order before drawing.
  return rows.sort((left, right) => left.at - right.at);
}

export function chartMarks(feed: ClusterView['feed'], since: number): ChartMark[] {
  const marks: ChartMark[] = [];
  for (const item of feed) {
    if (item.at < since) continue;
    const mark = markOf(item);
    if (mark !== null) marks.push({ id: item.id, at: item.at, ...mark });
  }
  return marks.slice(-MARKS_MAX);
}

function markOf(item: FeedItem): Pick<ChartMark, 'kind' | 'label'> | null {
  if (item.source === 'process' && item.process.state === 'crashed') {
    return { kind: 'kill', label: `${nodeName(item.nodeId)} died` };
  }
  if (item.source !== 'node') return null;
  const { event, nodeId } = item;
  if (event.type === 'leaderElected') {
    return { kind: 'election', label: `${nodeName(nodeId)} leads term ${event.term}` };
  }
  const added = event.type === 'faultsChanged' && event.faults.disk.length + event.faults.links.length > 0;
  return added ? { kind: 'fault', label: `fault on ${nodeName(nodeId)}` } : null;
}

export function nodesOfSeries(rows: readonly ChartRow[], series: 'lag' | 'sync'): NodeId[] {
  const found = new Set<NodeId>();
  for (const row of rows) {
    for (const key of Object.keys(row)) {
      if (key.startsWith(series)) found.add(Number(key.slice(series.length)));
    }
  }
  return [...found].sort((left, right) => left - right);
}
