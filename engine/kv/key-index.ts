// Finds the record of one key in constant time: open addressing with linear probing over places in an arena. Many
// small tables instead of a large one, because a table that grows is gone through as a whole: a pause of a tenth of a
// second at a few million keys, an election's worth at more.
import { type Address, type ByteArena, NO_ADDRESS } from './byte-arena.ts';
import { hasKey } from './record-bytes.ts';

const SHARD_BITS = 8;
const SHARDS = 1 << SHARD_BITS;
const CAPACITY_MIN = 8;
const NO_TABLE = new Int32Array(0);

export const HASH_SEED_DEFAULT = 0x811c9dc5;
let hashSeed = HASH_SEED_DEFAULT;

/**
 * Another seed in every process keeps clients from choosing keys that all fall on one place. Before there is any
 * record: those that are there are not found again. What a keyspace does, and its order, do not depend on it.
 */
export function installHashSeed(seed: number): void {
  hashSeed = seed | 0;
}

/** 32 bits of either sign. */
export function hashKey(key: Uint8Array, start: number, end: number): number {
  let hash = hashSeed;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (key[at] as number), 0x01000193);
  return finish(hash);
}

/** Mixes every bit into every other one: the tables use the lowest ones and the highest. */
function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

export class KeyIndex {
  readonly #arena: ByteArena;
  /** Pairs of a hash and an address; no address where there is nothing. The capacity is a power of two. */
  readonly #tables: Int32Array[] = new Array<Int32Array>(SHARDS).fill(NO_TABLE);
  readonly #counts = new Int32Array(SHARDS);
  /** By shard: pairs as in its table, in the order in which they came, until the table is made of them. */
  readonly #loaded: (Int32Array | undefined)[] = new Array<Int32Array | undefined>(SHARDS).fill(undefined);
  #size = 0;

  constructor(arena: ByteArena) {
    this.#arena = arena;
  }

  get size(): number {
    return this.#size;
  }

  /** The record of `key[start, end)`, whose hash is `hash`; NO_ADDRESS when there is none. */
  find(hash: number, key: Uint8Array, start: number, end: number): Address {
    const shard = hash >>> (32 - SHARD_BITS);
    let table = this.#tables[shard] as Int32Array;
    if (table.length === 0) {
      table = this.#makeTable(shard);
      if (table.length === 0) return NO_ADDRESS;
    }
    const mask = table.length - 1;
    for (let at = (hash << 1) & mask; ; at = (at + 2) & mask) {
      const address = table[at + 1] as number;
      if (address === NO_ADDRESS) return NO_ADDRESS;
      if (table[at] !== hash) continue;
      if (hasKey(this.#arena.bytesOf(address), this.#arena.offsetOf(address), key, start, end))
        return address;
    }
  }

  /** The key must not be there. */
  add(hash: number, address: Address): void {
    const shard = hash >>> (32 - SHARD_BITS);
    const count = (this.#counts[shard] as number) + 1;
    let table = this.#tables[shard] as Int32Array;
    if (table.length === 0) table = this.#makeTable(shard);
    // At most three quarters full.
    if (count * 8 > table.length * 3) table = this.#resize(shard, Math.max(CAPACITY_MIN, table.length));
    this.#counts[shard] = count;
    this.#size++;
    place(table, hash, address);
  }

  /**
   * As `add`, for many records of which none is looked for meanwhile: the first use of a table makes it, at once and in
   * its final size.
   */
  load(hash: number, address: Address): void {
    const shard = hash >>> (32 - SHARD_BITS);
    if ((this.#tables[shard] as Int32Array).length > 0) {
      this.add(hash, address);
      return;
    }
    const count = this.#counts[shard] as number;
    let pairs = this.#loaded[shard] ?? NO_TABLE;
    if (count * 2 === pairs.length) {
      const longer = new Int32Array(Math.max(CAPACITY_MIN, pairs.length * 2));
      longer.set(pairs);
      this.#loaded[shard] = longer;
      pairs = longer;
    }
    pairs[count * 2] = hash;
    pairs[count * 2 + 1] = address;
    this.#counts[shard] = count + 1;
    this.#size++;
  }

  /** The table of what was loaded; NO_TABLE where nothing was. */
  #makeTable(shard: number): Int32Array {
    const pairs = this.#loaded[shard];
    if (pairs === undefined) return NO_TABLE;
    this.#loaded[shard] = undefined;
    const count = this.#counts[shard] as number;
    let capacity = CAPACITY_MIN;
    while (count * 4 > capacity * 3) capacity *= 2;
    const table = new Int32Array(capacity * 2);
    for (let at = 0; at < count * 2; at += 2) place(table, pairs[at] as number, pairs[at + 1] as number);
    this.#tables[shard] = table;
    return table;
  }

  replace(hash: number, before: Address, after: Address): void {
    const table = this.#tables[hash >>> (32 - SHARD_BITS)] as Int32Array;
    table[placeOf(table, hash, before) + 1] = after;
  }

  delete(hash: number, address: Address): void {
    const shard = hash >>> (32 - SHARD_BITS);
    const table = this.#tables[shard] as Int32Array;
    const mask = table.length - 1;
    let hole = placeOf(table, hash, address);
    // What was put behind the hole because its own place was taken moves up.
    for (let at = (hole + 2) & mask; table[at + 1] !== NO_ADDRESS; at = (at + 2) & mask) {
      const wanted = ((table[at] as number) << 1) & mask;
      if (((at - wanted) & mask) < ((at - hole) & mask)) continue;
      table[hole] = table[at] as number;
      table[hole + 1] = table[at + 1] as number;
      hole = at;
    }
    table[hole + 1] = NO_ADDRESS;
    const count = (this.#counts[shard] as number) - 1;
    this.#counts[shard] = count;
    this.#size--;
    if (table.length > 2 * CAPACITY_MIN && count * 16 < table.length) this.#resize(shard, table.length >>> 2);
  }

  #resize(shard: number, capacity: number): Int32Array {
    const before = this.#tables[shard] as Int32Array;
    const table = new Int32Array(capacity * 2);
    for (let at = 0; at < before.length; at += 2) {
      const address = before[at + 1] as number;
      if (address !== NO_ADDRESS) place(table, before[at] as number, address);
    }
    this.#tables[shard] = table;
    return table;
  }
}

function place(table: Int32Array, hash: number, address: Address): void {
  const mask = table.length - 1;
  let at = (hash << 1) & mask;
  while (table[at + 1] !== NO_ADDRESS) at = (at + 2) & mask;
  table[at] = hash;
  table[at + 1] = address;
}

/** Programmer errors throw: an address that is not in the table. */
function placeOf(table: Int32Array, hash: number, address: Address): number {
  const mask = table.length - 1;
  let at = (hash << 1) & mask;
  while (table[at + 1] !== address) {
    if (table[at + 1] === NO_ADDRESS) throw new RangeError('a record is not in the index');
    at = (at + 2) & mask;
  }
  return at;
}
