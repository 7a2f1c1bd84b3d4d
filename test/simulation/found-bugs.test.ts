// Bugs that the simulator found in the engine, each as the smallest setting that shows it. docs/BUGS.md tells of them.
import { describe, expect, it } from 'vitest';
import { drawPlan, type FaultKind, type SimulationPlan } from '../../engine/simulator/plan.ts';
import { simulate } from '../../engine/simulator/simulation.ts';

/** Round trips of three ticks and more, heartbeats every two. */
function slowLinks(seed: number, faults: ReadonlyMap<FaultKind, number>): SimulationPlan {
  const plan = drawPlan(seed, { theme: 'mixed', nodes: 3, steps: 4000 });
  const raft = { ...plan.raft, electionTimeoutTicks: [10, 20] as const, heartbeatTicks: 2 };
  return { ...plan, faults, faultRate: 1, linkTime: [150, 200], syncTime: [2, 10], raft };
}

describe('bugs that simulations found', () => {
  it('[E14] a member without memory comes back even where a round trip takes longer than a heartbeat', () => {
    let rejoined = 0;
    for (let seed = 1; seed <= 5; seed++) {
      const result = simulate(
        slowLinks(
          seed,
          new Map([
            ['kill', 1],
            ['wipe', 1],
          ]),
        ),
      );
      expect(result.violation, `seed ${seed}`).toBeNull();
      rejoined += result.counts.get('rejoined') ?? 0;
    }
    expect(rejoined).toBeGreaterThan(0);
  });
});
