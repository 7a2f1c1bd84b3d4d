// Makes a failing run small before anybody looks at it: fewer steps, kinds of faults, nodes and clients, as long as
// the same checker objects.
import { drawPlan, type FaultKind, type PlanOverrides } from './plan.ts';
import { type SimulationOptions, type SimulationResult, simulate } from './simulation.ts';

export interface ShrunkRun {
  overrides: PlanOverrides;
  result: SimulationResult;
  /** Simulations that it took. */
  runs: number;
}

const RUNS_MAX = 80;

/** `failed` is what `drawPlan(seed, overrides)` gave. */
export function shrinkRun(
  failed: { seed: number; overrides: PlanOverrides; result: SimulationResult },
  options: Pick<SimulationOptions, 'withoutCheckers'> = {},
): ShrunkRun {
  const { seed } = failed;
  const checker = failed.result.violation?.checker;
  let best: ShrunkRun = { overrides: failed.overrides, result: failed.result, runs: 0 };

  /** Takes the smaller run if it fails in the same way. */
  const tryTo = (change: PlanOverrides): boolean => {
    if (best.runs >= RUNS_MAX) return false;
    best.runs += 1;
    const overrides = { ...best.overrides, ...change };
    const result = simulate(drawPlan(seed, overrides), options);
    if (result.violation === null || result.violation.checker !== checker) return false;
    best = { overrides, result, runs: best.runs };
    return true;
  };

  shortenRun(best, tryTo);
  for (const kind of [...failed.result.plan.faults.keys()]) {
    const kept: FaultKind[] = [...best.result.plan.faults.keys()].filter((other) => other !== kind);
    if (tryTo({ faults: kept })) shortenRun(best, tryTo);
  }
  for (const nodes of [3, 5]) if (nodes < best.result.plan.nodes && tryTo({ nodes })) break;
  for (const clients of [1, 2, 4]) if (clients < best.result.plan.clients.count && tryTo({ clients })) break;
  shortenRun(best, tryTo);
  return best;
}

/** What happens after the violation does not matter; one that only shows in the end needs some trying. */
function shortenRun({ result }: ShrunkRun, tryTo: (change: PlanOverrides) => boolean): void {
  const step = result.violation?.step ?? 0;
  if (step < result.plan.steps && tryTo({ steps: step })) return;
  let steps = result.plan.steps;
  for (const share of [0.25, 0.5, 0.75, 0.9]) {
    const fewer = Math.floor(steps * share);
    if (tryTo({ steps: fewer })) {
      steps = fewer;
      return;
    }
  }
}

/** The command that shows the run again. */
export function replayCommand(seed: number, overrides: PlanOverrides): string {
  const { theme, nodes, steps, faults, clients } = overrides;
  const flags = [`--seed ${seed}`];
  if (theme !== undefined) flags.push(`--theme ${theme}`);
  if (nodes !== undefined) flags.push(`--nodes ${nodes}`);
  if (steps !== undefined) flags.push(`--steps ${steps}`);
  if (clients !== undefined) flags.push(`--clients ${clients}`);
  if (faults !== undefined) flags.push(`--faults ${faults.join(',') || 'none'}`);
  return `npm run sim -- ${flags.join(' ')}`;
}
