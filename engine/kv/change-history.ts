// The latest changes of a keyspace in the order of the log, for those who watch keys: bounded in bytes, the same
// on every node as far back as it goes. Part of no snapshot: a node that was restored from one begins anew.
import { type ByteString, type StoredValue, ValueKind } from '../protocol/command.ts';
import type { KeyRecord } from './key-record.ts';
import type { ChangeListener } from './key-store.ts';

/** `flush`: every key is gone. Several changes may share a revision: those of one entry, in their order. */
export interface Change extends StoredValue {
  type: 'put' | 'delete' | 'flush';
  revision: number;
  /** Empty of a flush. Key, value and kind are there in any case, so that one change is one small object. */
  key: ByteString;
  /** Of a put: when the key ends; 0 for never. */
  expiresAt: number;
  /** Of a delete: the key's end had come. */
  expired: boolean;
}

const NONE = ValueKind.bytes;
/** In the place of a forgotten one, so that nothing of it stays in memory. */
const FORGOTTEN: Change = {
  type: 'flush',
  revision: 0,
  key: '',
  value: '',
  kind: NONE,
  expiresAt: 0,
  expired: false,
};
/** What a change is counted as, besides its key and value. */
const CHANGE_BYTES = 120;
/** How far over its bound it may grow before it is trimmed. */
const UNTRIMMED_FACTOR = 8;
/** The head of the list is cut off when it is so long, and most of the list. */
const CUT_LENGTH_MIN = 1024;

export class ChangeHistory implements ChangeListener {
  readonly #bytesMax: number;
  #changes: Change[] = [];
  /** Forgotten changes that the list still holds. */
  #head = 0;
  #bytes = 0;
  #toldTotal = 0;
  #lowestRevision = 1;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Every change of this revision and of later ones is here. */
  get lowestRevision(): number {
    return this.#lowestRevision;
  }

  /** Changes told so far: where the next one will stand. Positions only rise. */
  get end(): number {
    return this.#toldTotal;
  }

  put(key: ByteString, { value, kind, revision, expiresAt = 0 }: Readonly<KeyRecord>): void {
    this.#add({ type: 'put', revision, key, value, kind, expiresAt, expired: false });
  }

  removed(key: ByteString, revision: number, expired: boolean): void {
    this.#add({ type: 'delete', revision, key, value: '', kind: NONE, expiresAt: 0, expired });
  }

  flushed(revision: number): void {
    this.#add({ type: 'flush', revision, key: '', value: '', kind: NONE, expiresAt: 0, expired: false });
  }

  mark(): number {
    return this.#toldTotal;
  }

  takeBack(mark: number): void {
    while (this.#toldTotal > mark) {
      const change = this.#changes.pop();
      if (change === undefined) throw new RangeError('more is taken back than was told');
      this.#bytes -= bytesOf(change);
      this.#toldTotal--;
    }
  }

  restored(revision: number): void {
    this.#changes = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#lowestRevision = revision + 1;
  }

  /** The position of the first change of `revision` or later; null when some of it is forgotten. */
  positionOf(revision: number): number | null {
    if (revision < this.#lowestRevision) return null;
    let low = this.#head;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#changes[middle] as Change).revision < revision) low = middle + 1;
      else high = middle;
    }
    return this.#toldTotal - (this.#changes.length - low);
  }

  /** The change at a position below `end`; null when it is forgotten. */
  at(position: number): Change | null {
    const index = this.#changes.length - (this.#toldTotal - position);
    return index < this.#head ? null : (this.#changes[index] ?? null);
  }

  #add(change: Change): void {
    this.#changes.push(change);
    this.#toldTotal++;
    this.#bytes += bytesOf(change);
    // Nobody trims it: it stays bounded all the same.
    if (this.#bytes > UNTRIMMED_FACTOR * this.#bytesMax) this.#forget(change.revision);
  }

  /** Forgets what is beyond the bound, the oldest first. Between entries. */
  trim(): void {
    if (this.#bytes > this.#bytesMax) this.#forget(0);
  }

  /** Whole revisions only, and none of the entry that is being applied: it may take its changes back. */
  #forget(revision: number): void {
    let forgotten = 0;
    for (let at = this.#head; at < this.#changes.length; at++) {
      const change = this.#changes[at] as Change;
      if (change.revision === revision) break;
      if (this.#bytes <= this.#bytesMax && change.revision !== forgotten) break;
      forgotten = change.revision;
      this.#bytes -= bytesOf(change);
      this.#changes[at] = FORGOTTEN;
      this.#head++;
    }
    if (forgotten !== 0) this.#lowestRevision = forgotten + 1;
    if (this.#head >= CUT_LENGTH_MIN && this.#head * 2 > this.#changes.length) {
      this.#changes.splice(0, this.#head);
      this.#head = 0;
    }
  }
}

function bytesOf({ key, value }: Change): number {
  return CHANGE_BYTES + key.length + value.length;
}
