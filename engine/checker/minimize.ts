// Makes a violation small enough to read: the shortest failing prefix, then fewer operations. Every step keeps
// this: if what is left fails, so did what was there before. So the result is evidence, not just a bad history.
import type { Operation } from './history.ts';
import { canonicalJson, isJsonList, type JsonValue, ValueTable } from './json-values.ts';
import { compileKey } from './key-history.ts';
import { findLinearization } from './linearizability.ts';
import type { ModelName } from './models/model.ts';

export interface Minimized {
  /**
   * Still a violation. Operations whose reply came after the last one here are `unknown` (nobody knew yet), and
   * elements of appends that were left out are missing from the lists read.
   */
  readonly operations: readonly Operation[];
  readonly steps: number;
  /** Distinct elements that were struck from the lists. */
  readonly struckElementCount: number;
}

/**
 * `operations` are those of one key, in the order of their calls, and violate `model`; `reachedPosition` is that
 * of the search that found it. Uses at most about `stepsMax` steps; a smaller budget gives a larger result.
 */
export function minimizeViolation(
  operations: readonly Operation[],
  model: ModelName,
  options: { readonly stepsMax: number; readonly reachedPosition: number },
): Minimized {
  const judge = new Judge(model, options.stepsMax);
  let left = shortestFailingPrefix(operations, judge, options.reachedPosition);
  const elements = new ElementStriker(left);
  for (let before = -1; before !== left.length; ) {
    before = left.length;
    left = shrink(left, left, judge, model === 'register' ? withoutUnseen : withoutReads);
    if (model === 'append')
      left = shrink(left, elements.of(left), judge, (all, chunk) => elements.strike(all, chunk));
  }
  const struckElementCount = model === 'append' ? elements.countBefore - elements.of(left).length : 0;
  return { operations: left, steps: judge.steps, struckElementCount };
}

class Judge {
  readonly #model: ModelName;
  readonly #stepsMax: number;
  steps = 0;

  constructor(model: ModelName, stepsMax: number) {
    this.#model = model;
    this.#stepsMax = stepsMax;
  }

