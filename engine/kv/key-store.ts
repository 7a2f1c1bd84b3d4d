// The records of a keyspace and everything that is derived from them: the order of the keys, the way to one key,
// the order of their ends, sizes. Every change goes through here, can be undone while a transaction runs, and is
// told to whoever keeps a history. Knows no commands.
import type { ByteString, StoredValue } from '../protocol/command.ts';
import { ExpiryOrder } from './expiry-order.ts';
import { KeyIndex } from './key-index.ts';
import type { KeyRecord, ViewPass } from './key-record.ts';
import { createTree, type SortedTree } from './sorted-tree.ts';

/** Hears of every change of an applied entry, in order. What an entry undoes is taken back before the next one. */
export interface ChangeListener {
  put(key: ByteString, record: Readonly<KeyRecord>): void;
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

/** What a view takes along. */
export interface StoreView {
  pass: ViewPass | null;
  records: SortedTree<KeyRecord>;
  expiring: number;
  bytes: number;
  revision: number;
}

/** In one row for all stores: what one restores from another's view is older than all that it writes. */
let generations = 0;

function nextGeneration(): number {
  generations++;
  return generations;
}

export class KeyStore {
  /** All records in the order of their keys. */
  #records: SortedTree<KeyRecord> = createTree();
  /** The same records by key; after a restore only those that were asked for since, so that a restart is not held up. */
  #index = new KeyIndex<KeyRecord>();
  #ends = new ExpiryOrder();
  /** Of what is written now. Rises with every view. */
  #generation = nextGeneration();
  /** Up to this generation, records are shared with lasting views: a write puts another record in their place. */
  #sharedGeneration = 0;
  /** The view that is being passed through. Later records are its own copy; those that it has not come to keep what they were. */
  #pass: ViewPass | null = null;
  #bytes = 0;
  #revision = 0;
  #undo: (() => void)[] | null = null;
  #changesTotal = 0;
  readonly #listener: ChangeListener | null;
  /** The replicated time: keys that end now or earlier are gone. Only rises. [K7] */
  time = 0;

  constructor(listener: ChangeListener | null) {
    this.#listener = listener;
  }

  get records(): SortedTree<KeyRecord> {
    return this.#records;
  }

  get bytes(): number {
    return this.#bytes;
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
    const first = this.#ends.first();
    if (first === null || first.expiresAt > this.time) return this.#records.size;
    return this.#records.size - this.#ends.countDue(this.time);
  }

  /** When the next key ends; null when none does. May have passed. */
  get nextEnd(): number | null {
    return this.#ends.first()?.expiresAt ?? null;
  }

  /** The record of a key that exists at the replicated time. */
  find(key: ByteString): KeyRecord | undefined {
    const record = this.#lookUp(key);
    if (record?.expiresAt !== undefined && record.expiresAt <= this.time) return undefined;
    return record;
  }

  #lookUp(key: ByteString): KeyRecord | undefined {
    const known = this.#index.get(key);
    if (known !== undefined || this.#index.size === this.#records.size) return known;
    const record = this.#records.get(key);
    if (record !== undefined) this.#index.set(key, record);
    return record;
  }

