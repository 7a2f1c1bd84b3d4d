// Judges a whole history: key by key, within a budget, and explains a violation by its smallest failing key.
import { describeCall, describeKey, describeOperation, type History, type Operation } from './history.ts';
import { canonicalJson, isJsonList, type JsonValue } from './json-values.ts';
import { chooseModel, compileKey } from './key-history.ts';
import { findLinearization } from './linearizability.ts';
import { minimizeViolation } from './minimize.ts';
import type { ModelName } from './models/model.ts';

export interface CheckOptions {
  /** Steps of search for all keys together; CHECK_BUDGET_STEPS when absent. Explaining may use as many again. */
  readonly budget?: number;
}

/** Some seconds of search, and more than any history needs that was recorded from a correct store. */
export const CHECK_BUDGET_STEPS = 10_000_000;

export interface KeyVerdict {
  /** Canonical JSON; 'null' is the register without a key. */
  readonly key: string;
  readonly model: ModelName;
  readonly result: 'ok' | 'violation' | 'undecided';
  readonly operationCount: number;
  readonly steps: number;
  /**
   * A linearization when `ok`, otherwise the longest beginning of one that was found. Operations of unknown
   * outcome that need not have happened are not in it.
   */
  readonly order: readonly Operation[];
  /** Before this position the key's operations are linearizable, whatever the result. */
  readonly reachedPosition: number;
}

export interface Violation {
  readonly key: string;
  readonly model: ModelName;
  /** Enough to show it, see Minimized; in the order of their calls. */
  readonly operations: readonly Operation[];
  /** Of the key in the whole history. */
  readonly operationCountBefore: number;
  readonly struckElementCount: number;
  /** Its reply is the one that no order can explain. */
  readonly failing: Operation;
  /** The longest beginning of a linearization of `operations`, and the value after it. */
  readonly partialOrder: readonly Operation[];
  readonly partialState: JsonValue;
  /** Of known outcome, and without a place. */
  readonly unplaced: readonly Operation[];
  /** Also in violation. */
  readonly otherKeys: readonly string[];
}

export interface CheckCounts {
  readonly operations: number;
  readonly ok: number;
  readonly failed: number;
  readonly unknown: number;
  readonly keys: number;
  readonly processes: number;
  /** Steps of search, without explaining. */
  readonly steps: number;
}

export interface Verdict {
  readonly result: 'ok' | 'violation' | 'undecided';
  /** One sentence for a person. */
  readonly reason: string;
  readonly counts: CheckCounts;
  /** In the order of their first call. */
  readonly keys: readonly KeyVerdict[];
  readonly violation: Violation | null;
}

/** A history is linearizable when each key's part is (Herlihy & Wing 1990, locality), so keys are judged alone. */
export function checkHistory(history: History, options: CheckOptions = {}): Verdict {
  const budget = options.budget ?? CHECK_BUDGET_STEPS;
  const byKey = new Map<string, Operation[]>();
  for (const operation of history.operations) {
    const group = byKey.get(operation.key);
    if (group === undefined) byKey.set(operation.key, [operation]);
    else group.push(operation);
  }
  const { verdicts, steps } = checkKeys(byKey, budget);
  const keys = [...byKey.keys()].map((key) => verdicts.get(key) as KeyVerdict);
  const counts = countOperations(history, byKey.size, steps);
  const failing = keys.filter((verdict) => verdict.result === 'violation');
  const open = keys.filter((verdict) => verdict.result === 'undecided');
  const smallest = failing.toSorted((a, b) => a.operationCount - b.operationCount)[0];
  if (smallest !== undefined) {
    const operations = byKey.get(smallest.key) ?? [];
    const violation = explain(operations, smallest, { budget, failing });
    return { result: 'violation', reason: describe(violation, operations), counts, keys, violation };
  }
  if (open.length > 0) {
    const reason = `the budget of ${budget} steps was used up before ${listKeys(open)} could be judged`;
    return { result: 'undecided', reason, counts, keys, violation: null };
  }
  const reason =
    counts.operations === 0
      ? 'there are no operations: nothing contradicts linearizability'
      : `all ${counts.operations} operations on ${counts.keys} ${counts.keys === 1 ? 'key' : 'keys'} fit into one order`;
  return { result: 'ok', reason, counts, keys, violation: null };
}

/**
 * Small keys first, each with an equal share of what is left; then the undecided ones again with all the rest: a
 * hard key cannot use up what the others need.
 */
