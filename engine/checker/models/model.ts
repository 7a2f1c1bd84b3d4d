// What the search has to know about the object behind a key: states as small numbers, and operations grouped
// into classes that do the same. The search itself is in linearizability.ts and knows no model.
import type { Operation } from '../history.ts';
import type { JsonValue } from '../json-values.ts';

export type ModelName = 'register' | 'append' | 'mixed';

/** Needs no state in particular: a write, an append. */
export const ANY_STATE = -1;
/** Leaves the state as it is: a read. */
export const SAME_STATE = -1;
/** The next state depends on the state before: an append. */
export const NEXT_STATE = -2;
/** No state: the operation cannot happen here. */
export const IMPOSSIBLE = -1;

/** What an operation does, told apart from who did it and when. Equal effects are interchangeable. */
export interface Effect {
  /** The state that it saw, so that it can only happen there; ANY_STATE when it says nothing about it. */
  readonly needs: number;
  /** The state that it leaves; SAME_STATE or NEXT_STATE. */
  readonly makes: number;
  /** The element of an append, otherwise -1. */
  readonly element: number;
}

/**
 * Whether a state can come back once it was left: through an operation that makes it (`byMakers`), never, or in
 * ways that nobody counts. Lets the search give up on a state that is left while somebody still has to see it.
 */
export type ReturnToState = 'byMakers' | 'never' | 'uncounted';

/** Operations of unknown outcome that may happen now, by class: those called, and not yet placed. */
export interface UnknownSupply {
  readonly classCount: number;
  effectOf(classId: number): Effect;
  /** One of the class was called before the earliest reply of the operations left. */
  isAvailable(classId: number): boolean;
}

export interface Model {
  readonly name: ModelName;
  readonly initial: number;
  readonly returnToState: ReturnToState;
  /**
   * An operation of unknown outcome is placed only right before one that sees its effect.
   * Sound for registers: see RegisterModel.
   */
  readonly unknownMustBeSeen: boolean;
  effectOf(operation: Operation): Effect;
  /** Told once, before the search: all effects that count, of known and of unknown outcome. */
  seal(known: readonly Effect[], unknown: readonly Effect[]): void;
  /** Whether an operation of unknown outcome and of this effect can matter at all. Asked after `seal`. */
  isUnknownUseful(effect: Effect): boolean;
  /** The state after an append, or IMPOSSIBLE. */
  append(state: number, element: number): number;
  /**
   * Adds to `moves` the classes of unknown outcome worth trying in `state`. `wanted` holds the states that
   * operations of known outcome wait for right now.
   */
  findUnknownMoves(state: number, wanted: readonly number[], supply: UnknownSupply, moves: number[]): void;
  valueOf(state: number): JsonValue;
}
