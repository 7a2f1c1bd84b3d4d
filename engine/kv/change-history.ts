// The latest changes of a keyspace in the order of the log, for those who watch keys: bounded in bytes, the same
// on every node as far back as it goes. Kept as bytes in pages, outside of the collector's heap. Part of no snapshot:
// a node that was restored from one begins anew.
import { writeVarint } from '../protocol/byte-reader.ts';
import { readByteString, writeByteString } from '../protocol/byte-string.ts';
import type { ByteString, StoredValue, ValueKind } from '../protocol/command.ts';
import type { ChangeListener } from './key-store.ts';
import {
  emptyFields,
  lengthsAndBytes,
  type RecordFields,
  readRecord,
  recordBytes,
  revisionOf,
  writeRecord,
} from './record-bytes.ts';

/** `flush`: every key is gone. Several changes may share a revision: those of one entry, in their order. */
export interface Change extends StoredValue {
  type: 'put' | 'delete' | 'flush';
  revision: number;
  /** Empty of a flush. */
  key: ByteString;
  /** Of a put: when the key ends; 0 for never. */
  expiresAt: number;
  /** Of a delete: the key's end had come. */
  expired: boolean;
}

export interface ChangeFilter {
  key: Uint8Array;
  isPrefix: boolean;
  /** The lowest that is of interest. */
  revision: number;
}

/** In front of a record (record-bytes.ts), which has no value but of a put. */
const Type = { put: 0, delete: 1, expire: 2, flush: 3 } as const;
type Type = (typeof Type)[keyof typeof Type];

const PAGE_BYTES_MIN = 4 * 1024;
const PAGE_BYTES_MAX = 256 * 1024;
/** What a change is counted as, besides its bytes: its place in its page. */
const PLACE_BYTES = 8;
/** How far over its bound it may grow before it is trimmed. */
const UNTRIMMED_FACTOR = 8;

interface Page {
  bytes: Uint8Array;
  used: number;
  /** Position of its first change. */
  first: number;
  /** Where each of its changes begins. */
  offsets: number[];
}

export class ChangeHistory implements ChangeListener {
  readonly bytesMax: number;
  readonly #pages: Page[] = [];
  /** Position of the oldest change that is not forgotten. */
  #head = 0;
  /** Changes told so far. */
  #end = 0;
  #bytes = 0;
  #lowestRevision = 1;
  readonly #fields = emptyFields();

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** Every change of this revision and of later ones is here. */
  get lowestRevision(): number {
    return this.#lowestRevision;
  }

  /** The position of the oldest change that is not forgotten; `end` when there is none. */
  get begin(): number {
    return this.#head;
  }

  /** Changes told so far: where the next one will stand. Positions only rise. */
  get end(): number {
    return this.#end;
  }

  put(fields: Readonly<RecordFields>): void {
    this.#add(Type.put, fields);
  }

  removed(key: ByteString, revision: number, expired: boolean): void {
    this.#addKey(expired ? Type.expire : Type.delete, key, revision);
  }

  flushed(revision: number): void {
    this.#addKey(Type.flush, '', revision);
  }

  mark(): number {
    return this.#end;
  }

