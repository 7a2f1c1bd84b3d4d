// Is a minimized violation evidence? Each way to leave something out has to keep linearizable histories
// linearizable: then what is left fails only if the whole does. Judged by brute force.
import { describe, expect, test } from 'vitest';
import type { HistoryFunction, Operation, OperationEntry } from '../../engine/checker/history.ts';
import { cutAfter, ElementStriker, withoutUnseen } from '../../engine/checker/minimize.ts';
import { historyFromEntries } from '../../engine/checker/parse-history.ts';
import { isLinearizableByBruteForce } from './brute-force.ts';
import { atomicHistory, randomFrom } from './random-history.ts';

/** Replay one run: CHECKER_SEED=<seed> CHECKER_RUNS=1 npx vitest run --project unit test/checker/minimize.test.ts */
const SEED = Number(process.env.CHECKER_SEED ?? 40_260_101);
const RUNS = Number(process.env.CHECKER_RUNS ?? 3_000);

type LeaveOut = (operations: readonly Operation[], random: () => number) => readonly Operation[];

/** Leaves something out of atomic histories, and counts how often there was something to leave out. */
function keepsLinearizable(functions: readonly HistoryFunction[], leaveOut: LeaveOut): number {
  let changed = 0;
  for (let run = 0; run < RUNS; run++) {
    const seed = SEED + run;
    const random = randomFrom(seed);
    const entries = atomicHistory(
      {
        processes: 2 + Math.floor(random() * 3),
        operations: 3 + Math.floor(random() * 6),
        keys: 1,
        functions,
        values: 2 + Math.floor(random() * 2),
        failRate: 0,
        unknownRate: random() < 0.5 ? 0 : 0.3,
      },
      random,
    );
    const before = operationsOf(entries);
    const after = leaveOut(before, random);
    if (after.length < before.length) changed++;
    if (!isLinearizableByBruteForce(after, { holdsLists: functions.includes('append') })) {
      const text = entries.map((entry) => JSON.stringify(entry)).join('\n');
      const left = after.map((operation) => operation.callLine).join(', ');
      expect.fail(`CHECKER_SEED=${seed}: not linearizable with the calls of lines ${left} of\n${text}`);
    }
  }
  return changed;
}

function operationsOf(entries: readonly OperationEntry[]): readonly Operation[] {
  const parsed = historyFromEntries(entries);
  if (!parsed.ok) throw new Error(parsed.errors[0]?.message);
  return parsed.history.operations.filter((operation) => operation.outcome !== 'fail');
}

const someOf = <Item>(items: readonly Item[], random: () => number): ReadonlySet<Item> => {
  const rate = random();
  return new Set(items.filter(() => random() < rate));
};

describe(`leaving out keeps linearizable histories linearizable (CHECKER_SEED=${SEED})`, () => {
  test.each<[string, readonly HistoryFunction[]]>([
    ['registers', ['read', 'write']],
    ['cas', ['read', 'cas', 'cas', 'write']],
  ])('what nobody saw: %s', (_, functions) => {
    const changed = keepsLinearizable(functions, (all, random) => withoutUnseen(all, someOf(all, random)));
    expect(changed).toBeGreaterThan(RUNS / 3);
  });

  test.each<[string, readonly HistoryFunction[]]>([
    ['cas', ['read', 'cas', 'write']],
    ['append', ['read', 'append']],
  ])('what came after a reply: %s', (_, functions) => {
    const changed = keepsLinearizable(functions, (all, random) => {
      return cutAfter(all, Math.floor(random() * all.length * 2));
    });
    expect(changed).toBeGreaterThan(RUNS / 3);
  });

  test('elements of lists', () => {
    const changed = keepsLinearizable(['read', 'append'], (all, random) => {
      const striker = new ElementStriker(all);
      return striker.strike(all, someOf(striker.of(all), random));
    });
    expect(changed).toBeGreaterThan(RUNS / 3);
  });
});

test('the last write of a value that was seen is kept, to be shown', () => {
  const operations = operationsOf([
    { process: 0, type: 'invoke', f: 'write', value: 1 },
    { process: 0, type: 'ok' },
    { process: 0, type: 'invoke', f: 'write', value: 1 },
    { process: 0, type: 'ok' },
    { process: 0, type: 'invoke', f: 'write', value: 2 },
    { process: 0, type: 'ok' },
    { process: 0, type: 'invoke', f: 'read' },
    { process: 0, type: 'ok', value: 1 },
  ]);
  const left = withoutUnseen(operations, new Set(operations.slice(0, 2)));
  expect(left.map((operation) => operation.callLine)).toEqual([3, 5, 7]);
});