function checkKeys(
  byKey: ReadonlyMap<string, readonly Operation[]>,
  budget: number,
): { verdicts: Map<string, KeyVerdict>; steps: number } {
  const verdicts = new Map<string, KeyVerdict>();
  let steps = 0;
  const judge = (key: string, stepsMax: number) => {
    const operations = byKey.get(key) ?? [];
    const model = chooseModel(operations);
    const compiled = compileKey(operations, model, { forExplanation: false });
    const found = findLinearization(compiled, { stepsMax, forExplanation: false });
    steps += found.steps;
    const { result, order, reachedPosition } = found;
    const operationCount = operations.length;
    verdicts.set(key, { key, model, result, operationCount, steps: found.steps, order, reachedPosition });
  };
  const bySize = [...byKey].sort(([, a], [, b]) => a.length - b.length).map(([key]) => key);
  for (const [index, key] of bySize.entries())
    judge(key, Math.floor((budget - steps) / (bySize.length - index)));
  for (const key of bySize) {
    const verdict = verdicts.get(key);
    if (verdict?.result === 'undecided' && budget - steps > verdict.steps) judge(key, budget - steps);
  }
  return { verdicts, steps };
}

function countOperations(history: History, keys: number, steps: number): CheckCounts {
  const count = (outcome: Operation['outcome']) =>
    history.operations.filter((operation) => operation.outcome === outcome).length;
  return {
    operations: history.operations.length,
    ok: count('ok'),
    failed: count('fail'),
    unknown: count('unknown'),
    keys,
    processes: new Set(history.operations.map((operation) => operation.process)).size,
    steps,
  };
}

/** Half of the budget shortens the history, the other half looks for the longest partial order. */
function explain(
  operations: readonly Operation[],
  { key, model, reachedPosition }: KeyVerdict,
  options: { readonly budget: number; readonly failing: readonly KeyVerdict[] },
): Violation {
  const stepsMax = Math.max(1, Math.floor(options.budget / 2));
  const minimized = minimizeViolation(operations, model, { stepsMax, reachedPosition });
  const compiled = compileKey(minimized.operations, model, { forExplanation: true });
  const { order, state } = findLinearization(compiled, {
    stepsMax: Math.min(stepsMax, EXPLANATION_STEPS_MAX),
    forExplanation: true,
  });
  const placed = new Set(order);
  const known = minimized.operations.filter((operation) => operation.outcome === 'ok');
  const failing = known.toSorted((a, b) => b.returnPosition - a.returnPosition)[0];
  if (failing === undefined) throw new Error('a violation without an operation that happened');
  return {
    key,
    model,
    operations: minimized.operations,
    operationCountBefore: operations.length,
    struckElementCount: minimized.struckElementCount,
    failing,
    partialOrder: order,
    partialState: state,
    unplaced: known.filter((operation) => !placed.has(operation)),
    otherKeys: options.failing.filter((verdict) => verdict.key !== key).map((verdict) => verdict.key),
  };
}

/** A minimal history is small; one that could not be made small is not worth more. */
const EXPLANATION_STEPS_MAX = 200_000;

function describe(violation: Violation, all: readonly Operation[]): string {
  const { failing, partialOrder, partialState, unplaced, key } = violation;
  const origin = describeOrigin(failing, violation.operations, all);
  if (origin !== null) return `${describeKey(key)}: ${describeOperation(failing)} saw ${origin}`;
  const total = partialOrder.length + unplaced.length;
  const value = JSON.stringify(partialState);
  const next = unplaced.map(describeCall).slice(0, 3).join(', ');
  const more = unplaced.length > 3 ? ` and ${unplaced.length - 3} more` : '';
  return (
    `${describeKey(key)}: no order explains ${describeOperation(failing)}; ` +
    `the longest one places ${partialOrder.length} of ${total} operations, leaves ${value}, and has no place for ${next}${more}`
  );
}

/** Where a value comes from that nothing before the reply could have made; null when something could. */
function describeOrigin(
  failing: Operation,
  operations: readonly Operation[],
  all: readonly Operation[],
): string | null {
  const seen = valueSeen(failing);
  if (seen === undefined) return null;
  const text = canonicalJson(seen);
  const makes = (operation: Operation) => {
    const made = operation.f === 'cas' && isJsonList(operation.value) ? operation.value[1] : operation.value;
    return operation.f !== 'read' && operation.f !== 'append' && canonicalJson(made ?? null) === text;
  };
  if (seen === null || operations.some(makes)) return null;
  if (all.some((operation) => operation.f === 'append' && operation.outcome !== 'fail')) return null;
  const value = JSON.stringify(seen);
  const later = all.find((operation) => makes(operation) && operation.outcome !== 'fail');
  if (later !== undefined && later.callPosition < failing.returnPosition) return null;
  if (later !== undefined) return `${value} before it was written: ${describeOperation(later)}`;
  const failed = all.find((operation) => makes(operation) && operation.outcome === 'fail');
  if (failed !== undefined) return `${value}, whose only write failed: ${describeOperation(failed)}`;
  return `${value}, which nobody wrote`;
}

function valueSeen(operation: Operation): JsonValue | undefined {
  if (operation.f === 'read') return operation.value;
  return operation.f === 'cas' && isJsonList(operation.value) ? (operation.value[0] ?? null) : undefined;
}

function listKeys(verdicts: readonly KeyVerdict[]): string {
  const names = verdicts.slice(0, 3).map((verdict) => describeKey(verdict.key));
  const more = verdicts.length > 3 ? ` and ${verdicts.length - 3} more` : '';
  return names.join(', ') + more;
}