  fails(operations: readonly Operation[]): boolean {
    if (this.steps >= this.#stepsMax) return false;
    const history = compileKey(operations, this.#model, { forExplanation: false });
    const stepsMax = this.#stepsMax - this.steps;
    const { result, steps } = findLinearization(history, { stepsMax, forExplanation: false });
    // Preparing costs too: a trial is never free.
    this.steps += steps + operations.length;
    return result === 'violation';
  }
}

/**
 * Linearizability is closed under prefixes: an operation under way at the cut may have happened or not. So the
 * failing prefixes are all those from some reply on. The search that found the violation knows a reply before
 * which nothing fails, and it is nearly always the one; if not, halving finds it among those after it.
 */
function shortestFailingPrefix(
  operations: readonly Operation[],
  judge: Judge,
  reachedPosition: number,
): readonly Operation[] {
  const replies = operations
    .filter((operation) => operation.outcome === 'ok' && operation.returnPosition >= reachedPosition)
    .map((operation) => operation.returnPosition)
    .sort((a, b) => a - b);
  let best: readonly Operation[] = operations.filter((operation) => operation.outcome !== 'fail');
  let low = 0;
  let high = replies.length - 1;
  while (low < high) {
    const trial = low === 0 ? 0 : (low + high) >> 1;
    const prefix = cutAfter(operations, replies[trial] ?? 0);
    if (judge.fails(prefix)) {
      best = prefix;
      high = trial;
    } else {
      low = trial + 1;
    }
  }
  return best;
}

/** What is known right after the reply at `position`. */
export function cutAfter(operations: readonly Operation[], position: number): Operation[] {
  const prefix: Operation[] = [];
  for (const operation of operations) {
    // A failed one is known not to have happened, whenever that was learned.
    if (operation.callPosition > position || operation.outcome === 'fail') continue;
    if (operation.returnPosition <= position) prefix.push(operation);
    else if (operation.f !== 'read') {
      prefix.push({ ...operation, outcome: 'unknown', returnPosition: Number.POSITIVE_INFINITY });
    }
  }
  return prefix;
}

/** Tries to leave out ever smaller pieces of `candidates` (delta debugging), as long as the rest still fails. */
function shrink<Candidate>(
  operations: readonly Operation[],
  candidates: readonly Candidate[],
  judge: Judge,
  leaveOut: (all: readonly Operation[], chunk: ReadonlySet<Candidate>) => readonly Operation[],
): readonly Operation[] {
  let left = operations;
  let open = candidates;
  for (let size = open.length; size >= 1; size = size >> 1) {
    const kept: Candidate[] = [];
    for (let at = 0; at < open.length; at += size) {
      const chunk = open.slice(at, at + size);
      const smaller = leaveOut(left, new Set(chunk));
      if (smaller.length < left.length && judge.fails(smaller)) left = smaller;
      else kept.push(...chunk);
    }
    open = kept;
  }
  return left;
}

/** What changes nothing, a read or a cas from a value to itself: a linearization without it is one still. */
function withoutReads(all: readonly Operation[], chunk: ReadonlySet<Operation>): readonly Operation[] {
  return all.filter((operation) => !chunk.has(operation) || !changesNothing(operation));
}

function changesNothing(operation: Operation): boolean {
  if (operation.f === 'read') return true;
  const [seen, made] = [seenValue(operation), madeValue(operation)];
  return seen !== undefined && made !== undefined && canonicalJson(seen) === canonicalJson(made);
}

/**
 * Leaves out the reads of the chunk, and those of its writes and cas whose effect nobody left can have seen. Take
 * any linearization, such an operation u that makes v, and the next operation after it that does not see v.
 * Whoever needs v stands elsewhere: it returned before u was called, or some change x that stays began after u
 * returned and itself returned before it was called. So nobody sees what u did, and without u it is a
 * linearization still. The last maker of a value that somebody saw is kept all the same: a stale read shows
 * nothing to a person without the write that it repeats.
 */
export function withoutUnseen(
  all: readonly Operation[],
  chunk: ReadonlySet<Operation>,
): readonly Operation[] {
  const left = withoutReads(all, chunk);
  const observers = new Map<string, Operation[]>();
  for (const operation of left) {
    const seen = seenValue(operation);
    if (seen === undefined) continue;
    const text = canonicalJson(seen);
    const group = observers.get(text);
    if (group === undefined) observers.set(text, [operation]);
    else group.push(operation);
  }
  // Only what certainly stays may overwrite: changes of known outcome outside the chunk, in the order of calls.
  const overwriters = left.filter((operation) => {
    return !chunk.has(operation) && operation.outcome === 'ok' && madeValue(operation) !== undefined;
  });
  const earliestReturnFrom: number[] = [];
  let earliest = Number.POSITIVE_INFINITY;
  for (let index = overwriters.length - 1; index >= 0; index--) {
    earliest = Math.min(earliest, overwriters[index]?.returnPosition ?? earliest);
    earliestReturnFrom[index] = earliest;
  }
  const lastMakers = findLastMakers(left, observers);
  return left.filter((operation) => {
    const made = chunk.has(operation) ? madeValue(operation) : undefined;
    if (made === undefined || lastMakers.has(operation)) return true;
    const first = firstCalledAfter(overwriters, operation.returnPosition);
    const overwritten = earliestReturnFrom[first] ?? Number.POSITIVE_INFINITY;
    return (observers.get(canonicalJson(made)) ?? []).some((observer) => {
      if (observer === operation) return false;
      return observer.returnPosition >= operation.callPosition && observer.callPosition <= overwritten;
    });
  });
}

/** For each that saw a value, the maker of it that was called last before the reply. */
function findLastMakers(
  operations: readonly Operation[],
  observers: ReadonlyMap<string, readonly Operation[]>,
): Set<Operation> {
  const makers = new Map<string, Operation[]>();
  for (const operation of operations) {
    const made = madeValue(operation);
    if (made === undefined) continue;
    const text = canonicalJson(made);
    const group = makers.get(text);
    if (group === undefined) makers.set(text, [operation]);
    else group.push(operation);
  }
  const last = new Set<Operation>();
  for (const [value, group] of observers) {
    const ofValue = makers.get(value) ?? [];
    for (const observer of group) {
      const maker = ofValue[firstCalledAfter(ofValue, observer.returnPosition) - 1];
      if (maker !== undefined && maker !== observer) last.add(maker);
    }
  }
  return last;
}

function firstCalledAfter(operations: readonly Operation[], position: number): number {
  let low = 0;
  let high = operations.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((operations[middle]?.callPosition ?? 0) <= position) low = middle + 1;
    else high = middle;
  }
  return low;
}

function seenValue(operation: Operation): JsonValue | undefined {
  if (operation.f === 'read') return operation.value;
  return operation.f === 'cas' && isJsonList(operation.value) ? (operation.value[0] ?? null) : undefined;
}

function madeValue(operation: Operation): JsonValue | undefined {
  if (operation.f === 'write') return operation.value;
  return operation.f === 'cas' && isJsonList(operation.value) ? (operation.value[1] ?? null) : undefined;
}

/**
 * Strikes elements out: their appends, and the elements from every list read. In a key with appends only, the
 * same done to a linearization gives a linearization.
 */
export class ElementStriker {
  readonly #elements = new ValueTable();
  readonly countBefore: number;

  constructor(operations: readonly Operation[]) {
    this.countBefore = this.of(operations).length;
  }

  /** The distinct elements appended. */
  of(operations: readonly Operation[]): number[] {
    const appends = operations.filter((operation) => operation.f === 'append');
    return [...new Set(appends.map((operation) => this.#elements.idOf(operation.value)))];
  }

  strike(all: readonly Operation[], chunk: ReadonlySet<number>): readonly Operation[] {
    const isStruck = (element: JsonValue) => chunk.has(this.#elements.idOf(element));
    const left: Operation[] = [];
    for (const operation of all) {
      if (operation.f === 'append') {
        if (!isStruck(operation.value)) left.push(operation);
      } else if (isJsonList(operation.value) && operation.value.some(isStruck)) {
        left.push({ ...operation, value: operation.value.filter((element) => !isStruck(element)) });
      } else {
        left.push(operation);
      }
    }
    return left;
  }
}
