// Does the checker agree with the definition, on thousands of small histories of every model?
import { expect, test } from 'vitest';
import { checkHistory, type Verdict } from '../../engine/checker/check.ts';
import type { HistoryFunction, Operation, OperationEntry } from '../../engine/checker/history.ts';
import { historyFromEntries } from '../../engine/checker/parse-history.ts';
import { findFlaw, isLinearizableByBruteForce } from './brute-force.ts';
import { atomicHistory, type HistoryShape, lieOnce, noiseHistory, randomFrom } from './random-history.ts';

/** Replay one run: CHECKER_SEED=<seed> npx vitest run --project unit test/checker/brute-force-comparison.test.ts */
const SEED = Number(process.env.CHECKER_SEED ?? 20_260_101);
const RUNS = Number(process.env.CHECKER_RUNS ?? 2_500);

const MODELS: readonly { name: string; functions: readonly HistoryFunction[] }[] = [
  { name: 'register', functions: ['read', 'read', 'write'] },
  { name: 'cas', functions: ['read', 'cas', 'cas', 'write'] },
  { name: 'append', functions: ['read', 'append'] },
  { name: 'mixed', functions: ['read', 'append', 'append', 'cas'] },
];

const SOURCES = [
  { name: 'atomic', make: atomicHistory },
  {
    name: 'with a lie',
    make: (shape: HistoryShape, random: () => number) => lieOnce(atomicHistory(shape, random), random),
  },
  { name: 'noise', make: noiseHistory },
];

for (const { name: model, functions } of MODELS) {
  for (const { name: source, make } of SOURCES) {
    test(`${model}, ${source}: ${RUNS} histories (CHECKER_SEED=${SEED})`, () => {
      let violations = 0;
      for (let run = 0; run < RUNS; run++) {
        const seed = SEED + run;
        const random = randomFrom(seed);
        const shape: HistoryShape = {
          processes: 2 + Math.floor(random() * 4),
          operations: 3 + Math.floor(random() * 6),
          keys: random() < 0.2 ? 2 : 1,
          functions,
          values: random() < 0.3 ? 'unique' : 2 + Math.floor(random() * 2),
          failRate: random() < 0.5 ? 0 : 0.15,
          unknownRate: random() < 0.3 ? 0 : random() * 0.6,
        };
        violations += compare(make(shape, random), { seed, source });
      }
      if (source === 'atomic') expect(violations).toBe(0);
      // Both answers have to be common, or the comparison says little.
      else {
        expect(violations).toBeGreaterThan(RUNS / 50);
        expect(violations).toBeLessThan(RUNS * 0.95);
      }
    });
  }
}

/** 1 for a violation. */
function compare(entries: readonly OperationEntry[], run: { seed: number; source: string }): number {
  const parsed = historyFromEntries(entries);
  // Replies that changed places can leave a process with two calls: no history.
  if (!parsed.ok) return 0;
  const { operations } = parsed.history;
  const verdict = checkHistory(parsed.history);
  const problem = findDisagreement(operations, verdict);
  if (problem !== null) {
    const text = entries.map((entry) => JSON.stringify(entry)).join('\n');
    expect.fail(`${problem}; CHECKER_SEED=${run.seed} CHECKER_RUNS=1 (${run.source})\n${text}`);
  }
  return verdict.result === 'violation' ? 1 : 0;
}

function findDisagreement(operations: readonly Operation[], verdict: Verdict): string | null {
  const expected = isLinearizableByBruteForce(operations) ? 'ok' : 'violation';
  if (verdict.result !== expected) return `${verdict.result} instead of ${expected}`;
  for (const key of verdict.keys) {
    if (key.result !== 'ok') continue;
    const ofKey = operations.filter((operation) => operation.key === key.key);
    const flaw = findFlaw(ofKey, key.order);
    if (flaw !== null) return `the linearization of ${key.key} is none: ${flaw}`;
  }
  const { violation } = verdict;
  if (violation === null) return null;
  if (isLinearizableByBruteForce(violation.operations, { holdsLists: violation.model !== 'register' }))
    return 'the minimized history is linearizable';
  if (!violation.operations.includes(violation.failing)) return 'the failing operation is not in its history';
  // What was placed is a beginning: right by itself, without those that found no place.
  const placed = new Set(violation.partialOrder);
  const beginning = violation.operations.filter((operation) => placed.has(operation));
  const flaw = findFlaw(beginning, violation.partialOrder);
  return flaw === null ? null : `the partial order is none: ${flaw}`;
}
