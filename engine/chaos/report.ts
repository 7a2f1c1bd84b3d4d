// What a chaos run has to say about itself: plain data, and the lines for a terminal.
import { costOf } from './fault-kinds.ts';
import type { FaultMark } from './nemesis.ts';
import type { OperationKind, OperationOutcome, Pause, Second } from './tally.ts';

export interface Reign {
  node: number;
  term: number;
  atMs: number;
}

export interface ChaosReport {
  seed: number;
  /** Of the phase with faults. */
  faultsMs: number;
  totalMs: number;
  /** When it began, ISO 8601. */
  startedAt: string;
  nodes: number;
  clients: number;
  verdict: 'ok' | 'violation' | 'undecided';
  /** What is wrong, or could not be decided; empty when nothing is. */
  reasons: readonly string[];
  operations: readonly { kind: OperationKind; counts: Record<OperationOutcome, number> }[];
  acknowledgedWrites: number;
  /** Keys and counters in which an acknowledged write is not in the final state. */
  lost: number;
  repeats: number;
  keys: number;
  generations: number;
  marks: readonly FaultMark[];
  withheld: readonly { kind: string; count: number }[];
  reigns: readonly Reign[];
  /** Events of the nodes, by type: what they went through. */
  events: readonly { type: string; count: number }[];
  seconds: readonly Second[];
  pauses: readonly Pause[];
  longestPause: Pause | null;
  /** Longest time without an acknowledged write in which a majority was well as far as faults go. */
  longestWellMs: number;
  /** From the end of the faults until all nodes agreed; null when they did not. */
  convergedMs: number | null;
  /** Nothing was written while the cluster healed. */
  isQuietHealing: boolean;
  /** Leaders served reads by lease. */
  hasLeaseReads: boolean;
  finalIndex: number;
}

export function totalOf(report: ChaosReport, outcome: OperationOutcome): number {
  return report.operations.reduce((sum, { counts }) => sum + counts[outcome], 0);
}

export function faultCounts(report: ChaosReport): { kind: FaultMark['kind']; count: number }[] {
  const counts = new Map<FaultMark['kind'], number>();
  for (const { kind } of report.marks) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => ({ kind, count })).sort((a, b) => b.count - a.count);
}

/** One sentence. */
export function headlineOf(report: ChaosReport): string {
  const { verdict, reasons, lost } = report;
  if (verdict === 'ok') {
    return 'every history is linearizable, every acknowledged write is in the final state, all states and logs agree';
  }
  const more = reasons.length > 1 ? ` (and ${reasons.length - 1} more)` : '';
  return `${lost > 0 ? `${lost} acknowledged writes lost; ` : ''}${reasons[0] ?? ''}${more}`;
}

/** Name and value, in the order of importance. */
export function figuresOf(report: ChaosReport): [name: string, value: string][] {
  const ok = totalOf(report, 'ok');
  const failed = totalOf(report, 'failed');
  const unknown = totalOf(report, 'unknown');
  const { longestPause: longest, convergedMs, faultsMs, totalMs } = report;
  const longestMs = longest === null ? 0 : longest.untilMs - longest.fromMs;
  const away = report.marks.filter(({ kind }) => costOf(kind) !== 'nuisance').length;
  return [
    ['operations', grouped(ok + failed + unknown)],
    ['acknowledged', `${grouped(ok)}, of them ${grouped(report.acknowledgedWrites)} writes`],
    ['lost', grouped(report.lost)],
    ['unknown', `${grouped(unknown)} (${grouped(report.repeats)} writes sent again under their session)`],
    ['failed for certain', grouped(failed)],
    ['faults', `${grouped(report.marks.length)}, ${grouped(away)} of them took something away`],
    ['leaders', grouped(report.reigns.length)],
    [
      'longest gap',
      `${seconds(longestMs)} without an acknowledged write; ${seconds(report.longestWellMs)} with a majority well`,
    ],
    [
      'converged',
      convergedMs === null
        ? 'no'
        : `${seconds(convergedMs)} after the faults${report.isQuietHealing ? ', nothing being written' : ''}`,
    ],
    [
      'keys',
      `${grouped(report.keys)} in ${grouped(report.generations)} generations, equal on ${report.nodes} nodes at index ${grouped(report.finalIndex)}`,
    ],
    [
      'time',
      `${seconds(faultsMs)} of faults, ${seconds(totalMs)} in all; reads by ${report.hasLeaseReads ? 'lease' : 'quorum rounds'}`,
    ],
  ];
}

/** For a terminal: verdict first. Plain text. */
export function reportLines(report: ChaosReport): string[] {
  const lines = [`${report.verdict}: ${headlineOf(report)}`, ''];
  for (const [name, value] of figuresOf(report)) lines.push(`  ${name.padEnd(20)}${value}`);
  lines.push('', '  operation            ok   failed  unknown');
  for (const { kind, counts } of report.operations) {
    const cells = [
      grouped(counts.ok).padStart(10),
      grouped(counts.failed).padStart(8),
      grouped(counts.unknown).padStart(8),
    ];
    lines.push(`  ${kind.padEnd(12)}${cells.join(' ')}`);
  }
  const faults = faultCounts(report).map(({ kind, count }) => `${kind} ${count}`);
  lines.push('', `  faults    ${wrapped(faults)}`);
  const events = report.events.map(({ type, count }) => `${type} ${grouped(count)}`);
  lines.push(`  nodes     ${wrapped(events)}`);
  const withheld = report.withheld.map(({ kind, count }) => `${kind} ${count}`);
  if (withheld.length > 0) lines.push(`  withheld  ${wrapped(withheld)}`);
  if (report.reasons.length > 0) lines.push('', ...report.reasons.map((reason) => `  ! ${reason}`));
  return lines;
}

function wrapped(items: readonly string[]): string {
  const lines: string[] = [];
  let line = '';
  for (const item of items) {
    if (line !== '' && line.length + item.length > 90) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? item : ` · ${item}`;
  }
  lines.push(line);
  return lines.join(`\n${' '.repeat(12)}`);
}

export function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

export function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(2)} s` : `${(ms / 1000).toFixed(1)} s`;
}
