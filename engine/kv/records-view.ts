// Records as of one entry, read once in the order of their keys while they change: what is about to change and has
// not been passed is kept beside them. A view that nobody reads any more is released, or it goes on keeping.
import type { ByteWriter } from '../protocol/byte-writer.ts';
import { type Address, ByteArena, NO_ADDRESS } from './byte-arena.ts';
import { KeyOrder } from './key-order.ts';
import { compareKey, emptyFields, readRecord, recordBytes, writeRecord } from './record-bytes.ts';

/** So many later records are passed over at one time. */
const SKIPPED_MAX = 4096;

export interface RecordCounts {
  size: number;
  /** Of all keys and values. */
  bytes: number;
  /** Records with an end. */
  expiring: number;
}

export interface RecordsViewOptions {
  arena: ByteArena;
  order: KeyOrder;
  /** Records of later revisions are no part of the view. */
  lastRevision: number;
  counts: RecordCounts;
  onRelease: () => void;
}

export class RecordsView {
  /** As of the entry. */
  readonly counts: RecordCounts;
  readonly #arena: ByteArena;
  readonly #order: KeyOrder;
  readonly #lastRevision: number;
  readonly #onRelease: () => void;
  /** The last key that was passed; null before the first. */
  #cursor: Uint8Array | null = null;
  /** What records of keys that are not passed were. */
  readonly #keptArena = new ByteArena();
  readonly #keptOrder = new KeyOrder(this.#keptArena);
  readonly #fields = emptyFields();

  constructor({ arena, order, lastRevision, counts, onRelease }: RecordsViewOptions) {
    this.#arena = arena;
    this.#order = order;
    this.#lastRevision = lastRevision;
    this.counts = counts;
    this.#onRelease = onRelease;
  }

  /** The record at this address is about to be changed. */
  keep(address: Address): void {
    const [page, offset] = [this.#arena.bytesOf(address), this.#arena.offsetOf(address)];
    const fields = this.#fields;
    readRecord(page, offset, fields);
    if (fields.revision > this.#lastRevision) return;
    const cursor = this.#cursor;
    if (cursor !== null && compareKey(page, offset, cursor, 0, cursor.length) <= 0) return;
    const { keyStart, keyEnd } = fields;
    const order = this.#keptOrder;
    const present = order.at(order.lowerBound(page, keyStart, keyEnd));
    // What an entry did and took back was kept before: it is the same again.
    if (present !== NO_ADDRESS && this.#compareKept(present, page, keyStart, keyEnd) === 0) return;
    const kept = this.#keptArena.allocate(recordBytes(fields));
    writeRecord(this.#keptArena.bytesOf(kept), this.#keptArena.offsetOf(kept), fields);
    order.add(kept, page, keyStart, keyEnd);
  }

  /**
   * Writes the next records until the block is `blockBytes` long. False when there are no more. A shorter block
   * while there are says that much was passed over, and that it is time to see to something else.
   */
  fill(block: ByteWriter, blockBytes: number): boolean {
    const fields = this.#fields;
    let live = firstBehind(this.#order, this.#cursor);
    let kept = firstBehind(this.#keptOrder, this.#cursor);
    let passed = false;
    let more = false;
    for (let skipped = 0; ; ) {
      const liveAddress = this.#order.at(live);
      const keptAddress = this.#keptOrder.at(kept);
      if (liveAddress === NO_ADDRESS && keptAddress === NO_ADDRESS) break;
      const order = this.#orderOf(liveAddress, keptAddress);
      if (order <= 0) live = this.#order.next(live);
      if (order >= 0) kept = this.#keptOrder.next(kept);
      // Of the same key, the kept one is the view's.
      const [arena, address] = order < 0 ? [this.#arena, liveAddress] : [this.#keptArena, keptAddress];
      const [page, offset] = [arena.bytesOf(address), arena.offsetOf(address)];
      const end = readRecord(page, offset, fields);
      passed = true;
      if (fields.revision > this.#lastRevision) skipped++;
      else block.raw(page, offset, end);
      more = block.length >= blockBytes || skipped >= SKIPPED_MAX;
      if (more) break;
    }
    if (passed) this.#cursor = fields.bytes.slice(fields.keyStart, fields.keyEnd);
    return more;
  }

  /** It is not read any more. */
  release(): void {
    this.#onRelease();
  }

  /** Below 0: the live one comes first. One of the two may be missing. */
  #orderOf(live: Address, kept: Address): number {
    if (kept === NO_ADDRESS) return -1;
    if (live === NO_ADDRESS) return 1;
    const fields = this.#fields;
    readRecord(this.#arena.bytesOf(live), this.#arena.offsetOf(live), fields);
    return -this.#compareKept(kept, fields.bytes, fields.keyStart, fields.keyEnd);
  }

  #compareKept(kept: Address, key: Uint8Array, start: number, end: number): number {
    return compareKey(this.#keptArena.bytesOf(kept), this.#keptArena.offsetOf(kept), key, start, end);
  }
}

function firstBehind(order: KeyOrder, key: Uint8Array | null): number {
  return key === null ? 0 : order.upperBound(key, 0, key.length);
}
