// All records of a keyspace: their bytes, the way to each of them, the order of their keys, the order of their ends.
// Views see them as of one entry while they change. Knows neither commands nor what is undone.
import { readByteString, writeByteString } from '../protocol/byte-string.ts';
import type { ByteString, ValueKind } from '../protocol/command.ts';
import { type Address, ByteArena, NO_ADDRESS } from './byte-arena.ts';
import { ExpiryOrder } from './expiry-order.ts';
import { hashKey, KeyIndex } from './key-index.ts';
import { KeyOrder, type OrderPosition } from './key-order.ts';
import type { KeyRecord, RecordFacts } from './key-record.ts';
import {
  compareKey,
  copyBytes,
  emptyFields,
  expiresAtOf,
  type RecordFields,
  readRecord,
  recordBytes,
  writeRecord,
} from './record-bytes.ts';
import { RecordsView } from './records-view.ts';

/** Longer keys are looked for in memory of their own. */
const KEPT_KEY_BYTES_MAX = 4096;

export class Records {
  readonly #arena = new ByteArena();
  readonly #index = new KeyIndex(this.#arena);
  readonly #order = new KeyOrder(this.#arena);
  readonly #ends = new ExpiryOrder();
  readonly #views = new Set<RecordsView>();
  #bytes = 0;
  /** A key as bytes, while it is looked for. */
  #key = new Uint8Array(64);
  readonly #fields = emptyFields();

  get size(): number {
    return this.#index.size;
  }

  /** Of all keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Memory that records lie in, whether or not it is full; the way to them not counted. */
  get reservedBytes(): number {
    return this.#arena.reservedBytes;
  }

  /** Keys with an end, by their ends. */
  get ends(): Readonly<Pick<ExpiryOrder, 'first' | 'countDue' | 'size'>> {
    return this.#ends;
  }

  /** NO_ADDRESS when there is none. An address is good until the next change. */
  find(key: ByteString): Address {
    const bytes = this.#bytesOfKey(key);
    return this.#index.find(hashKey(bytes, 0, key.length), bytes, 0, key.length);
  }

  /** The same for `key[start, end)`. */
  findBytes(key: Uint8Array, start: number, end: number): Address {
    return this.#index.find(hashKey(key, start, end), key, start, end);
  }

