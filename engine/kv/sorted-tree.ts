// The ordered map under the keyspace: sorted-btree with byte order, and what of it is used here.
import type BTree from 'sorted-btree';
import imported from 'sorted-btree';
import * as bulk from 'sorted-btree/extended/bulkLoad.js';
import type { ByteString } from '../protocol/command.ts';

// The package is CommonJS: as an ES module, Node.js hands out its exports, a bundler its default export.
const Tree = (imported as unknown as { default?: typeof imported }).default ?? imported;
const { bulkLoad } = (bulk as unknown as { default?: typeof bulk }).default ?? bulk;

const NODE_SIZE = 32;
/** Room for keys between those that were loaded, so that the first writes split nothing. */
const LOAD_FACTOR = 0.8;

/** `clone()` costs nothing until one of the two is changed, and then a path of nodes. */
export type SortedTree<Value> = BTree<ByteString, Value>;

/** Values in an order of their own; nothing is kept behind them. */
export type SortedSet<Value> = BTree<Value, undefined>;

/** Byte strings compare by char code, which is byte order. */
export function compareBytes(left: ByteString, right: ByteString): number {
  if (left < right) return -1;
  return left === right ? 0 : 1;
}

export function createTree<Value>(): SortedTree<Value> {
  return new Tree<ByteString, Value>(undefined, compareBytes, NODE_SIZE);
}

/** In linear time. The keys rise strictly, and each value is its key's; neither array may be used afterwards. */
export function loadTree<Value>(keys: ByteString[], values: Value[]): SortedTree<Value> {
  if (keys.length === 0) return createTree();
  return bulkLoad(keys, values, NODE_SIZE, compareBytes, LOAD_FACTOR);
}

export function createSet<Value>(compare: (left: Value, right: Value) => number): SortedSet<Value> {
  return new Tree<Value, undefined>(undefined, compare);
}

interface InnerNode {
  keys: ByteString[];
  children?: InnerNode[];
}

/** A key at the end of a random way down: every node is at least half full, so that no key is far likelier than another. */
export function randomDescent<Value>(tree: SortedTree<Value>, random: () => number): ByteString | null {
  // The package has no public way to its nodes; keys and children are what they are made of.
  let node = (tree as unknown as { _root: InnerNode })._root;
  while (node.children !== undefined) {
    node = node.children[Math.floor(random() * node.children.length)] as InnerNode;
  }
  return node.keys[Math.floor(random() * node.keys.length)] ?? null;
}
