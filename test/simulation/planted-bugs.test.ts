// Would the simulator have caught it? Bugs that Raft implementations have had are planted into a copy of the engine,
// and the campaign must find each. QUORUMLAB_PLANTED_SEEDS=500 counts how many seeds find it, and prints the table.
import { afterAll, describe, expect, it } from 'vitest';
import type { PlanOverrides } from '../../engine/simulator/plan.ts';
import { importPatched } from './patched-engine.ts';
import { PLANTED_BUGS, type PlantedBug } from './planted-bugs.ts';

/** A bug that takes more than this has escaped. */
const SEEDS_MAX = 600;
const COUNTED_SEEDS = Number(process.env.QUORUMLAB_PLANTED_SEEDS ?? 0);
/** A busy machine may be ten times slower than a quiet one. */
const TIMEOUT_MS = 300_000;

interface Finding {
  bug: PlantedBug;
  firstSeed: number;
  found: number;
  tried: number;
  checkers: Map<string, number>;
  example: string;
}

const findings: Finding[] = [];

function overridesOf(bug: PlantedBug): PlanOverrides {
  return bug.theme === undefined ? {} : { theme: bug.theme };
}

/** All that are counted; or, to be quick, one that found it before, and then any. */
function seedsFor({ seed }: PlantedBug): number[] {
  const inOrder = Array.from({ length: COUNTED_SEEDS > 0 ? COUNTED_SEEDS : SEEDS_MAX }, (_, at) => at + 1);
  return COUNTED_SEEDS > 0 || seed === undefined ? inOrder : [seed, ...inOrder];
}

async function hunt(bug: PlantedBug): Promise<Finding> {
  const patched = await importPatched(bug);
  const finding: Finding = { bug, firstSeed: 0, found: 0, tried: 0, checkers: new Map(), example: '' };
  try {
    for (const seed of seedsFor(bug)) {
      if (COUNTED_SEEDS === 0 && finding.found > 0) break;
      const plan = patched.drawPlan(seed, overridesOf(bug));
      const { violation } = patched.simulate(plan, { withoutCheckers: bug.withoutCheckers });
      finding.tried += 1;
      if (violation === null) continue;
      finding.found += 1;
      if (finding.found === 1) finding.firstSeed = seed;
      if (finding.found === 1) finding.example = `${violation.checker}: ${violation.message}`;
      finding.checkers.set(violation.checker, (finding.checkers.get(violation.checker) ?? 0) + 1);
    }
  } finally {
    patched.remove();
  }
  return finding;
}

describe('a planted bug is found', () => {
  it.each(PLANTED_BUGS.map((bug) => [`[${bug.rule}] ${bug.name}`, bug] as const))(
    '%s',
    async (_title, bug) => {
      const finding = await hunt(bug);
      findings.push(finding);
      expect(finding.found, `no violation in ${finding.tried} seeds`).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  it(
    'and the engine as it is passes the seeds that found them',
    async () => {
      const whole = await importPatched({ name: 'nothing', edits: [] });
      expect(findings.length).toBeGreaterThan(0);
      try {
        for (const { bug, firstSeed } of findings) {
          const { violation } = whole.simulate(whole.drawPlan(firstSeed, overridesOf(bug)));
          expect(violation, `seed ${firstSeed}, ${JSON.stringify(overridesOf(bug))}`).toBeNull();
        }
      } finally {
        whole.remove();
      }
    },
    TIMEOUT_MS,
  );

  it('a bug whose words are not in the source any more is an error, not a success', async () => {
    const edits = [{ file: 'raft/log.ts', from: 'no such words', to: '' }];
    await expect(importPatched({ name: 'nothing', edits })).rejects.toThrow('0 times in engine/raft/log.ts');
  });

  afterAll(() => {
    if (COUNTED_SEEDS > 0) console.log(tableOf(findings));
  });
});

function tableOf(rows: readonly Finding[]): string {
  const lines = ['| planted bug | rule | seeds that find it | first | found by |', '|---|---|---|---|---|'];
  for (const { bug, found, tried, firstSeed, checkers } of rows) {
    const by = [...checkers].sort((a, b) => b[1] - a[1]).map(([name, count]) => `${name} ${count}`);
    const of = bug.theme === undefined ? tried : `${tried} (${bug.theme})`;
    lines.push(`| ${bug.name} | ${bug.rule} | ${found} of ${of} | ${firstSeed} | ${by.join(', ')} |`);
  }
  return lines.join('\n');
}
