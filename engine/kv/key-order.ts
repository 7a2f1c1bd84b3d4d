// The records of an arena in the order of their keys: a list of short sorted lists. Two binary searches find a place,
// and one of the short lists moves to make room for it.
import { type Address, type ByteArena, NO_ADDRESS } from './byte-arena.ts';
import { compareKey } from './record-bytes.ts';

const CHUNK_BITS = 9;
const CHUNK_MAX = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_MAX - 1;
const CHUNK_MIN = 16;
/** A list that is loaded in order leaves room for keys in between, so that the first writes split nothing. */
const CHUNK_LOADED = 448;
/** Two neighbours that fit into this become one. */
const CHUNK_MERGED = CHUNK_MAX / 2;

/** A place in the order, for as long as nothing is changed: the number of the short list times 2^9, and the place in it. */
export type OrderPosition = number;

export class KeyOrder {
  readonly #arena: ByteArena;
  /** Each as long as it has room. */
  readonly #chunks: Int32Array[] = [];
  readonly #sizes: number[] = [];

  constructor(arena: ByteArena) {
    this.#arena = arena;
  }

  /** The first record whose key is not less than `key[start, end)`; behind the last one when there is none. */
  lowerBound(key: Uint8Array, start: number, end: number): OrderPosition {
    // The last short list whose first key is less holds it, or the next one begins with it.
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare((this.#chunks[middle] as Int32Array)[0] as number, key, start, end) < 0)
        low = middle + 1;
      else high = middle;
    }
    if (low === 0) return 0;
    const chunk = low - 1;
    const addresses = this.#chunks[chunk] as Int32Array;
    low = 1;
    high = this.#sizes[chunk] as number;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(addresses[middle] as number, key, start, end) < 0) low = middle + 1;
      else high = middle;
    }
    return low === this.#sizes[chunk] ? (chunk + 1) << CHUNK_BITS : (chunk << CHUNK_BITS) | low;
  }

  /** The first record whose key is greater than `key[start, end)`. */
  upperBound(key: Uint8Array, start: number, end: number): OrderPosition {
    const position = this.lowerBound(key, start, end);
    const address = this.at(position);
    return address !== NO_ADDRESS && this.#compare(address, key, start, end) === 0
      ? this.next(position)
      : position;
  }