  takeBack(mark: number): void {
    while (this.#end > mark) {
      const page = this.#pages[this.#pages.length - 1];
      const offset = page?.offsets.pop();
      if (page === undefined || offset === undefined)
        throw new RangeError('more is taken back than was told');
      this.#bytes -= page.used - offset + PLACE_BYTES;
      page.used = offset;
      this.#end--;
      if (page.offsets.length === 0) this.#pages.pop();
    }
    // What is left of the last page is forgotten: the next change begins a page of its own.
    if (this.#head === this.#end) this.#pages.length = 0;
  }

  restored(revision: number): void {
    this.#pages.length = 0;
    this.#head = this.#end;
    this.#bytes = 0;
    this.#lowestRevision = revision + 1;
  }

  /** Changes up to `revision` are not kept: more will follow than there is room for. Before any was told. */
  beginAfter(revision: number): void {
    this.#lowestRevision = Math.max(this.#lowestRevision, revision + 1);
  }

  /** The position of the first change of `revision` or later; null when some of it is forgotten. */
  positionOf(revision: number): number | null {
    if (revision < this.#lowestRevision) return null;
    let low = this.#head;
    let high = this.#end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#revisionAt(middle) < revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The change at a position below `end`; null when it is forgotten. */
  at(position: number): Change | null {
    if (position < this.#head || position >= this.#end) return null;
    const page = this.#pageOf(position);
    const offset = page.offsets[position - page.first] as number;
    const type = page.bytes[offset] as Type;
    const fields = this.#fields;
    readRecord(page.bytes, offset + 1, fields);
    return {
      type: type === Type.put ? 'put' : type === Type.flush ? 'flush' : 'delete',
      revision: fields.revision,
      key: readByteString(page.bytes, fields.keyStart, fields.keyEnd),
      value: readByteString(page.bytes, fields.valueStart, fields.valueEnd),
      kind: fields.kind as ValueKind,
      expiresAt: fields.expiresAt,
      expired: type === Type.expire,
    };
  }

  /**
   * Whether the change at a position that is not forgotten is one of this key (`isPrefix`: of keys that begin so), and
   * of this revision or a later one. Every key's, when all are gone. Makes nothing. Programmer errors throw
   * RangeError: a position that is forgotten or not told yet.
   */
  concerns(position: number, { key, isPrefix, revision }: ChangeFilter): boolean {
    if (position < this.#head || position >= this.#end)
      throw new RangeError(`change ${position} is not here`);
    const page = this.#pageOf(position);
    const offset = page.offsets[position - page.first] as number;
    const fields = this.#fields;
    readRecord(page.bytes, offset + 1, fields);
    if (fields.revision < revision) return false;
    if (page.bytes[offset] === Type.flush) return true;
    const length = fields.keyEnd - fields.keyStart;
    if (isPrefix ? length < key.length : length !== key.length) return false;
    for (let at = 0; at < key.length; at++) {
      if (page.bytes[fields.keyStart + at] !== key[at]) return false;
    }
    return true;
  }

  /** Forgets what is beyond the bound, the oldest first. Between entries. */
  trim(): void {
    if (this.#bytes > this.bytesMax) this.#forget(0);
  }

  #addKey(type: Type, key: ByteString, revision: number): void {
    const fields = emptyFields();
    const bytes = new Uint8Array(lengthsAndBytes(key.length, 0));
    fields.bytes = bytes;
    fields.revision = revision;
    writeByteString(bytes, writeVarint(bytes, 0, key.length), key);
    fields.valueEnd = bytes.length;
    this.#add(type, fields);
  }

  #add(type: Type, fields: Readonly<RecordFields>): void {
    if (fields.revision < this.#lowestRevision) return;
    const length = 1 + recordBytes(fields);
    let page = this.#pages[this.#pages.length - 1];
    if (page === undefined || page.used + length > page.bytes.length) {
      const bytes = Math.max(
        length,
        Math.min(PAGE_BYTES_MAX, 2 * (page?.bytes.length ?? PAGE_BYTES_MIN / 2)),
      );
      page = { bytes: new Uint8Array(bytes), used: 0, first: this.#end, offsets: [] };
      this.#pages.push(page);
    }
    page.offsets.push(page.used);
    page.bytes[page.used] = type;
    page.used = writeRecord(page.bytes, page.used + 1, fields);
    this.#end++;
    this.#bytes += length + PLACE_BYTES;
    // Nobody trims it: it stays bounded all the same.
    if (this.#bytes > UNTRIMMED_FACTOR * this.bytesMax) this.#forget(fields.revision);
  }

  /** Whole revisions only, and none of the entry that is being applied: it may take its changes back. */
  #forget(revision: number): void {
    let forgotten = 0;
    for (; this.#head < this.#end; this.#head++) {
      const page = this.#pages[0] as Page;
      const at = this.#head - page.first;
      const offset = page.offsets[at] as number;
      const current = revisionOf(page.bytes, offset + 1);
      if (current === revision) break;
      if (this.#bytes <= this.bytesMax && current !== forgotten) break;
      forgotten = current;
      const isLast = at + 1 === page.offsets.length;
      this.#bytes -= (isLast ? page.used : (page.offsets[at + 1] as number)) - offset + PLACE_BYTES;
      if (isLast) this.#pages.shift();
    }
    if (forgotten !== 0) this.#lowestRevision = forgotten + 1;
  }

  #revisionAt(position: number): number {
    const page = this.#pageOf(position);
    return revisionOf(page.bytes, (page.offsets[position - page.first] as number) + 1);
  }

  #pageOf(position: number): Page {
    let low = 0;
    let high = this.#pages.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#pages[middle] as Page).first <= position) low = middle;
      else high = middle - 1;
    }
    return this.#pages[low] as Page;
  }
}
