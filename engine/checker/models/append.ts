// One list: append adds an element, a read returns the whole list; missing, null and the empty list are one.
// A key that is also written or swapped as a whole is `mixed`: right, but searched with fewer shortcuts.
import type { Operation } from '../history.ts';
import { isJsonList, type JsonValue, ValueTable } from '../json-values.ts';
import {
  ANY_STATE,
  type Effect,
  IMPOSSIBLE,
  type Model,
  NEXT_STATE,
  type ReturnToState,
  SAME_STATE,
  type UnknownSupply,
} from './model.ts';

/** Children of one state are numbered by their element: below 2^26 elements, the pair is a safe integer. */
const ELEMENT_SPAN = 2 ** 26;

/**
 * Lists are nodes of a trie, so a list of any length is one number, and an append is one step to a child.
 *
 * In a key with appends only, a list never shrinks, and every later list starts with it. So the longest list that
 * a read returned, the target, fixes the order of its elements: until the state has its length, only its next
 * element can be appended. An append of unknown outcome outside the target would show in every later read, and
 * after the target nobody looks any more: it never has to happen.
 */
export class AppendModel implements Model {
  readonly name: 'append' | 'mixed';
  readonly initial = 0;
  readonly returnToState: ReturnToState;
  readonly unknownMustBeSeen = false;
  readonly #elements = new ValueTable();
  readonly #parents: number[] = [IMPOSSIBLE];
  readonly #lastElements: number[] = [-1];
  readonly #lengths: number[] = [0];
  /** The first child of each state, -1 without one: nearly all have no other. */
  readonly #firstChild: number[] = [-1];
  readonly #otherChildren = new Map<number, number>();
  /** States that are not lists, by value: only writes make them, nothing can be appended. */
  readonly #scalars = new Map<number, number>();
  /** target[n] is the state that holds the first n elements of the longest list read. */
  #target: number[] = [0];
  readonly #targetElements = new Set<number>();
  readonly #useTarget: boolean;
  #appendsOf: Map<number, number> | null = null;

  /** Without the target the search places more before it gives up: for explaining, not for deciding. */
  constructor(name: 'append' | 'mixed', options: { readonly useTarget: boolean }) {
    this.name = name;
    this.returnToState = name === 'append' ? 'never' : 'uncounted';
    this.#useTarget = options.useTarget && name === 'append';
  }

  effectOf(operation: Operation): Effect {
    const { f, value } = operation;
    if (f === 'append') return { needs: ANY_STATE, makes: NEXT_STATE, element: this.#elements.idOf(value) };
    if (f === 'read') return { needs: this.#stateOf(value), makes: SAME_STATE, element: -1 };
    if (f === 'cas' && isJsonList(value)) {
      const needs = this.#stateOf(value[0] ?? null);
      const makes = this.#stateOf(value[1] ?? null);
      return { needs, makes: makes === needs ? SAME_STATE : makes, element: -1 };
    }
    return { needs: ANY_STATE, makes: this.#stateOf(value), element: -1 };
  }

  seal(known: readonly Effect[]): void {
    if (!this.#useTarget) return;
    let longest = this.initial;
    for (const { needs } of known) {
      if (needs !== ANY_STATE && this.#lengthOf(needs) > this.#lengthOf(longest)) longest = needs;
    }
    const target: number[] = [];
    for (let state = longest; state !== IMPOSSIBLE; state = this.#parents[state] ?? IMPOSSIBLE)
      target.push(state);
    this.#target = target.reverse();
    for (const state of target) this.#targetElements.add(this.#lastElements[state] ?? -1);
  }

  isUnknownUseful(effect: Effect): boolean {
    if (effect.makes === SAME_STATE) return false;
    return !this.#useTarget || this.#targetElements.has(effect.element);
  }

  append(state: number, element: number): number {
    if (this.#isScalar(state)) return IMPOSSIBLE;
    if (this.#useTarget) {
      const next = this.#target[this.#lengthOf(state) + 1];
      if (next !== undefined && this.#lastElements[next] !== element) return IMPOSSIBLE;
    }
    return this.#child(state, element);
  }

  findUnknownMoves(state: number, _wanted: readonly number[], supply: UnknownSupply, moves: number[]): void {
    if (this.#useTarget) {
      const next = this.#target[this.#lengthOf(state) + 1];
      if (next === undefined) return;
      this.#appendsOf ??= indexAppends(supply);
      const classId = this.#appendsOf.get(this.#lastElements[next] ?? -1);
      if (classId !== undefined && supply.isAvailable(classId)) moves.push(classId);
      return;
    }
    for (let classId = 0; classId < supply.classCount; classId++) {
      const { needs } = supply.effectOf(classId);
      if ((needs === ANY_STATE || needs === state) && supply.isAvailable(classId)) moves.push(classId);
    }
  }

  valueOf(state: number): JsonValue {
    if (this.#isScalar(state)) return this.#elements.valueOf(this.#lastElements[state] ?? -1);
    const list: JsonValue[] = [];
    for (let node = state; node > 0; node = this.#parents[node] ?? 0) {
      list.push(this.#elements.valueOf(this.#lastElements[node] ?? -1));
    }
    return list.reverse();
  }

  #stateOf(value: JsonValue): number {
    if (value === null) return this.initial;
    if (isJsonList(value)) {
      let state: number = this.initial;
      for (const element of value) state = this.#child(state, this.#elements.idOf(element));
      return state;
    }
    const id = this.#elements.idOf(value);
    const known = this.#scalars.get(id);
    if (known !== undefined) return known;
    const state = this.#add(IMPOSSIBLE, id, -1);
    this.#scalars.set(id, state);
    return state;
  }

  #child(state: number, element: number): number {
    const first = this.#firstChild[state] ?? -1;
    if (first !== -1 && this.#lastElements[first] === element) return first;
    const pair = state * ELEMENT_SPAN + element;
    const other = first === -1 ? undefined : this.#otherChildren.get(pair);
    if (other !== undefined) return other;
    const child = this.#add(state, element, this.#lengthOf(state) + 1);
    if (first === -1) this.#firstChild[state] = child;
    else this.#otherChildren.set(pair, child);
    return child;
  }

  #add(parent: number, element: number, length: number): number {
    this.#parents.push(parent);
    this.#lastElements.push(element);
    this.#lengths.push(length);
    this.#firstChild.push(-1);
    return this.#parents.length - 1;
  }

  /** -1 for what is not a list. */
  #lengthOf(state: number): number {
    return this.#lengths[state] ?? 0;
  }

  #isScalar(state: number): boolean {
    return this.#lengthOf(state) < 0;
  }
}

function indexAppends(supply: UnknownSupply): Map<number, number> {
  const classes = new Map<number, number>();
  for (let classId = 0; classId < supply.classCount; classId++) {
    classes.set(supply.effectOf(classId).element, classId);
  }
  return classes;
}
