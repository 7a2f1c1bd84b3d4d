// The figures of `quorumlab bench` as tables.
import type { Comparison, ComparisonRow } from '../bench/comparison.ts';
import type { ProfileRow } from '../bench/profile.ts';
import { STAGES } from '../bench/profile-stages.ts';
import type { StoreName } from '../bench/stores.ts';
import type { BenchFigures } from './bench-command.ts';
import { type Cell, plainTable } from './plain-table.ts';
import { printLine, remark } from './terminal.ts';

const MIB = 1024 * 1024;

export function printBench(figures: BenchFigures): void {
  if (figures.comparison !== undefined) printComparison(figures.comparison);
  const facts = [...failoverFacts(figures), ...recoveryFacts(figures), ...watchedFacts(figures)];
  if (facts.length > 0) printLine(plainTable(['', ''], facts));
  for (const row of figures.profile ?? []) printProfile(row);
  const { cores, model, node } = figures.machine;
  remark(`${cores} cores, ${model}, Node.js ${node}`);
}

function printProfile({ shape, perSecond, leader, follower }: ProfileRow): void {
  const sum = (stages: ProfileRow['leader']) => STAGES.reduce((total, stage) => total + stages[stage], 0);
  const row = (name: string, one: number, other: number): Cell[] => [name, one.toFixed(2), other.toFixed(2)];
  printLine(
    plainTable(
      [`${shape}: ${perSecond.toFixed(0)}/s; µs each`, 'leader', 'follower'],
      [
        ...STAGES.map((stage) => row(stage, leader[stage], follower[stage])),
        row('in all', sum(leader), sum(follower)),
      ],
    ),
  );
  printLine('');
}

function printComparison({ stores, skipped, warmUpMs, rows }: Comparison): void {
  const names = stores.map((store) => store.name);
  const others = names.filter((name) => name === 'etcd' || name === 'redis');
  const ours = names.find((name) => name === 'ours') ?? names.find((name) => name === 'ours-json');
  const ratios = ours === undefined ? [] : others.map((other) => ({ ours, other }));
  const head = ['per second', ...names, ...ratios.map(({ other }) => `÷ ${other}`)];
  printLine(
    plainTable(
      head,
      rows.map((row): Cell[] => [
        row.shape,
        ...names.map((name) => row.figures[name]?.perSecond.toFixed(0) ?? ''),
        ...ratios.map((pair) => ratioOf(row, pair)),
      ]),
    ),
  );
  const latency = (row: ComparisonRow, name: StoreName): Cell => {
    const found = row.figures[name];
    return found === undefined ? '' : `${found.p50Ms.toFixed(2)} / ${found.p99Ms.toFixed(2)}`;
  };
  printLine('');
  printLine(
    plainTable(
      ['ms, p50 / p99', ...names],
      rows.map((row): Cell[] => [row.shape, ...names.map((name) => latency(row, name))]),
    ),
  );
  printLine('');
  for (const { name, description } of stores) remark(`${name}: ${description}`);
  remark(`each was driven for ${warmUpMs / 1000} s before its first figure`);
  for (const name of skipped) remark(`${name}: not installed, left out`);
}

function ratioOf({ figures }: ComparisonRow, pair: { ours: StoreName; other: StoreName }): string {
  const [ours, other] = [figures[pair.ours], figures[pair.other]];
  return ours === undefined || other === undefined ? '' : (ours.perSecond / other.perSecond).toFixed(2);
}

function failoverFacts({ failover }: BenchFigures): Cell[][] {
  if (failover === undefined) return [];
  const { kills, medianMs, p99Ms, worstMs } = failover;
  const gaps = `median ${medianMs.toFixed(0)} ms, p99 ${p99Ms.toFixed(0)} ms, worst ${worstMs.toFixed(0)} ms`;
  return [[`failover, ${kills} kills`, gaps]];
}

function recoveryFacts({ recovery }: BenchFigures): Cell[][] {
  if (recovery === undefined) return [];
  const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`;
  const rate = (bytes: number, milliseconds: number): string =>
    `${(bytes / MIB / (milliseconds / 1000)).toFixed(0)} MiB/s`;
  const { logBytes, snapshotBytes, replayMs, loadSnapshotMs, redisBytesPerKey } = recovery;
  const perKey = `${recovery.bytesPerKey.toFixed(0)} bytes a key`;
  const redis =
    redisBytesPerKey === null
      ? ''
      : `, ${(recovery.bytesPerKey / redisBytesPerKey).toFixed(2)} × Redis (${redisBytesPerKey.toFixed(0)})`;
  return [
    [
      `restart of all, ${recovery.keys} keys, log`,
      `${seconds(recovery.servingFromLogMs)} to the first linearizable read`,
    ],
    ['  log read', `${seconds(replayMs)}, ${rate(logBytes, replayMs)}`],
    ['restart of all, snapshot', `${seconds(recovery.servingFromSnapshotMs)} to the first linearizable read`],
    ['  snapshot loaded', `${seconds(loadSnapshotMs)}, ${rate(snapshotBytes, loadSnapshotMs)}`],
    [
      'longest wait of a write',
      `${recovery.snapshotWorstMs.toFixed(1)} ms while all take a snapshot (${seconds(recovery.snapshotTakenMs)}), ${recovery.calmWorstMs.toFixed(1)} ms otherwise`,
    ],
    ['memory', `${perKey}${redis}`],
  ];
}

function watchedFacts({ watched }: BenchFigures): Cell[][] {
  if (watched === undefined) return [];
  const { watchedPerSecond, unwatchedPerSecond } = watched;
  const cost = (1 - watchedPerSecond / unwatchedPerSecond) * 100;
  return [
    [
      'watched by a panel',
      `${watchedPerSecond.toFixed(0)} writes/s, unwatched ${unwatchedPerSecond.toFixed(0)}: costs ${cost.toFixed(1)} %`,
    ],
  ];
}
