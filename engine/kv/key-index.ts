// Finds the record of one key in constant time, beside the ordered tree: a lookup there costs some twenty string
// comparisons. Many small maps instead of a large one, because a Map rehashes all of itself when it grows: a
// pause of a tenth of a second at a million keys, an election's worth at a few. (And one Map ends at 2^24 keys.)
import type { ByteString } from '../protocol/command.ts';

const SHARDS = 256;
/** Of a long key only the end is mixed in: keys of one family differ there. */
const MIXED_CHARACTERS = 16;

function shardOf(key: ByteString): number {
  let hash = key.length;
  for (let at = Math.max(0, key.length - MIXED_CHARACTERS); at < key.length; at++) {
    hash = (Math.imul(hash, 31) + key.charCodeAt(at)) | 0;
  }
  return (hash ^ (hash >>> 8) ^ (hash >>> 16)) & (SHARDS - 1);
}

export class KeyIndex<Value> {
  readonly #shards: readonly Map<ByteString, Value>[] = Array.from({ length: SHARDS }, () => new Map());
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: ByteString): Value | undefined {
    return this.#shard(key).get(key);
  }

  set(key: ByteString, value: Value): void {
    const shard = this.#shard(key);
    const before = shard.size;
    shard.set(key, value);
    this.#size += shard.size - before;
  }

  delete(key: ByteString): void {
    if (this.#shard(key).delete(key)) this.#size--;
  }

  #shard(key: ByteString): Map<ByteString, Value> {
    return this.#shards[shardOf(key)] as Map<ByteString, Value>;
  }
}
