// Does the search stay small where histories are large? Counted in steps, which no machine can change.
import { describe, expect, test } from 'vitest';
import { checkHistory } from '../../engine/checker/check.ts';
import type { History, OperationEntry } from '../../engine/checker/history.ts';
import { historyFromEntries } from '../../engine/checker/parse-history.ts';
import { findFlaw } from './brute-force.ts';
import { atomicHistory, type HistoryShape, lieOnce, randomFrom } from './random-history.ts';

const SHAPE: HistoryShape = {
  processes: 50,
  operations: 10_000,
  keys: 100,
  functions: ['read', 'write', 'cas'],
  values: 'unique',
  failRate: 0.05,
  unknownRate: 0.05,
};
const HOT: HistoryShape = { ...SHAPE, processes: 20, operations: 2_000, keys: 1 };

function historyOf(entries: readonly OperationEntry[]): History {
  const parsed = historyFromEntries(entries);
  if (!parsed.ok) throw new Error(parsed.errors[0]?.message);
  return parsed.history;
}

describe('histories of an atomic object', () => {
  test.each<[string, HistoryShape, stepsPerOperation?: number]>([
    ['50 clients, 100 keys', SHAPE],
    ['50 clients, 100 keys of 5 values', { ...SHAPE, values: 5 }],
    ['50 clients, 100 lists', { ...SHAPE, functions: ['read', 'append'] }],
    ['20 clients, one key', HOT],
    ['20 clients, one key of 5 values', { ...HOT, values: 5 }],
    ['20 clients, one key of 5 values, a third unknown', { ...HOT, values: 5, unknownRate: 0.33 }],
    ['20 clients, one list', { ...HOT, functions: ['read', 'append'] }],
    ['20 clients, one list of 5 elements', { ...HOT, functions: ['read', 'append'], values: 5 }],
    [
      '6 clients, one list that is also written',
      {
        ...HOT,
        processes: 6,
        operations: 500,
        functions: ['read', 'append', 'append', 'write'],
        unknownRate: 0.01,
      },
      1_000,
    ],
  ])('%s (seeds 1 to 3)', (_, shape, stepsPerOperation = 30) => {
    for (const seed of [1, 2, 3]) {
      const history = historyOf(atomicHistory(shape, randomFrom(seed)));
      const verdict = checkHistory(history);
      expect(verdict, `seed ${seed}`).toMatchObject({
        result: 'ok',
        counts: { operations: shape.operations },
      });
      expect(verdict.counts.steps, `seed ${seed}`).toBeLessThan(stepsPerOperation * shape.operations);
      const key = verdict.keys[0];
      const ofKey = history.operations.filter((operation) => operation.key === key?.key);
      expect(findFlaw(ofKey, key?.order ?? []), `seed ${seed}`).toBe(null);
    }
  });
});

describe('one lie among many', () => {
  test('is found in one of 100 keys, and shown by few operations', () => {
    let found = 0;
    for (let seed = 1; seed <= 10; seed++) {
      const random = randomFrom(seed);
      const verdict = checkHistory(historyOf(lieOnce(atomicHistory(SHAPE, random), random)));
      if (verdict.violation === null) continue;
      found++;
      expect(verdict.violation.operations.length, `seed ${seed}`).toBeLessThan(12);
    }
    expect(found).toBeGreaterThan(3);
  });

  test('is found in one hot key, and shown by few operations', () => {
    let found = 0;
    for (let seed = 1; seed <= 10; seed++) {
      const random = randomFrom(seed);
      const verdict = checkHistory(historyOf(lieOnce(atomicHistory(HOT, random), random)));
      if (verdict.violation === null) continue;
      found++;
      expect(verdict.violation.operations.length, `seed ${seed}`).toBeLessThan(12);
    }
    expect(found).toBeGreaterThan(3);
  });
});

/** Everybody swaps at once, and no chain of all swaps exists: found out only by trying very many. */
function puzzle(swaps: number): OperationEntry[] {
  const random = randomFrom(7);
  const value = () => Math.floor(random() * 6);
  const entries: OperationEntry[] = [
    { process: 'w', type: 'invoke', f: 'write', key: 'hard', value: 0 },
    { process: 'w', type: 'ok' },
  ];
  for (let process = 0; process < swaps; process++) {
    entries.push({ process, type: 'invoke', f: 'cas', key: 'hard', value: [value(), value()] });
  }
  for (let process = 0; process < swaps; process++) entries.push({ process, type: 'ok' });
  return entries;
}

describe('the budget', () => {
  test('ends a search that takes too long as undecided, and says so', () => {
    const history = historyOf(puzzle(60));
    const verdict = checkHistory(history, { budget: 5_000 });
    expect(verdict).toMatchObject({ result: 'undecided', violation: null });
    expect(verdict.reason).toBe('the budget of 5000 steps was used up before key "hard" could be judged');
    expect(verdict.counts.steps).toBeLessThanOrEqual(5_000);
  });

  test('of one key is not used up by another: a violation elsewhere is found', () => {
    const stale: OperationEntry[] = [
      { process: 's', type: 'invoke', f: 'write', key: 'easy', value: 1 },
      { process: 's', type: 'ok' },
      { process: 's', type: 'invoke', f: 'read', key: 'easy' },
      { process: 's', type: 'ok', value: null },
    ];
    const verdict = checkHistory(historyOf([...puzzle(60), ...stale]), { budget: 5_000 });
    expect(verdict).toMatchObject({ result: 'violation', violation: { key: '"easy"' } });
    expect(verdict.keys.map((key) => key.result)).toEqual(['undecided', 'violation']);
  });

  test('that is left over goes to what was undecided', () => {
    const small = [0, 1, 2, 3].flatMap((key): OperationEntry[] => [
      { process: key, type: 'invoke', f: 'write', key, value: 1 },
      { process: key, type: 'ok' },
    ]);
    const history = historyOf([...small, ...atomicHistory({ ...HOT, operations: 300 }, randomFrom(5))]);
    const steps = checkHistory(history).counts.steps;
    // Its first share is less than it needs; the rest is enough.
    const verdict = checkHistory(history, { budget: Math.ceil(steps * 1.9) });
    expect(verdict.result).toBe('ok');
  });
});
