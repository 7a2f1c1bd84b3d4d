// Byte order, and a set that keeps an order of its own: sorted-btree, and what of it is used here.
import type BTree from 'sorted-btree';
import imported from 'sorted-btree';
import type { ByteString } from '../protocol/command.ts';

// The package is CommonJS: as an ES module, Node.js hands out its exports, a bundler its default export.
const Tree = (imported as unknown as { default?: typeof imported }).default ?? imported;

/** Values in an order of their own; nothing is kept behind them. */
export type SortedSet<Value> = BTree<Value, undefined>;

/** Byte strings compare by char code, which is byte order. */
export function compareBytes(left: ByteString, right: ByteString): number {
  if (left < right) return -1;
  return left === right ? 0 : 1;
}

export function createSet<Value>(compare: (left: Value, right: Value) => number): SortedSet<Value> {
  return new Tree<Value, undefined>(undefined, compare);
}
