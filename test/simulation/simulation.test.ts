// Any seed, any fault: still safe, and live once healed? A few hundred seeds here; `npm run sim` has the rest.
// QUORUMLAB_SIM_SEEDS=10000 runs more of them, QUORUMLAB_SIM_FROM=N others.
import { describe, expect, it } from 'vitest';
import { CampaignTotals, summarize } from '../../engine/simulator/campaign.ts';
import { drawPlan } from '../../engine/simulator/plan.ts';
import { replayCommand } from '../../engine/simulator/shrink.ts';
import { simulate } from '../../engine/simulator/simulation.ts';
import { importPatched } from './patched-engine.ts';

const SEEDS = Number(process.env.QUORUMLAB_SIM_SEEDS ?? 200);
const FROM = Number(process.env.QUORUMLAB_SIM_FROM ?? 1);
/** A busy machine may be ten times slower than a quiet one. */
const TIMEOUT_MS = 30_000 + SEEDS * 1000;

describe('simulated clusters', () => {
  it(
    `seeds ${FROM} to ${FROM + SEEDS - 1} keep every promise, and heal`,
    async () => {
      const totals = new CampaignTotals();
      // As plain JavaScript, outside of the test runner's module system: twice as fast.
      const engine = await importPatched({ name: 'nothing', edits: [] });
      const startedAt = performance.now();
      for (let seed = FROM; seed < FROM + SEEDS; seed++) {
        const result = engine.simulate(engine.drawPlan(seed));
        totals.add(result);
        const { violation } = result;
        if (violation === null) continue;
        const what = `${violation.checker} [${violation.rule}] ${violation.message}`;
        expect.fail(`seed ${seed}, step ${violation.step}: ${what}\nreplay: ${replayCommand(seed, {})}`);
      }
      engine.remove();
      if (process.env.QUORUMLAB_SIM_SEEDS !== undefined) {
        console.log(summarize(totals, performance.now() - startedAt).join('\n'));
      }
      // A campaign that meets no trouble proves nothing.
      expect(totals.elections).toBeGreaterThan(SEEDS);
      expect(totals.operations).toBeGreaterThan(SEEDS * 20);
      expect(totals.undecided).toBeLessThanOrEqual(SEEDS / 50);
    },
    TIMEOUT_MS,
  );
});

describe('one seed', () => {
  it('decides everything: two runs give the same trace, line by line', () => {
    for (const seed of [3, 21]) {
      const traces = [0, 1].map(() => {
        const lines: string[] = [];
        simulate(drawPlan(seed, { steps: 2500 }), {
          trace: (line) => lines.push(line),
          tracesMessages: true,
        });
        return lines;
      });
      expect(traces[0]?.length).toBeGreaterThan(500);
      expect(traces[0]).toEqual(traces[1]);
    }
  });

  it('draws its own faults, sizes and loads', () => {
    const plans = Array.from({ length: 200 }, (_, seed) => drawPlan(seed));
    expect(new Set(plans.map((plan) => plan.nodes))).toEqual(new Set([3, 4, 5, 6, 7]));
    expect(new Set(plans.map((plan) => [...plan.faults.keys()].join())).size).toBeGreaterThan(150);
    expect(plans.some((plan) => plan.faults.size === 0)).toBe(true);
  });
});
