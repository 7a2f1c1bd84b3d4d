// One page of an ordered scan over a keyspace.
import type { ByteString } from '../protocol/command.ts';
import type { KeyRange } from '../protocol/json-line.ts';
import type { KeyRecord, ScanItem, ScanPage } from './key-record.ts';
import type { SortedTree } from './sorted-tree.ts';

/** The first key that does not begin with `prefix`, null when there is none (all bytes are 0xff). */
function endOfPrefix(prefix: ByteString): ByteString | null {
  for (let last = prefix.length - 1; last >= 0; last--) {
    const byte = prefix.charCodeAt(last);
    if (byte < 0xff) return prefix.slice(0, last) + String.fromCharCode(byte + 1);
  }
  return null;
}

function later(left: ByteString, right: ByteString): ByteString {
  return left > right ? left : right;
}

function earlier(left: ByteString | null, right: ByteString | null): ByteString | null {
  if (left === null || right === null) return left ?? right;
  return left < right ? left : right;
}

/**
 * Keys of the range in byte order. A page ends after `range.limit` items, or before the item that would take it
 * past `bytesMax` bytes of keys and values (but holds at least one). [K3]
 */
export function scanPage(records: SortedTree<KeyRecord>, range: KeyRange, bytesMax: number): ScanPage {
  let first = later(range.prefix, range.start);
  // The least key behind another is that key and a zero byte.
  if (range.after !== null) first = later(first, `${range.after}\0`);
  const end = earlier(range.end, endOfPrefix(range.prefix));
  const items: ScanItem[] = [];
  let bytes = 0;
  for (const [key, { value, kind, revision }] of records.entries(first, [])) {
    if (end !== null && key >= end) break;
    bytes += key.length + value.length;
    const last = items[items.length - 1];
    if (last !== undefined && (items.length >= range.limit || bytes > bytesMax)) {
      return { items, next: last.key };
    }
    items.push({ key, value, kind, revision });
  }
  return { items, next: null };
}