  /** `expiresAt` 0: no end. An end that has passed is kept like any other: the key is gone at once. */
  put(key: ByteString, { value, kind }: StoredValue, revision: number, expiresAt = 0): void {
    const before = this.#lookUp(key);
    if (this.#undo !== null) this.#rememberPut(key, before);
    this.#revision = revision;
    this.#changesTotal++;
    if (expiresAt === 0 && before !== undefined && before.generation > this.#sharedGeneration) {
      if (before.expiresAt === undefined) {
        this.#keepForPass(key, before);
        this.#bytes += value.length - before.value.length;
        before.value = value;
        before.kind = kind;
        before.revision = revision;
        before.generation = this.#generation;
        this.#listener?.put(key, before);
        return;
      }
    }
    const plain = { value, kind, revision, generation: this.#generation, former: null };
    const record: KeyRecord = expiresAt === 0 ? plain : { ...plain, expiresAt };
    this.#place(key, before, record);
    this.#listener?.put(key, record);
  }

  remove(key: ByteString, revision: number, expired = false): void {
    const before = this.#lookUp(key);
    if (before === undefined) return;
    if (this.#undo !== null) this.#rememberPut(key, before);
    this.#revision = revision;
    this.#changesTotal++;
    this.#place(key, before, undefined);
    this.#listener?.removed(key, revision, expired);
  }

  /** Removes at most `countMax` keys whose end has come, in the order of their ends. Returns how many. [K8] */
  removeDue(revision: number, countMax: number): number {
    let count = 0;
    while (count < countMax) {
      const first = this.#ends.first();
      if (first === null || first.expiresAt > this.time) break;
      this.remove(first.key, revision, true);
      count++;
    }
    return count;
  }

  flush(revision: number): void {
    const [records, index, ends, bytes] = [this.#records, this.#index, this.#ends, this.#bytes];
    this.#undo?.push(() => {
      this.#records = records;
      this.#index = index;
      this.#ends = ends;
      this.#bytes = bytes;
    });
    this.#records = createTree();
    this.#index = new KeyIndex();
    this.#ends = new ExpiryOrder();
    this.#bytes = 0;
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

  /** Everything as it is now, for as long as anybody likes. */
  view(): StoreView {
    const view = this.#viewWith(null);
    this.#sharedGeneration = this.#generation;
    this.#generation = nextGeneration();
    return view;
  }

  /**
   * Everything as it is now, to be read once in the order of the keys, and then to be released. Writes meanwhile cost
   * no way down the tree and no new nodes: what the reader has not passed keeps its former value. While there is one
   * such view, another one is a lasting one.
   */
  passingView(): StoreView {
    if (this.#pass !== null) return this.view();
    this.#pass = { generation: this.#generation, cursor: null };
    this.#generation = nextGeneration();
    return this.#viewWith(this.#pass);
  }

  /** The view has been read, or nobody will. */
  release(pass: ViewPass | null): void {
    if (this.#pass === pass) this.#pass = null;
  }

  #viewWith(pass: ViewPass | null): StoreView {
    return {
      pass,
      records: this.#records.clone(),
      expiring: this.#ends.size,
      bytes: this.#bytes,
      revision: this.#revision,
    };
  }

  #keepForPass(key: ByteString, record: KeyRecord): void {
    const pass = this.#pass;
    if (pass === null || record.generation > pass.generation) return;
    if (pass.cursor !== null && key <= pass.cursor) return;
    const { value, kind, revision } = record;
    record.former = { value, kind, revision };
  }

  restore({ records, expiring, bytes, revision }: StoreView): void {
    // Whoever made the records may go on using them.
    this.#sharedGeneration = nextGeneration();
    this.#generation = nextGeneration();
    this.#records = records.clone();
    this.#index = new KeyIndex();
    this.#ends = new ExpiryOrder();
    if (expiring > 0) {
      for (const [key, { expiresAt }] of this.#records.entries(undefined, [])) {
        if (expiresAt !== undefined) this.#ends.add(key, expiresAt);
      }
    }
    this.#bytes = bytes;
    this.#revision = revision;
    this.#listener?.restored(revision);
  }

  #rememberPut(key: ByteString, before: KeyRecord | undefined): void {
    // Copied: the record itself may change in place.
    const copy = before === undefined ? undefined : { ...before };
    this.#undo?.push(() => this.#place(key, this.#lookUp(key), copy));
  }

  /** Puts a record in the place of another one, or of none. */
  #place(key: ByteString, before: KeyRecord | undefined, record: KeyRecord | undefined): void {
    if (before !== undefined) {
      this.#bytes -= key.length + before.value.length;
      if (before.expiresAt !== undefined) this.#ends.delete(key, before.expiresAt);
    }
    if (record === undefined) {
      this.#records.delete(key);
      this.#index.delete(key);
      return;
    }
    this.#bytes += key.length + record.value.length;
    if (record.expiresAt !== undefined) this.#ends.add(key, record.expiresAt);
    this.#index.set(key, record);
    this.#records.set(key, record);
  }
}
