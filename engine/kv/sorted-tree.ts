// The ordered map under the keyspace: sorted-btree with byte order, and what of it is used here.
import type BTree from 'sorted-btree';
import imported from 'sorted-btree';
import type { ByteString } from '../protocol/command.ts';

// The package is CommonJS: as an ES module, Node.js hands out its exports, a bundler its default export.
const Tree = (imported as unknown as { default?: typeof imported }).default ?? imported;

/** `clone()` costs nothing until one of the two is changed, and then a path of nodes. */
export type SortedTree<Value> = BTree<ByteString, Value>;

/** Byte strings compare by char code, which is byte order. */
function compareBytes(left: ByteString, right: ByteString): number {
  if (left < right) return -1;
  return left === right ? 0 : 1;
}

export function createTree<Value>(): SortedTree<Value> {
  return new Tree<ByteString, Value>(undefined, compareBytes);
}