  /** `fields` are places in memory that the next change may overwrite. */
  fieldsAt(address: Address, fields: RecordFields): void {
    readRecord(this.#arena.bytesOf(address), this.#arena.offsetOf(address), fields);
  }

  /** A copy. */
  recordAt(address: Address): KeyRecord {
    const fields = this.#fields;
    this.fieldsAt(address, fields);
    const { bytes, revision, expiresAt, valueStart, valueEnd } = fields;
    const value = readByteString(bytes, valueStart, valueEnd);
    const kind = fields.kind as ValueKind;
    return expiresAt === 0 ? { value, kind, revision } : { value, kind, revision, expiresAt };
  }

  /** What can be said of a record without reading its value. */
  factsAt(address: Address): RecordFacts {
    const fields = this.#fields;
    this.fieldsAt(address, fields);
    const { kind, revision, expiresAt, valueStart, valueEnd } = fields;
    return { kind: kind as ValueKind, revision, expiresAt, valueBytes: valueEnd - valueStart };
  }

  /** The bytes `[start, end)` of the value, as far as it goes. */
  sliceAt(address: Address, start: number, end: number): ByteString {
    const fields = this.#fields;
    this.fieldsAt(address, fields);
    const { bytes, valueStart, valueEnd } = fields;
    const from = Math.min(valueStart + start, valueEnd);
    return readByteString(bytes, from, Math.max(from, Math.min(valueStart + end, valueEnd)));
  }

  keyAt(address: Address): ByteString {
    const fields = this.#fields;
    this.fieldsAt(address, fields);
    return readByteString(fields.bytes, fields.keyStart, fields.keyEnd);
  }

  /** 0: never. */
  expiresAt(address: Address): number {
    return expiresAtOf(this.#arena.bytesOf(address), this.#arena.offsetOf(address));
  }

  /** Puts the record in the place of the one with its key, or adds it. */
  put(fields: RecordFields): void {
    const { bytes, keyStart, keyEnd } = fields;
    const hash = hashKey(bytes, keyStart, keyEnd);
    const before = this.#index.find(hash, bytes, keyStart, keyEnd);
    const length = recordBytes(fields);
    if (before === NO_ADDRESS) {
      const address = this.#write(fields, length);
      this.#index.add(hash, address);
      this.#order.add(address, bytes, keyStart, keyEnd);
      this.#bytes += keyEnd - keyStart;
    } else {
      const fits = this.#arena.fits(before, length);
      // Before anything is changed: memory may run out.
      const address = fits ? before : this.#write(fields, length);
      this.#beforeChange(before);
      if (fits) {
        writeRecord(this.#arena.bytesOf(before), this.#arena.offsetOf(before), fields);
      } else {
        this.#index.replace(hash, before, address);
        this.#order.replace(bytes, keyStart, keyEnd, address);
        this.#arena.free(before);
      }
    }
    this.#bytes += fields.valueEnd - fields.valueStart;
    if (fields.expiresAt !== 0) this.#ends.add(readByteString(bytes, keyStart, keyEnd), fields.expiresAt);
  }

  /** The record of `key[start, end)`, which must be there. */
  remove(key: Uint8Array, start: number, end: number): void {
    const hash = hashKey(key, start, end);
    const address = this.#index.find(hash, key, start, end);
    if (address === NO_ADDRESS) throw new RangeError('a record that is not there cannot be removed');
    this.#beforeChange(address);
    this.#order.delete(key, start, end);
    this.#index.delete(hash, address);
    this.#arena.free(address);
    this.#bytes -= end - start;
  }

  /**
   * Adds the record that `fields.bytes` hold from `start` on (record-bytes.ts) behind all others. False, and nothing
   * done, when its key is not greater than the last one.
   */
  append(start: number, fields: RecordFields): boolean {
    const { bytes, keyStart, keyEnd, valueStart, valueEnd, expiresAt } = fields;
    const last = this.#order.last();
    if (last !== NO_ADDRESS) {
      const [page, offset] = [this.#arena.bytesOf(last), this.#arena.offsetOf(last)];
      if (compareKey(page, offset, bytes, keyStart, keyEnd) >= 0) return false;
    }
    const address = this.#arena.allocate(valueEnd - start);
    copyBytes(bytes, start, valueEnd, this.#arena.bytesOf(address), this.#arena.offsetOf(address));
    this.#index.load(hashKey(bytes, keyStart, keyEnd), address);
    this.#order.append(address);
    this.#bytes += keyEnd - keyStart + valueEnd - valueStart;
    if (expiresAt !== 0) this.#ends.add(readByteString(bytes, keyStart, keyEnd), expiresAt);
    return true;
  }

  /** The record as bytes of its own (record-bytes.ts). */
  copyOf(address: Address): Uint8Array {
    const [page, offset] = [this.#arena.bytesOf(address), this.#arena.offsetOf(address)];
    return page.slice(offset, readRecord(page, offset, this.#fields));
  }

  /** The place of the first record whose key is not less than `key`. Good until the next change. */
  seek(key: ByteString): OrderPosition {
    return this.#order.lowerBound(this.#bytesOfKey(key), 0, key.length);
  }

  /** NO_ADDRESS behind the last one. */
  at(position: OrderPosition): Address {
    return this.#order.at(position);
  }

  next(position: OrderPosition): OrderPosition {
    return this.#order.next(position);
  }

  /** Evenly drawn; often NO_ADDRESS, then draw again. `random`: from 0 to below 1. */
  draw(random: () => number): Address {
    return this.#order.draw(random);
  }

  /** Everything as it is now. `lastRevision`: later changes have a higher one. Costs nothing until something changes. */
  view(lastRevision: number): RecordsView {
    const view = new RecordsView({
      arena: this.#arena,
      order: this.#order,
      lastRevision,
      counts: { size: this.size, bytes: this.#bytes, expiring: this.#ends.size },
      onRelease: () => this.#views.delete(view),
    });
    this.#views.add(view);
    return view;
  }

  /** What the record had a part in is taken back, and views keep it that have not passed it. */
  #beforeChange(address: Address): void {
    if (this.#views.size > 0) for (const view of this.#views) view.keep(address);
    const fields = this.#fields;
    this.fieldsAt(address, fields);
    this.#bytes -= fields.valueEnd - fields.valueStart;
    if (fields.expiresAt === 0) return;
    this.#ends.delete(readByteString(fields.bytes, fields.keyStart, fields.keyEnd), fields.expiresAt);
  }

  #write(fields: RecordFields, length: number): Address {
    const address = this.#arena.allocate(length);
    writeRecord(this.#arena.bytesOf(address), this.#arena.offsetOf(address), fields);
    return address;
  }

  #bytesOfKey(key: ByteString): Uint8Array {
    let bytes = this.#key;
    if (key.length > bytes.length) {
      bytes = new Uint8Array(key.length);
      if (key.length <= KEPT_KEY_BYTES_MAX) this.#key = bytes;
    }
    writeByteString(bytes, 0, key);
    return bytes;
  }
}
