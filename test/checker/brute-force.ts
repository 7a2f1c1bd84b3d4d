// The definition of linearizability, spelled out: tries every order that real time allows, with every choice of
// unknown operations, on plain JSON values. Shares nothing with the checker but the types. For tiny histories.
import type { Operation } from '../../engine/checker/history.ts';
import type { JsonValue } from '../../engine/checker/json-values.ts';

/** A key holds a list when it is appended to; `holdsLists` says so where all appends may have been left out. */
export function isLinearizableByBruteForce(
  operations: readonly Operation[],
  options: { readonly holdsLists?: boolean } = {},
): boolean {
  const keys = new Set(operations.map((operation) => operation.key));
  return [...keys].every((key) => {
    const group = operations.filter((operation) => operation.key === key);
    const holdsList = options.holdsLists ?? group.some((operation) => operation.f === 'append');
    return canFinish(
      group.filter((operation) => operation.outcome !== 'fail'),
      null,
      holdsList,
    );
  });
}

function canFinish(left: readonly Operation[], state: JsonValue, holdsList: boolean): boolean {
  if (left.every((operation) => operation.outcome === 'unknown')) return true;
  return left.some((operation) => {
    if (left.some((other) => other.returnPosition < operation.callPosition)) return false;
    const next = apply(operation, state, holdsList);
    if (next === undefined) return false;
    return canFinish(
      left.filter((other) => other !== operation),
      next,
      holdsList,
    );
  });
}

/** The value after it, or undefined when it cannot have happened here. */
export function apply(operation: Operation, state: JsonValue, holdsList: boolean): JsonValue | undefined {
  const same = (a: JsonValue, b: JsonValue) => show(a, holdsList) === show(b, holdsList);
  const { f, value } = operation;
  if (f === 'read') return operation.outcome !== 'ok' || same(value, state) ? state : undefined;
  if (f === 'write') return value;
  if (f === 'append') {
    if (state === null) return [value];
    return Array.isArray(state) ? [...(state as JsonValue[]), value] : undefined;
  }
  const [expected, next] = value as readonly JsonValue[];
  return same(expected ?? null, state) ? (next ?? null) : undefined;
}

function show(value: JsonValue, holdsList: boolean): string {
  return holdsList && value === null ? '[]' : JSON.stringify(value);
}

/** Null when `order` is a linearization of `operations` of one key, otherwise what is wrong with it. */
export function findFlaw(operations: readonly Operation[], order: readonly Operation[]): string | null {
  const holdsList = operations.some((operation) => operation.f === 'append');
  const placed = new Set(order);
  if (placed.size !== order.length) return 'an operation is placed twice';
  const missing = operations.find((operation) => operation.outcome === 'ok' && !placed.has(operation));
  if (missing !== undefined) return `operation ${missing.index} is missing`;
  let state: JsonValue = null;
  let latestCall = -1;
  for (const operation of order) {
    if (!operations.includes(operation)) return `operation ${operation.index} is not one of them`;
    if (operation.outcome === 'fail') return `operation ${operation.index} failed`;
    if (operation.returnPosition < latestCall) return `operation ${operation.index} comes after a later one`;
    latestCall = Math.max(latestCall, operation.callPosition);
    const next: JsonValue | undefined = apply(operation, state, holdsList);
    if (next === undefined) return `operation ${operation.index} does not fit ${JSON.stringify(state)}`;
    state = next;
  }
  return null;
}
