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

/**
 * One row for each `bucketMs`: rates and medians as their mean, everything that hurts (p99, lag, sync) as its
 * worst. Buckets stand at fixed times, so that a curve does not change its shape while it moves to the left.
 */
export function thinned(rows: readonly ChartRow[], bucketMs: number): ChartRow[] {
  const buckets = new Map<number, ChartRow[]>();
  for (const row of rows) {
    const bucket = Math.floor(row.at / bucketMs);
    const known = buckets.get(bucket);
    if (known === undefined) buckets.set(bucket, [row]);
    else known.push(row);
  }
  return [...buckets.values()].map(merged);
}

function merged(rows: readonly ChartRow[]): ChartRow {
  const [first] = rows;
  if (rows.length === 1 && first !== undefined) return first;
  const row: ChartRow = {
    at: rows.at(-1)?.at ?? 0,
    writes: mean(rows.map(({ writes }) => writes)) ?? 0,
    reads: mean(rows.map(({ reads }) => reads)) ?? 0,
    p50: mean(rows.map(({ p50 }) => p50).filter((value) => value !== null)),
    p99: null,
  };
  for (const { p99 } of rows) if (p99 !== null) row.p99 = Math.max(row.p99 ?? 0, p99);
  for (const source of rows) {
    for (const key of Object.keys(source)) {
      if (isNodeSeries(key)) row[key] = Math.max(row[key] ?? 0, source[key] ?? 0);
    }
  }
  return row;
}

function isNodeSeries(key: string): key is `lag${number}` | `sync${number}` {
  return /^(lag|sync)\d+$/.test(key);
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
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
