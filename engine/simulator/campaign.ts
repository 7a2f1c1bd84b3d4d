// Many runs added up: what a campaign says about itself. Running them, and on how many threads, is the script's.
import type { SimulationResult } from './simulation.ts';

export interface CampaignFailure {
  seed: number;
  checker: string;
  rule: string;
  message: string;
}

export class CampaignTotals {
  seeds = 0;
  steps = 0;
  ticks = 0;
  elections = 0;
  committed = 0;
  operations = 0;
  undecided = 0;
  /** Slowest return to one cluster, in longest election timeouts. */
  healingTimeoutsMax = 0;
  readonly failures: CampaignFailure[] = [];
  readonly faults = new Map<string, number>();
  readonly rules = new Map<string, number>();
  readonly counts = new Map<string, number>();

  add(result: SimulationResult): void {
    const { plan, violation } = result;
    this.seeds += 1;
    this.steps += result.steps;
    this.ticks += result.ticks;
    this.elections += result.elections;
    this.committed += result.committed;
    this.operations += result.operations;
    if (result.isUndecided) this.undecided += 1;
    addAll(this.faults, result.faults);
    addAll(this.rules, result.rules);
    addAll(this.counts, result.counts);
    if (violation !== null) {
      const { checker, rule, message } = violation;
      this.failures.push({ seed: plan.seed, checker, rule, message });
      return;
    }
    const timeouts = result.healingTicks / plan.raft.electionTimeoutTicks[1];
    this.healingTimeoutsMax = Math.max(this.healingTimeoutsMax, timeouts);
  }
}

function addAll(into: Map<string, number>, from: ReadonlyMap<string, number>): void {
  for (const [name, count] of from) into.set(name, (into.get(name) ?? 0) + count);
}

/** Lines for a person. `elapsedMs`: how long it took. */
export function summarize(totals: CampaignTotals, elapsedMs: number): string[] {
  const seconds = Math.max(0.001, elapsedMs / 1000);
  const rate = Math.round(totals.steps / seconds);
  return [
    `${grouped(totals.seeds)} seeds, ${grouped(totals.steps)} events in ${seconds.toFixed(1)} s: ${grouped(rate)} events a second`,
    `${grouped(totals.ticks)} ticks, ${grouped(totals.elections)} elections won, ${grouped(totals.committed)} entries committed, ${grouped(totals.operations)} operations of clients`,
    `slowest healing: ${totals.healingTimeoutsMax.toFixed(1)} election timeouts; histories given up as too hard: ${totals.undecided}`,
    '',
    `faults       ${listed(totals.faults)}`,
    `SPEC rules   ${listed(totals.rules)}`,
    `other        ${listed(totals.counts)}`,
    '',
    totals.failures.length === 0 ? 'no violation' : `VIOLATIONS in ${totals.failures.length} seeds`,
  ];
}

function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** By name, numbers within names by their value; lines of readable length. */
function listed(counts: ReadonlyMap<string, number>): string {
  const names = [...counts.keys()].sort((a, b) => sortKey(a).localeCompare(sortKey(b)));
  const lines = [''];
  for (const name of names) {
    const item = `${name} ${grouped(counts.get(name) ?? 0)}`;
    const last = lines.length - 1;
    const line = lines[last] as string;
    if (line.length + item.length > 92) lines.push(item);
    else lines[last] = line === '' ? item : `${line} · ${item}`;
  }
  return lines.join(`\n${' '.repeat(13)}`);
}

function sortKey(name: string): string {
  return name.replace(/\d+/g, (digits) => digits.padStart(6, '0'));
}
