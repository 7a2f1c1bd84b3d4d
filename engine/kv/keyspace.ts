// The replicated state machine: committed command entries in, results out; keys, values and client sessions.
// What it does depends on nothing but the entries, so that every node comes to the same state. [K1]
import type { ByteString, Command, CommandResult, Proposal, StoredValue } from '../protocol/command.ts';
import { ValueKind } from '../protocol/command.ts';
import { decodeProposal } from '../protocol/command-codec.ts';
import { DecodeError } from '../protocol/decode-error.ts';
import type { KeyRange } from '../protocol/json-line.ts';
import type { KeyspaceStatus } from '../protocol/node-status.ts';
import { addDecimals, isDecimal } from './decimal.ts';
import { KeyIndex } from './key-index.ts';
import type { KeyRecord, KeyspaceView, ScanPage } from './key-record.ts';
import { scanPage } from './scan.ts';
import { Sessions } from './sessions.ts';
import { createTree, type SortedTree } from './sorted-tree.ts';

export interface KeyspaceOptions {
  /** See SessionsOptions: the same on every node. */
  sessionsMax?: number;
  sessionBytesMax?: number;
  /** A page of a scan ends here even when its item limit is not reached. Bytes of keys and values. */
  scanBytesMax?: number;
}

const SESSIONS_MAX = 10_000;
const SESSION_BYTES_MAX = 64 * 1024 * 1024;
const SCAN_BYTES_MAX = 8 * 1024 * 1024;

/** Where an entry stands. */
interface Position {
  index: number;
  term: number;
}

export class Keyspace {
  /** All records in the order of their keys. */
  #records: SortedTree<KeyRecord> = createTree();
  /** The same records by key; after a restore only those that were asked for since, so that a restart is not held up. */
  #index = new KeyIndex<KeyRecord>();
  /** The mark of records that no view shares. */
  #owner: object = {};
  readonly #sessions: Sessions;
  readonly #scanBytesMax: number;
  #bytes = 0;
  #revision = 0;
  #lastApplied = 0;