  /** NO_ADDRESS when there is none. */
  last(): Address {
    const chunk = this.#chunks.length - 1;
    return chunk < 0
      ? NO_ADDRESS
      : ((this.#chunks[chunk] as Int32Array)[(this.#sizes[chunk] as number) - 1] as number);
  }

  /** NO_ADDRESS behind the last one. */
  at(position: OrderPosition): Address {
    const addresses = this.#chunks[position >>> CHUNK_BITS];
    return addresses === undefined ? NO_ADDRESS : (addresses[position & CHUNK_MASK] as number);
  }

  next(position: OrderPosition): OrderPosition {
    const chunk = position >>> CHUNK_BITS;
    return (position & CHUNK_MASK) + 1 < (this.#sizes[chunk] as number)
      ? position + 1
      : (chunk + 1) << CHUNK_BITS;
  }

  /** The key of the record must not be there. */
  add(address: Address, key: Uint8Array, start: number, end: number): void {
    const last = this.last();
    // Keys that rise find their place at once.
    const isLast = last === NO_ADDRESS || this.#compare(last, key, start, end) < 0;
    const position = isLast ? this.#chunks.length << CHUNK_BITS : this.lowerBound(key, start, end);
    let chunk = position >>> CHUNK_BITS;
    let at = position & CHUNK_MASK;
    if (at === 0 && chunk > 0) {
      // Behind the last of a list, if there is room, rather than in front of the next.
      chunk--;
      at = this.#sizes[chunk] as number;
    }
    if (this.#chunks.length === 0 || (at === CHUNK_MAX && chunk === this.#chunks.length - 1)) {
      // Keys that rise fill their lists.
      this.#insertChunk(
        this.#chunks.length,
        new Int32Array(this.#chunks.length === 0 ? CHUNK_MIN : CHUNK_MAX),
        0,
      );
      chunk = this.#chunks.length - 1;
      at = 0;
    } else if (this.#sizes[chunk] === CHUNK_MAX) {
      this.#split(chunk);
      if (at > CHUNK_MAX / 2) {
        chunk++;
        at -= CHUNK_MAX / 2;
      }
    }
    const size = this.#sizes[chunk] as number;
    const addresses = this.#withRoom(chunk, size);
    addresses.copyWithin(at + 1, at, size);
    addresses[at] = address;
    this.#sizes[chunk] = size + 1;
  }

  /** Behind all others: whoever loads a sorted list has compared its keys. */
  append(address: Address): void {
    const last = this.#chunks.length - 1;
    if (last < 0) this.#insertChunk(0, new Int32Array(CHUNK_MIN), 0);
    else if ((this.#sizes[last] as number) >= CHUNK_LOADED) {
      this.#insertChunk(last + 1, new Int32Array(CHUNK_MAX), 0);
    }
    const chunk = this.#chunks.length - 1;
    const size = this.#sizes[chunk] as number;
    this.#withRoom(chunk, size)[size] = address;
    this.#sizes[chunk] = size + 1;
  }

  /** The record of this key lies elsewhere now. */
  replace(key: Uint8Array, start: number, end: number, address: Address): void {
    const position = this.lowerBound(key, start, end);
    (this.#chunks[position >>> CHUNK_BITS] as Int32Array)[position & CHUNK_MASK] = address;
  }

  /** The key must be there, and its record too. */
  delete(key: Uint8Array, start: number, end: number): void {
    const position = this.lowerBound(key, start, end);
    const chunk = position >>> CHUNK_BITS;
    const at = position & CHUNK_MASK;
    const size = this.#sizes[chunk] as number;
    const addresses = this.#chunks[chunk] as Int32Array;
    addresses.copyWithin(at, at + 1, size);
    this.#sizes[chunk] = size - 1;
    if (size === 1) this.#removeChunk(chunk);
    else if (chunk > 0 && (this.#sizes[chunk - 1] as number) + size - 1 <= CHUNK_MERGED)
      this.#merge(chunk - 1);
    else if (size - 1 + (this.#sizes[chunk + 1] ?? CHUNK_MAX) <= CHUNK_MERGED) this.#merge(chunk);
  }

  /** Evenly drawn, or NO_ADDRESS: try again. `random`: from 0 to below 1. */
  draw(random: () => number): Address {
    const chunk = Math.floor(random() * this.#chunks.length);
    const at = Math.floor(random() * CHUNK_MAX);
    return at < (this.#sizes[chunk] ?? 0) ? ((this.#chunks[chunk] as Int32Array)[at] as number) : NO_ADDRESS;
  }

  #compare(address: Address, key: Uint8Array, start: number, end: number): number {
    return compareKey(this.#arena.bytesOf(address), this.#arena.offsetOf(address), key, start, end);
  }

  #withRoom(chunk: number, size: number): Int32Array {
    const addresses = this.#chunks[chunk] as Int32Array;
    if (size < addresses.length) return addresses;
    const grown = new Int32Array(Math.min(CHUNK_MAX, 2 * size));
    grown.set(addresses);
    this.#chunks[chunk] = grown;
    return grown;
  }

  #split(chunk: number): void {
    const upper = new Int32Array(CHUNK_MAX);
    upper.set((this.#chunks[chunk] as Int32Array).subarray(CHUNK_MAX / 2));
    this.#sizes[chunk] = CHUNK_MAX / 2;
    this.#insertChunk(chunk + 1, upper, CHUNK_MAX / 2);
  }

  /** The next list becomes part of this one. */
  #merge(chunk: number): void {
    const [size, added] = [this.#sizes[chunk] as number, this.#sizes[chunk + 1] as number];
    const merged = new Int32Array(CHUNK_MAX);
    merged.set((this.#chunks[chunk] as Int32Array).subarray(0, size));
    merged.set((this.#chunks[chunk + 1] as Int32Array).subarray(0, added), size);
    this.#chunks[chunk] = merged;
    this.#sizes[chunk] = size + added;
    this.#removeChunk(chunk + 1);
  }

  #insertChunk(at: number, addresses: Int32Array, size: number): void {
    this.#chunks.splice(at, 0, addresses);
    this.#sizes.splice(at, 0, size);
  }

  #removeChunk(at: number): void {
    this.#chunks.splice(at, 1);
    this.#sizes.splice(at, 1);
  }
}
