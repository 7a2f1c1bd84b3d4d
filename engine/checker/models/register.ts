// One register: read, write and cas of a value. A key of a key-value store is one. Missing reads as null.
import type { Operation } from '../history.ts';
import { isJsonList, type JsonValue, ValueTable } from '../json-values.ts';
import { ANY_STATE, type Effect, type Model, SAME_STATE, type UnknownSupply } from './model.ts';

/**
 * A state is the number of a value, so an operation makes the same state wherever it happens. Three rules about
 * operations of unknown outcome follow. In each, take any linearization and let `u` be an unknown write or cas
 * in it that makes the value v; between u and the next operation that changes the state, all others see v.
 *
 * 1. Useless ones go. Call v needed when a read of known outcome returned it, a cas of known outcome expects it,
 *    or an unknown cas expects it that itself makes a needed value. If v is not needed, nobody stands between u
 *    and the next change (unneeded cas are taken out first, the last one first), and a write does not care what
 *    it overwrites: without u it is a linearization still.
 * 2. Each is placed right before an operation that sees v. If the operation after u sees v, it is so already.
 *    If it changes the state without looking, u had no effect: take it out. Nothing else can follow u.
 * 3. So u is tried only when an operation of known outcome waits for v now, or waits for what a chain of unknown
 *    cas can make out of v.
 */
export class RegisterModel implements Model {
  readonly name = 'register';
  readonly returnToState = 'byMakers';
  readonly unknownMustBeSeen = true;
  readonly initial: number;
  readonly #values = new ValueTable();
  readonly #needed = new Set<number>();
  /** Classes of unknown outcome by the state that they make. Filled at the first question. */
  #makers: Map<number, number[]> | null = null;
  /** The states already looked at in this search for moves. */
  readonly #asked = new Set<number>();

  constructor() {
    this.initial = this.#values.idOf(null);
  }

  effectOf(operation: Operation): Effect {
    const { f, value } = operation;
    if (f === 'read') return { needs: this.#values.idOf(value), makes: SAME_STATE, element: -1 };
    if (f === 'cas' && isJsonList(value)) {
      const needs = this.#values.idOf(value[0] ?? null);
      const makes = this.#values.idOf(value[1] ?? null);
      return { needs, makes: makes === needs ? SAME_STATE : makes, element: -1 };
    }
    return { needs: ANY_STATE, makes: this.#values.idOf(value), element: -1 };
  }

  seal(known: readonly Effect[], unknown: readonly Effect[]): void {
    for (const effect of known) if (effect.needs !== ANY_STATE) this.#needed.add(effect.needs);
    const expectedFor = new Map<number, number[]>();
    for (const { needs, makes } of unknown) {
      if (needs === ANY_STATE || makes === SAME_STATE) continue;
      const list = expectedFor.get(makes);
      if (list === undefined) expectedFor.set(makes, [needs]);
      else list.push(needs);
    }
    // A set visits what is added on the way: this follows chains of unknown cas back to their beginnings.
    for (const made of this.#needed) {
      for (const expected of expectedFor.get(made) ?? []) this.#needed.add(expected);
    }
  }

  isUnknownUseful(effect: Effect): boolean {
    return effect.makes !== SAME_STATE && this.#needed.has(effect.makes);
  }

  append(): number {
    throw new Error('a register has no append');
  }

  findUnknownMoves(state: number, wanted: readonly number[], supply: UnknownSupply, moves: number[]): void {
    if (supply.classCount === 0) return;
    this.#makers ??= indexMakers(supply);
    const asked = this.#asked;
    asked.clear();
    for (const value of wanted) asked.add(value);
    for (const value of asked) {
      // In this state already: nothing needs to make it.
      if (value === state) continue;
      for (const classId of this.#makers.get(value) ?? []) {
        if (!supply.isAvailable(classId)) continue;
        const { needs } = supply.effectOf(classId);
        if (needs === ANY_STATE || needs === state) moves.push(classId);
        else asked.add(needs);
      }
    }
  }

  valueOf(state: number): JsonValue {
    return this.#values.valueOf(state);
  }
}

function indexMakers(supply: UnknownSupply): Map<number, number[]> {
  const makers = new Map<number, number[]>();
  for (let classId = 0; classId < supply.classCount; classId++) {
    const { makes } = supply.effectOf(classId);
    const list = makers.get(makes);
    if (list === undefined) makers.set(makes, [classId]);
    else list.push(classId);
  }
  return makers;
}
