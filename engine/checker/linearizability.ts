// The search for a linearization of one key: Wing & Gong's depth-first search (JPDC 1993) on a linked list of
// calls and returns, with Lowe's memory of configurations (CCPE 2017). What the object is, the models say.
import type { Operation } from './history.ts';
import type { JsonValue } from './json-values.ts';
import type { KeyHistory } from './key-history.ts';
import {
  ANY_STATE,
  type Effect,
  IMPOSSIBLE,
  NEXT_STATE,
  SAME_STATE,
  type UnknownSupply,
} from './models/model.ts';
import { type Configuration, VisitedSet } from './visited-set.ts';

export interface SearchOptions {
  /** Placements tried at most. */
  readonly stepsMax: number;
  /** Gives up only where nothing more can be placed, so that a partial order is as long as possible. */
  readonly forExplanation: boolean;
}

export interface SearchResult {
  readonly result: 'ok' | 'violation' | 'undecided';
  readonly steps: number;
  /** A linearization when `ok`; otherwise the longest beginning of one that was found. */
  readonly order: readonly Operation[];
  /** The value after `order`. */
  readonly state: JsonValue;
  /**
   * The latest reply up to which some order had placed everything: the history before this position is
   * linearizable. -1 without any operation of known outcome.
   */
  readonly reachedPosition: number;
}

/** 32 Mi ints, 128 MiB. */
const VISITED_INTS_MAX = 2 ** 25;

export function findLinearization(history: KeyHistory, options: SearchOptions): SearchResult {
  return new Search(history, options).run();
}

/** A move is the number of a known operation, or ~c for the next unknown operation of class c. */
type Move = number;

class Search implements UnknownSupply {
  readonly classCount: number;
  readonly #history: KeyHistory;
  readonly #options: SearchOptions;
  readonly #effects: readonly Effect[];
  readonly #returns: Int32Array;
  readonly #classOf: Int32Array;

  // The list of calls (entry 2i of operation i) and returns (2i + 1) not placed yet, in the order of time.
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #head: number;
  /** By operation: how many calls come before its return. */
  readonly #callsBeforeReturn: Int32Array;

  // The configuration.
  #state: number;
  /** The last move was an unknown operation that has to be seen by the next one. */
  #isPending = false;
  #knownLeft: number;
  #hash = 0;
  readonly #bits: Int32Array;
  /** Bit 0 is #isPending: what is possible while pending is possible without it, never the other way round. */
  readonly #unknownBits: Int32Array;
  readonly #unknownUsed: Int32Array;
  /** By state: known operations left that need it, and operations of any outcome left that make it. */
  readonly #needsLeft: Int32Array;
  readonly #makersLeft: Int32Array;
  /** By state: 1 when an unknown cas could still look for it. */
  readonly #isSoughtByUnknown: Uint8Array;

  // The path. Frame d holds what can be tried after d moves: #moves from #starts[d] up to the next frame's start.
  #depth = 0;
  readonly #trail: Int32Array;
  readonly #trailStates: Int32Array;
  readonly #trailPending: Uint8Array;
  readonly #starts: Int32Array;
  readonly #cursors: Int32Array;
  readonly #moves: Move[] = [];
  /** End of the last frame in #moves; what lies beyond is left over. */
  #movesEnd = 0;

  readonly #visited: VisitedSet;
  /** One object for all questions: there are millions. */
  readonly #configuration: Configuration;
  #steps = 0;
  #best = new Int32Array(0);
  #bestKnown = -1;
  #bestState: number;
  #reachedPosition = -1;

  // Scratch of #expand, valid when its stamp is the current one.
  #stamp = 0;
  #earliestReturn = 0;
  readonly #classStamp: Int32Array;
  readonly #classSlot: Int32Array;
  readonly #wantedStamp: Int32Array;
  readonly #wanted: number[] = [];
  readonly #unknownMoves: number[] = [];

