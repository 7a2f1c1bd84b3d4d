// The records of a keyspace at one replicated time. Every change goes through here, can be undone while a transaction
// runs, and is told to whoever keeps a history. Knows no commands.
import { writeVarint } from '../protocol/byte-reader.ts';
import { writeByteString } from '../protocol/byte-string.ts';
import type { ByteString, StoredValue } from '../protocol/command.ts';
import { type Address, NO_ADDRESS } from './byte-arena.ts';
import type { KeyRecord, RecordFacts } from './key-record.ts';
import { emptyFields, lengthsAndBytes, type RecordFields, readRecord } from './record-bytes.ts';
import { Records } from './records.ts';
import type { RecordsView } from './records-view.ts';

/** Hears of every change of an applied entry, in order. What an entry undoes is taken back before the next one. */
export interface ChangeListener {
  /** The fields are places in memory that is used again at once. */
  put(fields: Readonly<RecordFields>): void;
  /** `expired`: the key's end had come. */
  removed(key: ByteString, revision: number, expired: boolean): void;
  flushed(revision: number): void;
  /** How many changes were told so far. */
  mark(): number;
  /** Forgets the changes told since `mark`. */
  takeBack(mark: number): void;
  /** Everything is as a snapshot has it, whatever was told before. */
  restored(revision: number): void;
}

/** Longer keys and values are put into memory of their own on the way. */
const SCRATCH_BYTES_MAX = 1024 * 1024;

export class KeyStore {
  #records = new Records();
  #revision = 0;
  #undo: (() => void)[] | null = null;
  #changesTotal = 0;
  readonly #listener: ChangeListener | null;
  readonly #fields = emptyFields();
  #scratch = new Uint8Array(256);
  /** The replicated time: keys that end now or earlier are gone. Only rises. [K7] */
  time = 0;

  constructor(listener: ChangeListener | null) {
    this.#listener = listener;
  }

  get records(): Records {
    return this.#records;
  }

  get bytes(): number {
    return this.#records.bytes;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Rises with every change, also one that is undone later. */
  get changesTotal(): number {
    return this.#changesTotal;
  }

  /** Keys that exist: those whose end has come do not, removed or not. [K8] */
  get count(): number {
    const { size, ends } = this.#records;
    const first = ends.first();
    if (first === null || first.expiresAt > this.time) return size;
    return size - ends.countDue(this.time);
  }

  /** When the next key ends; null when none does. May have passed. */
  get nextEnd(): number | null {
    return this.#records.ends.first()?.expiresAt ?? null;
  }

  /** The record of a key that exists at the replicated time. */
  find(key: ByteString): KeyRecord | undefined {
    const address = this.#addressOf(key);
    return address === NO_ADDRESS ? undefined : this.#records.recordAt(address);
  }

  /** The same without the value: for whoever does not need it. */
  look(key: ByteString): RecordFacts | undefined {
    const address = this.#addressOf(key);
    return address === NO_ADDRESS ? undefined : this.#records.factsAt(address);
  }

  /** The bytes `[start, end)` of the value, as far as it goes; empty where there is none. */
  slice(key: ByteString, start: number, end: number): ByteString {
    const address = this.#addressOf(key);
    return address === NO_ADDRESS ? '' : this.#records.sliceAt(address, start, end);
  }

  #addressOf(key: ByteString): Address {
    const address = this.#records.find(key);
    if (address === NO_ADDRESS) return NO_ADDRESS;
    const expiresAt = this.#records.expiresAt(address);
    return expiresAt !== 0 && expiresAt <= this.time ? NO_ADDRESS : address;
  }

