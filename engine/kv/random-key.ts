// A key drawn at random: of all keys for a read, and of the first ones for an entry of the log, where every node
// must draw the same and no entry may take long.
import type { ByteString } from '../protocol/command.ts';
import { NO_ADDRESS } from './byte-arena.ts';
import type { KeyStore } from './key-store.ts';

/** So many are counted off in order. */
const WALK_KEYS_MAX = 4096;
/** A draw gives a key one time in four at the least. */
const DRAWS_MAX = 64;

/** The same on every node for the same seed, 32 bits. Of the first 4,096 keys. Null when there is none. */
export function seededKey(store: KeyStore, seed: number): ByteString | null {
  const { count } = store;
  let left = count === 0 ? 0 : seed % Math.min(count, WALK_KEYS_MAX);
  const { records, time } = store;
  for (let position = records.seek(''); ; position = records.next(position)) {
    const address = records.at(position);
    if (address === NO_ADDRESS) return null;
    const expiresAt = records.expiresAt(address);
    if (expiresAt !== 0 && expiresAt <= time) continue;
    if (left === 0) return records.keyAt(address);
    left--;
  }
}

/** Of all keys, evenly. `random`: from 0 to below 1. */
export function randomKey(store: KeyStore, random: () => number): ByteString | null {
  if (store.count <= WALK_KEYS_MAX) return seededKey(store, Math.floor(random() * WALK_KEYS_MAX * 64));
  const { records, time } = store;
  for (let draws = 0; draws < DRAWS_MAX; draws++) {
    const address = records.draw(random);
    if (address === NO_ADDRESS) continue;
    const expiresAt = records.expiresAt(address);
    if (expiresAt === 0 || expiresAt > time) return records.keyAt(address);
  }
  // Nearly all have ended and wait for their removal.
  return seededKey(store, Math.floor(random() * WALK_KEYS_MAX));
}