  constructor(options: KeyspaceOptions = {}) {
    this.#sessions = new Sessions({
      countMax: options.sessionsMax ?? SESSIONS_MAX,
      bytesMax: options.sessionBytesMax ?? SESSION_BYTES_MAX,
    });
    this.#scanBytesMax = options.scanBytesMax ?? SCAN_BYTES_MAX;
  }

  /** Index of the last command entry applied; entries without a command do not count. */
  get lastApplied(): number {
    return this.#lastApplied;
  }

  /**
   * Applies the data of a committed command entry. Entries come in order, each once [C6]: anything else is a
   * programmer error and throws RangeError. Bytes that are no command fail, the same way on every node.
   */
  apply(index: number, term: number, data: Uint8Array): CommandResult {
    if (index <= this.#lastApplied) throw new RangeError(`entry ${index} after ${this.#lastApplied}`);
    this.#lastApplied = index;
    let proposal: Proposal;
    try {
      proposal = decodeProposal(data);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return failed({ index, term }, `the entry holds no command: ${error.message}`);
    }
    const { command, session } = proposal;
    if (session === null) return this.#execute({ index, term }, command);

    const known = this.#sessions.find(session.client);
    if (known !== null && session.sequence === known.sequence) {
      this.#sessions.remember(known); // in use, so not the next to be forgotten
      return known.result; // [X1]
    }
    if (known !== null && session.sequence < known.sequence) {
      return staleSequence({ index, term }, session.sequence, known.sequence); // [X2]
    }
    const result = this.#execute({ index, term }, command);
    this.#sessions.remember({ client: session.client, sequence: session.sequence, result });
    return result;
  }

  /** To be read at once: the record changes with the next entry that writes the key. */
  get(key: ByteString): Readonly<KeyRecord> | null {
    return this.#find(key) ?? null;
  }

  /** One page. The range's limit is the caller's to bound; the page's bytes are bounded here. */
  scan(range: KeyRange): ScanPage {
    return scanPage(this.#records, range, this.#scanBytesMax);
  }

  status(): KeyspaceStatus {
    return { keys: this.#records.size, bytes: this.#bytes, revision: this.#revision };
  }

  /** Clients whose last write is remembered. */
  get sessionCount(): number {
    return this.#sessions.count;
  }

  /** The state as of now, untouched by later entries. Costs a copy of the list of sessions, nothing per key. [K6] */
  view(): KeyspaceView {
    this.#owner = {}; // From now on every record is shared.
    return {
      records: this.#records.clone(),
      bytes: this.#bytes,
      revision: this.#revision,
      lastApplied: this.#lastApplied,
      sessions: this.#sessions.toArray(),
    };
  }

  /** Replaces the whole state, for instance by what a KeyspaceRestorer read. */
  restore(view: KeyspaceView): void {
    this.#owner = {};
    this.#records = view.records.clone();
    this.#index = new KeyIndex();
    this.#bytes = view.bytes;
    this.#revision = view.revision;
    this.#lastApplied = view.lastApplied;
    this.#sessions.restore(view.sessions);
  }

  #execute(at: Position, command: Command): CommandResult {
    const { index, term } = at;
    switch (command.type) {
      case 'set':
        this.#put(command.key, command, index);
        return { type: 'set', index, term, revision: index };
      case 'delete':
        return this.#delete(at, command.key);
      case 'bulkSet':
        // One entry, and nothing below can fail: all or nothing. [K2]
        for (const item of command.items) this.#put(item.key, item, index);
        return { type: 'bulkSet', index, term, count: command.items.length, revision: index };
      case 'incr':
        return this.#increment(at, command.key, command.by);
      case 'cas':
        return this.#compareAndSet(at, command);
    }
  }

  #find(key: ByteString): KeyRecord | undefined {
    const known = this.#index.get(key);
    if (known !== undefined || this.#index.size === this.#records.size) return known;
    const record = this.#records.get(key);
    if (record !== undefined) this.#index.set(key, record);
    return record;
  }

  #put(key: ByteString, { value, kind }: StoredValue, revision: number): void {
    this.#revision = revision;
    const before = this.#find(key);
    this.#bytes += value.length - (before === undefined ? -key.length : before.value.length);
    if (before !== undefined && before.owner === this.#owner) {
      before.value = value;
      before.kind = kind;
      before.revision = revision;
      return;
    }
    const record = { value, kind, revision, owner: this.#owner };
    this.#index.set(key, record);
    this.#records.set(key, record);
  }

  #delete({ index, term }: Position, key: ByteString): CommandResult {
    const before = this.#find(key);
    if (before === undefined) return { type: 'delete', index, term, existed: false, revision: 0 };
    this.#records.delete(key);
    this.#index.delete(key);
    this.#bytes -= key.length + before.value.length;
    this.#revision = index;
    return { type: 'delete', index, term, existed: true, revision: index };
  }

  #increment(at: Position, key: ByteString, by: string): CommandResult {
    const before = this.#find(key);
    const current = before?.value ?? '0';
    if (!isDecimal(current)) return failed(at, 'the value is not a whole number of 64 bits');
    if (!isDecimal(by)) return failed(at, 'the increment is not a whole number of 64 bits');
    const value = addDecimals(current, by);
    if (value === null) return failed(at, 'the sum does not fit 64 bits'); // [K4]
    // A number stays what it was, text or JSON; one that begins here is a JSON number.
    this.#put(key, { value, kind: before?.kind ?? ValueKind.json }, at.index);
    return { type: 'incr', index: at.index, term: at.term, value, revision: at.index };
  }

  #compareAndSet({ index, term }: Position, command: Extract<Command, { type: 'cas' }>): CommandResult {
    const before = this.#find(command.key);
    if (!matches(before, command.expected)) {
      const current = before === undefined ? null : { value: before.value, kind: before.kind };
      return { type: 'cas', index, term, swapped: false, current, revision: before?.revision ?? 0 };
    }
    const { value, kind } = command;
    this.#put(command.key, command, index);
    return { type: 'cas', index, term, swapped: true, current: { value, kind }, revision: index };
  }
}

/** Text `"5"` and the JSON number 5 are different values. [K5] */
function matches(record: KeyRecord | undefined, expected: StoredValue | null): boolean {
  if (record === undefined || expected === null) return record === undefined && expected === null;
  return record.value === expected.value && record.kind === expected.kind;
}

function failed({ index, term }: Position, message: string): CommandResult {
  return { type: 'failed', index, term, code: 'INVALID_ARGUMENT', message };
}

/** The reply to that earlier write is forgotten, if it ever came: this attempt did nothing, and an earlier one may have. */
function staleSequence({ index, term }: Position, sequence: number, last: number): CommandResult {
  const message = `seq ${sequence} of this client is lower than its last, ${last}; nothing was applied now`;
  return { type: 'failed', index, term, code: 'INVALID_ARGUMENT', message, outcome: 'unknown' };
}