  /** `expiresAt` 0: no end. An end that has passed is kept like any other: the key is gone at once. */
  put(key: ByteString, { value, kind }: StoredValue, revision: number, expiresAt = 0): void {
    const fields = this.#fields;
    const length = lengthsAndBytes(key.length, value.length);
    let bytes = this.#scratch;
    if (length > bytes.length) {
      bytes = new Uint8Array(length);
      if (length <= SCRATCH_BYTES_MAX) this.#scratch = bytes;
    }
    fields.bytes = bytes;
    fields.kind = kind;
    fields.revision = revision;
    fields.expiresAt = expiresAt;
    fields.lengthsStart = 0;
    fields.keyStart = writeVarint(bytes, 0, key.length);
    fields.keyEnd = writeByteString(bytes, fields.keyStart, key);
    fields.valueStart = writeVarint(bytes, fields.keyEnd, value.length);
    fields.valueEnd = writeByteString(bytes, fields.valueStart, value);
    this.putFields(fields);
  }

  /** The same from bytes wherever they are; they are copied. */
  putFields(fields: Readonly<RecordFields>): void {
    if (this.#undo !== null) this.#remember(fields.bytes, fields.keyStart, fields.keyEnd);
    this.#revision = fields.revision;
    this.#changesTotal++;
    this.#records.put(fields);
    this.#listener?.put(fields);
  }

  /** The value that is there once more, with another end; 0: without one. The key must be there. */
  putAgain(key: ByteString, revision: number, expiresAt: number): void {
    const fields = emptyFields();
    readRecord(this.#records.copyOf(this.#records.find(key)), 0, fields);
    fields.revision = revision;
    fields.expiresAt = expiresAt;
    this.putFields(fields);
  }

  remove(key: ByteString, revision: number, expired = false): void {
    const address = this.#records.find(key);
    if (address === NO_ADDRESS) return;
    const bytes = new Uint8Array(key.length);
    writeByteString(bytes, 0, key);
    if (this.#undo !== null) this.#remember(bytes, 0, bytes.length);
    this.#revision = revision;
    this.#changesTotal++;
    this.#records.remove(bytes, 0, bytes.length);
    this.#listener?.removed(key, revision, expired);
  }

  /** Removes at most `countMax` keys whose end has come, in the order of their ends. Returns how many. [K8] */
  removeDue(revision: number, countMax: number): number {
    let count = 0;
    while (count < countMax) {
      const first = this.#records.ends.first();
      if (first === null || first.expiresAt > this.time) break;
      this.remove(first.key, revision, true);
      count++;
    }
    return count;
  }

  flush(revision: number): void {
    const records = this.#records;
    this.#undo?.push(() => {
      this.#records = records;
    });
    this.#records = new Records();
    this.#revision = revision;
    this.#changesTotal++;
    this.#listener?.flushed(revision);
  }

  /** Runs `work`; when it returns false, everything that it changed is as it was. [K9] */
  atomically(work: () => boolean): boolean {
    const mark = this.#listener?.mark() ?? 0;
    const revision = this.#revision;
    const undo: (() => void)[] = [];
    this.#undo = undo;
    const keeps = work();
    this.#undo = null;
    if (keeps) return true;
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) step();
    this.#revision = revision;
    this.#listener?.takeBack(mark);
    return false;
  }

  /** Everything as it is now, after the entry `lastRevision`. See RecordsView. */
  view(lastRevision: number): RecordsView {
    return this.#records.view(lastRevision);
  }

  /** Takes over records that nobody else changes. */
  restore(records: Records, revision: number): void {
    this.#records = records;
    this.#revision = revision;
    this.#listener?.restored(revision);
  }

  /** How the key is now, for the way back. */
  #remember(bytes: Uint8Array, start: number, end: number): void {
    const address = this.#records.findBytes(bytes, start, end);
    if (address === NO_ADDRESS) {
      const key = bytes.slice(start, end);
      this.#undo?.push(() => this.#records.remove(key, 0, key.length));
      return;
    }
    const former = this.#records.copyOf(address);
    this.#undo?.push(() => {
      readRecord(former, 0, this.#fields);
      this.#records.put(this.#fields);
    });
  }
}
