// A key drawn at random: of all keys for a read, and of the first ones for an entry of the log, where every node
// must draw the same and no entry may take long.
import type { ByteString } from '../protocol/command.ts';
import type { KeyStore } from './key-store.ts';
import { randomDescent } from './sorted-tree.ts';

/** So many are counted off in order. */
const WALK_KEYS_MAX = 4096;
const DESCENTS_MAX = 16;

/** The same on every node for the same seed, 32 bits. Of the first 4,096 keys. Null when there is none. */
export function seededKey(store: KeyStore, seed: number): ByteString | null {
  const { count } = store;
  let left = count === 0 ? 0 : seed % Math.min(count, WALK_KEYS_MAX);
  for (const key of store.records.keys()) {
    if (store.find(key) === undefined) continue;
    if (left === 0) return key;
    left--;
  }
  return null;
}

/** Of all keys, nearly evenly. `random`: from 0 to below 1. */
export function randomKey(store: KeyStore, random: () => number): ByteString | null {
  if (store.count <= WALK_KEYS_MAX) return seededKey(store, Math.floor(random() * WALK_KEYS_MAX * 64));
  for (let tries = 0; tries < DESCENTS_MAX; tries++) {
    const key = randomDescent(store.records, random);
    if (key !== null && store.find(key) !== undefined) return key;
  }
  // Nearly all have ended and wait for their removal.
  return seededKey(store, Math.floor(random() * WALK_KEYS_MAX));
}