  constructor(history: KeyHistory, options: SearchOptions) {
    this.#history = history;
    this.#options = options;
    this.#effects = history.effects;
    this.#returns = history.returns;
    this.#classOf = history.classOf;
    this.classCount = history.effects.length;
    const count = history.known.length;
    this.#knownLeft = count;
    this.#state = history.model.initial;
    this.#bestState = this.#state;
    this.#bits = new Int32Array((count >> 5) + 1);
    this.#unknownBits = new Int32Array(((history.unknown.length + 1) >> 5) + 1);
    this.#unknownUsed = new Int32Array(this.classCount);
    this.#classStamp = new Int32Array(this.classCount);
    this.#classSlot = new Int32Array(this.classCount);
    this.#visited = new VisitedSet({
      unknownWordCount: this.#unknownBits.length,
      intsMax: VISITED_INTS_MAX,
    });
    this.#configuration = {
      hash: 0,
      state: 0,
      bits: this.#bits,
      lowWord: 0,
      highWord: 0,
      unknownBits: this.#unknownBits,
    };

    const depthMax = count + history.unknown.length + 1;
    this.#trail = new Int32Array(depthMax);
    this.#trailStates = new Int32Array(depthMax);
    this.#trailPending = new Uint8Array(depthMax);
    this.#starts = new Int32Array(depthMax);
    this.#cursors = new Int32Array(depthMax);

    this.#head = 2 * count;
    this.#next = new Int32Array(2 * count + 1);
    this.#previous = new Int32Array(2 * count + 1);
    this.#callsBeforeReturn = new Int32Array(count);
    this.#linkEntries();

    let stateCount = this.#state + 1;
    for (const { needs, makes } of this.#effects) stateCount = Math.max(stateCount, needs + 1, makes + 1);
    this.#needsLeft = new Int32Array(stateCount);
    this.#makersLeft = new Int32Array(stateCount);
    this.#isSoughtByUnknown = new Uint8Array(stateCount);
    this.#wantedStamp = new Int32Array(stateCount);
    this.#countStates();
  }

  effectOf(classId: number): Effect {
    return this.#effects[classId] as Effect;
  }

  isAvailable(classId: number): boolean {
    const { unknownOffsets, unknownCalls } = this.#history;
    const index = (unknownOffsets[classId] as number) + (this.#unknownUsed[classId] as number);
    return (
      index < (unknownOffsets[classId + 1] as number) &&
      (unknownCalls[index] as number) < this.#earliestReturn
    );
  }

  run(): SearchResult {
    if (this.#knownLeft > 0) this.#expand();
    while (this.#knownLeft > 0) {
      const cursor = this.#cursors[this.#depth] as number;
      if (cursor === this.#movesEnd) {
        this.#keepBest();
        if (this.#depth === 0) return this.#finish('violation');
        this.#movesEnd = this.#starts[this.#depth] as number;
        this.#takeBack();
        continue;
      }
      if (this.#steps >= this.#options.stepsMax) {
        this.#keepBest();
        return this.#finish('undecided');
      }
      this.#steps++;
      this.#cursors[this.#depth] = cursor + 1;
      if (this.#place(this.#moves[cursor] as Move) && this.#knownLeft > 0) this.#expand();
    }
    this.#keepBest();
    return this.#finish('ok');
  }

  #finish(result: SearchResult['result']): SearchResult {
    const { known, unknown, unknownOffsets, model } = this.#history;
    const used = new Int32Array(this.classCount);
    const order: Operation[] = [];
    for (const move of this.#best) {
      let operation = known[move];
      if (move < 0) {
        const rank = used[~move] as number;
        used[~move] = rank + 1;
        operation = unknown[(unknownOffsets[~move] as number) + rank];
      }
      if (operation !== undefined) order.push(operation);
    }
    const state = model.valueOf(this.#bestState);
    return { result, steps: this.#steps, order, state, reachedPosition: this.#reachedPosition };
  }

  #keepBest(): void {
    const placed = this.#history.known.length - this.#knownLeft;
    if (placed <= this.#bestKnown) return;
    this.#bestKnown = placed;
    this.#best = this.#trail.slice(0, this.#depth);
    this.#bestState = this.#state;
  }

  #linkEntries(): void {
    const { calls, returns } = this.#history;
    const count = calls.length;
    const byReturn = Int32Array.from(calls, (_, index) => index).sort(
      (a, b) => (returns[a] as number) - (returns[b] as number),
    );
    let call = 0;
    let last = this.#head;
    const link = (entry: number) => {
      this.#next[last] = entry;
      this.#previous[entry] = last;
      last = entry;
    };
    for (const operation of byReturn) {
      while (call < count && (calls[call] as number) < (returns[operation] as number)) link(2 * call++);
      this.#callsBeforeReturn[operation] = call;
      link(2 * operation + 1);
    }
    this.#next[last] = this.#head;
    this.#previous[this.#head] = last;
  }

  #countStates(): void {
    for (const classId of this.#classOf) {
      this.#countNeed(this.effectOf(classId), 1);
      this.#countMakers(this.effectOf(classId), 1);
    }
    const { unknownOffsets } = this.#history;
    for (let classId = 0; classId < this.classCount; classId++) {
      const size = (unknownOffsets[classId + 1] as number) - (unknownOffsets[classId] as number);
      if (size === 0) continue;
      const effect = this.effectOf(classId);
      this.#countMakers(effect, size);
      if (effect.needs !== ANY_STATE) this.#isSoughtByUnknown[effect.needs] = 1;
    }
  }

  #countNeed({ needs }: Effect, by: number): void {
    if (needs !== ANY_STATE) this.#needsLeft[needs] = (this.#needsLeft[needs] as number) + by;
  }

  #countMakers({ makes }: Effect, by: number): void {
    if (makes >= 0) this.#makersLeft[makes] = (this.#makersLeft[makes] as number) + by;
  }

  /**
   * Opens a frame with the moves worth trying here. Rules that shorten it, each of which keeps a linearization
   * if there is one (an `operation` is one that may be next: called before the earliest return left):
   * - A known operation that sees this state and leaves it is moved to the front of any linearization: it is the
   *   only move.
   * - So is a write whose value nobody will look for, while nobody will look for this state either.
   * - Of operations that do the same, the one that returns first is enough: in any linearization that takes
   *   another, the two change places. An unknown one returns last of all.
   */
  #expand(): void {
    const start = this.#movesEnd;
    this.#starts[this.#depth] = start;
    this.#cursors[this.#depth] = start;
    this.#stamp++;
    this.#wanted.length = 0;
    const canDropWrites =
      this.#history.model.returnToState === 'byMakers' && !this.#isPending && !this.#isNeeded(this.#state);

    let entry = this.#next[this.#head] as number;
    const lowest = entry >> 1;
    for (; (entry & 1) === 0; entry = this.#next[entry] as number) {
      const operation = entry >> 1;
      const classId = this.#classOf[operation] as number;
      const { needs, makes } = this.effectOf(classId);
      if (needs !== ANY_STATE && needs !== this.#state) {
        this.#want(needs);
        continue;
      }
      const isOnlyMove =
        makes === SAME_STATE ||
        (canDropWrites && needs === ANY_STATE && makes >= 0 && !this.#isNeeded(makes));
      if (isOnlyMove) {
        this.#moves[start] = operation;
        this.#movesEnd = start + 1;
        return;
      }
      if (!this.#isPending || needs === this.#state) this.#offer(operation, classId);
    }
    const bounding = entry >> 1;
    this.#earliestReturn = this.#returns[bounding] as number;
    if (this.#earliestReturn > this.#reachedPosition) this.#reachedPosition = this.#earliestReturn;
    if (this.#isVisited(lowest, this.#callsBeforeReturn[bounding] as number)) {
      this.#movesEnd = start;
      return;
    }
    this.#sortMoves(start);
    this.#offerUnknown();
  }

  #isNeeded(state: number): boolean {
    return (this.#needsLeft[state] ?? 0) > 0 || this.#isSoughtByUnknown[state] === 1;
  }

  #want(state: number): void {
    if (this.#wantedStamp[state] === this.#stamp) return;
    this.#wantedStamp[state] = this.#stamp;
    this.#wanted.push(state);
  }

  #offer(operation: number, classId: number): void {
    if (this.#classStamp[classId] !== this.#stamp) {
      this.#classStamp[classId] = this.#stamp;
      this.#classSlot[classId] = this.#movesEnd;
      this.#moves[this.#movesEnd++] = operation;
      return;
    }
    const slot = this.#classSlot[classId] as number;
    const offered = this.#moves[slot] as number;
    if ((this.#returns[operation] as number) < (this.#returns[offered] as number))
      this.#moves[slot] = operation;
  }

  #offerUnknown(): void {
    if (this.#history.unknown.length === 0) return;
    this.#unknownMoves.length = 0;
    this.#history.model.findUnknownMoves(this.#state, this.#wanted, this, this.#unknownMoves);
    for (const classId of this.#unknownMoves) {
      if (this.#classStamp[classId] === this.#stamp) continue;
      if (this.#isPending && this.effectOf(classId).needs !== this.#state) continue;
      this.#moves[this.#movesEnd++] = ~classId;
    }
  }

  /** First what makes a state that others wait for, then what has to return first. Only speed hangs on it. */
  #sortMoves(start: number): void {
    const moves = this.#moves;
    for (let i = start + 1; i < this.#movesEnd; i++) {
      const move = moves[i] as number;
      const rank = this.#rank(move);
      let slot = i;
      for (; slot > start && this.#rank(moves[slot - 1] as number) > rank; slot--) {
        moves[slot] = moves[slot - 1] as number;
      }
      moves[slot] = move;
    }
  }

  #rank(operation: number): number {
    const { makes } = this.effectOf(this.#classOf[operation] as number);
    const isWanted = makes >= 0 && this.#wantedStamp[makes] === this.#stamp;
    return (this.#returns[operation] as number) + (isWanted ? 0 : 2 ** 31);
  }

  #isVisited(lowest: number, callsBefore: number): boolean {
    this.#unknownBits[0] = ((this.#unknownBits[0] as number) & ~1) | (this.#isPending ? 1 : 0);
    const configuration = this.#configuration;
    configuration.hash = mix(this.#hash ^ Math.imul(this.#state + 1, 0x9e3779b1));
    configuration.state = this.#state;
    configuration.lowWord = lowest >> 5;
    configuration.highWord = ((callsBefore - 1) >> 5) + 1;
    return this.#visited.isCoveredOrAdd(configuration);
  }

  /** Makes a move. False, with nothing changed, when it is impossible or leads nowhere. */
  #place(move: Move): boolean {
    const isUnknown = move < 0;
    const classId = isUnknown ? ~move : (this.#classOf[move] as number);
    const effect = this.effectOf(classId);
    const { needs, makes } = effect;
    let state = this.#state;
    if (makes === NEXT_STATE) state = this.#history.model.append(state, effect.element);
    else if (makes !== SAME_STATE) state = makes;
    if (state === IMPOSSIBLE) return false;
    const seen = !isUnknown && needs === this.#state ? 1 : 0;
    if (state !== this.#state && !this.#mayLeaveState(seen)) return false;

    const depth = this.#depth++;
    this.#trail[depth] = move;
    this.#trailStates[depth] = this.#state;
    this.#trailPending[depth] = this.#isPending ? 1 : 0;
    this.#state = state;
    this.#isPending = isUnknown && this.#history.model.unknownMustBeSeen;
    this.#countMakers(effect, -1);
    if (isUnknown) {
      this.#flipUnknown(classId, 1);
    } else {
      this.#countNeed(effect, -1);
      this.#lift(move);
    }
    return true;
  }

  #takeBack(): void {
    const depth = --this.#depth;
    const move = this.#trail[depth] as Move;
    this.#state = this.#trailStates[depth] as number;
    this.#isPending = this.#trailPending[depth] === 1;
    const isUnknown = move < 0;
    const classId = isUnknown ? ~move : (this.#classOf[move] as number);
    const effect = this.effectOf(classId);
    this.#countMakers(effect, 1);
    if (isUnknown) {
      this.#flipUnknown(classId, -1);
    } else {
      this.#countNeed(effect, 1);
      this.#unlift(move);
    }
  }

  /** A state that known operations still have to see, and that cannot come back, is not left. */
  #mayLeaveState(seenByMove: number): boolean {
    if (this.#options.forExplanation) return true;
    const { returnToState } = this.#history.model;
    if (returnToState === 'uncounted' || (this.#needsLeft[this.#state] ?? 0) <= seenByMove) return true;
    return returnToState === 'byMakers' && (this.#makersLeft[this.#state] as number) > 0;
  }

  #flipUnknown(classId: number, by: 1 | -1): void {
    const used = this.#unknownUsed[classId] as number;
    const index = (this.#history.unknownOffsets[classId] as number) + (by === 1 ? used : used - 1);
    // Bit 0 is taken.
    const bit = index + 1;
    this.#unknownBits[bit >> 5] = (this.#unknownBits[bit >> 5] as number) ^ (1 << (bit & 31));
    this.#unknownUsed[classId] = used + by;
  }

  #lift(operation: number): void {
    this.#unlink(2 * operation);
    this.#unlink(2 * operation + 1);
    this.#flipKnown(operation);
    this.#knownLeft--;
  }

  /** Entries come back in the opposite order, so that each finds its neighbours as it left them. */
  #unlift(operation: number): void {
    this.#relink(2 * operation + 1);
    this.#relink(2 * operation);
    this.#flipKnown(operation);
    this.#knownLeft++;
  }

  #unlink(entry: number): void {
    const previous = this.#previous[entry] as number;
    const next = this.#next[entry] as number;
    this.#next[previous] = next;
    this.#previous[next] = previous;
  }

  #relink(entry: number): void {
    this.#next[this.#previous[entry] as number] = entry;
    this.#previous[this.#next[entry] as number] = entry;
  }

  #flipKnown(operation: number): void {
    const word = operation >> 5;
    this.#bits[word] = (this.#bits[word] as number) ^ (1 << (operation & 31));
    this.#hash ^= mix(operation + 1);
  }
}

/** Spreads 32 bits (the finalizer of MurmurHash3). */
function mix(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
