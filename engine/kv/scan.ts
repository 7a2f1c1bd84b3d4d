// One page of an ordered scan over a keyspace.
import type { ByteString } from '../protocol/command.ts';
import type { KeyRange } from '../protocol/json-line.ts';
import { type Address, NO_ADDRESS } from './byte-arena.ts';
import type { ScanItem, ScanPage } from './key-record.ts';
import type { Records } from './records.ts';

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

/** The keys of a range that exist at `time`, whatever its limit. */
function* keysOf(
  records: Records,
  range: KeyRange,
  time: number,
): Generator<[ByteString, Address], void, undefined> {
  let first = later(range.prefix, range.start);
  // The least key behind another is that key and a zero byte.
  if (range.after !== null) first = later(first, `${range.after}\0`);
  const end = earlier(range.end, endOfPrefix(range.prefix));
  let position = records.seek(first);
  for (;;) {
    const address = records.at(position);
    if (address === NO_ADDRESS) return;
    const key = records.keyAt(address);
    if (end !== null && key >= end) return;
    const expiresAt = records.expiresAt(address);
    if (expiresAt === 0 || expiresAt > time) yield [key, address];
    position = records.next(position);
  }
}

export interface PageBounds {
  /** Bytes of keys and values; a page holds at least one item. */
  bytesMax: number;
  /** Keys that end now or earlier are left out. */
  time: number;
}

/**
 * Keys of the range in byte order. A page ends after `range.limit` items, or before the item that would take it
 * past `bytesMax` (but holds at least one). [K3]
 */
export function scanPage(records: Records, range: KeyRange, { bytesMax, time }: PageBounds): ScanPage {
  const items: ScanItem[] = [];
  let bytes = 0;
  for (const [key, address] of keysOf(records, range, time)) {
    const record = records.recordAt(address);
    bytes += key.length + record.value.length;
    const last = items[items.length - 1];
    if (last !== undefined && (items.length >= range.limit || bytes > bytesMax)) {
      return { items, next: last.key };
    }
    items.push({ key, ...record });
  }
  return { items, next: null };
}

/** As scanPage, of the keys alone. */
export function keysPage(
  records: Records,
  range: KeyRange,
  { bytesMax, time }: PageBounds,
): { keys: ByteString[]; next: ByteString | null } {
  const keys: ByteString[] = [];
  let bytes = 0;
  for (const [key] of keysOf(records, range, time)) {
    bytes += key.length;
    const last = keys[keys.length - 1];
    if (last !== undefined && (keys.length >= range.limit || bytes > bytesMax)) return { keys, next: last };
    keys.push(key);
  }
  return { keys, next: null };
}
