// The replicated state machine: committed command entries in, results out; keys, values and client sessions.
// What it does depends on nothing but the entries, so that every node comes to the same state. [K1]
import type {
  ByteString,
  ClientSequence,
  Command,
  CommandResult,
  OperationResult,
  Proposal,
  ReadOperation,
} from '../protocol/command.ts';
import { decodeProposal, type PlainWrite, readPlainItem, readPlainWrite } from '../protocol/command-codec.ts';
import { DecodeError } from '../protocol/decode-error.ts';
import type { KeyRange } from '../protocol/json-line.ts';
import type { KeyspaceStatus } from '../protocol/node-status.ts';
import { ChangeHistory } from './change-history.ts';
import type { KeyRecord, KeyspaceState, KeyspaceView, ScanPage } from './key-record.ts';
import { KeyStore } from './key-store.ts';
import { execute } from './operations.ts';
import { randomKey } from './random-key.ts';
import { executeRead } from './read-operations.ts';
import { emptyFields } from './record-bytes.ts';
import { Records } from './records.ts';
import { keysPage, scanPage } from './scan.ts';
import { Sessions } from './sessions.ts';
import { executeTransaction } from './transaction.ts';

export interface KeyspaceOptions {
  /** See SessionsOptions: the same on every node. */
  sessionsMax?: number;
  sessionBytesMax?: number;
  sessionIdleMs?: number;
  /** A page of a scan ends here even when its item limit is not reached. Bytes of keys and values. */
  scanBytesMax?: number;
  /** Bytes of changes kept for those who watch keys; none are kept when absent. */
  historyBytesMax?: number;
}

const SESSIONS_MAX = 10_000;
const SESSION_BYTES_MAX = 64 * 1024 * 1024;
const SESSION_IDLE_MS = 60 * 60 * 1000;
const SCAN_BYTES_MAX = 8 * 1024 * 1024;
/** Keys whose end has come that one entry removes: any entry a few, so that a crowd delays nobody. Part of what the log means. */
const REMOVED_BY_THE_WAY_MAX = 16;
const REMOVED_AT_ONCE_MAX = 1024;

/** Where an entry stands. */
interface Position {
  index: number;
  term: number;
}

export class Keyspace {
  /** What changed lately; null when nobody asked for it. */
  readonly history: ChangeHistory | null;
  readonly #store: KeyStore;
  readonly #sessions: Sessions;
  readonly #scanBytesMax: number;
  /** Places of the plain write that is being applied. */
  readonly #plain = { write: noWrite(), item: emptyFields() };
  #lastApplied = 0;

  constructor(options: KeyspaceOptions = {}) {
    const { historyBytesMax } = options;
    this.history = historyBytesMax === undefined ? null : new ChangeHistory(historyBytesMax);
    this.#store = new KeyStore(this.history);
    this.#sessions = new Sessions({
      countMax: options.sessionsMax ?? SESSIONS_MAX,
      bytesMax: options.sessionBytesMax ?? SESSION_BYTES_MAX,
      idleMsMax: options.sessionIdleMs ?? SESSION_IDLE_MS,
    });
    this.#scanBytesMax = options.scanBytesMax ?? SCAN_BYTES_MAX;
  }

  /** Index of the last command entry applied; entries without a command do not count. */
  get lastApplied(): number {
    return this.#lastApplied;
  }

  /** The replicated time: the latest that an applied entry carried, milliseconds since 1970; 0 before there was any. [K7] */
  get time(): number {
    return this.#store.time;
  }

  /** Index of the last entry that changed a key. */
  get revision(): number {
    return this.#store.revision;
  }

  /** When the next key ends, in replicated time; null when none does. In the past: an `advanceTime` is due. */
  get nextEnd(): number | null {
    return this.#store.nextEnd;
  }

  /**
   * Applies the data, `data[start, end)`, of a committed command entry. Entries come in order, each once [C6]:
   * anything else is a programmer error and throws RangeError. Bytes that are no command fail, the same way on
   * every node.
   */
  apply(index: number, term: number, data: Uint8Array, start = 0, end = data.length): CommandResult {
    if (index <= this.#lastApplied) throw new RangeError(`entry ${index} after ${this.#lastApplied}`);
    this.#lastApplied = index;
    if (readPlainWrite(data, start, end, this.#plain)) return this.#applyPlain({ index, term }, data, end);
    let proposal: Proposal;
    try {
      // On their own, so that an error tells the same place on every node.
      proposal = decodeProposal(data.subarray(start, end));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return failed({ index, term }, `the entry holds no command: ${error.message}`);
    }
    const { command, session, time } = proposal;
    if (time !== undefined) this.#passTime(time, index);
    const known = session === null ? null : this.#resultOf({ index, term }, session);
    if (known !== null) return known;
    const result = this.#execute({ index, term }, command);
    if (session !== null) this.#remember(session, result);
    return result;
  }

  /** Most entries: from their bytes into the store's, and nothing is made for them on the way. */
  #applyPlain({ index, term }: Position, data: Uint8Array, end: number): CommandResult {
    const { write, item } = this.#plain;
    const { command, time, session, count, itemsAt } = write;
    if (time !== 0) this.#passTime(time, index);
    const known = session === null ? null : this.#resultOf({ index, term }, session);
    if (known !== null) return known;
    item.revision = index;
    // Nothing below can fail: all or nothing. [K2]
    let at = itemsAt;
    for (let left = count; left > 0; left--) {
      at = readPlainItem(data, at, end, item);
      this.#store.putFields(item);
    }
    const result: CommandResult =
      command === 'set'
        ? { type: 'set', index, term, revision: index }
        : { type: 'bulkSet', index, term, count, revision: index };
    if (session !== null) this.#remember(session, result);
    return result;
  }

  /** Of a write that was applied before, or is too old to say; null: it is to be applied now. */
  #resultOf(at: Position, { client, sequence }: ClientSequence): CommandResult | null {
    const known = this.#sessions.find(client);
    if (known === null || sequence > known.sequence) return null;
    if (sequence < known.sequence) return staleSequence(at, sequence, known.sequence); // [X2]
    // In use, so not the next to be forgotten.
    this.#sessions.remember({ ...known, usedAt: this.#store.time });
    return known.result; // [X1]
  }

  #remember({ client, sequence }: ClientSequence, result: CommandResult): void {
    this.#sessions.remember({ client, sequence, result, usedAt: this.#store.time });
  }

  /** Time only rises, whatever the clock of a new leader says. [K7] */
  #passTime(time: number, index: number): void {
    const store = this.#store;
    if (time > store.time) {
      if (store.time === 0) this.#sessions.beginTime(time);
      store.time = time;
      this.#sessions.forgetIdle(time);
    }
    const end = store.nextEnd;
    if (end !== null && end <= store.time) store.removeDue(index, REMOVED_BY_THE_WAY_MAX);
  }

  get(key: ByteString): KeyRecord | null {
    return this.#store.find(key) ?? null;
  }

  /** One page. The range's limit is the caller's to bound; the page's bytes are bounded here. */
  scan(range: KeyRange): ScanPage {
    const { records, time } = this.#store;
    return scanPage(records, range, { bytesMax: this.#scanBytesMax, time });
  }

  /** As scan, of the keys alone. */
  keys(range: KeyRange): { keys: ByteString[]; next: ByteString | null } {
    const { records, time } = this.#store;
    return keysPage(records, range, { bytesMax: this.#scanBytesMax, time });
  }

  /** What the operation gives now, outside of the log. */
  read(operation: ReadOperation): OperationResult {
    return executeRead(this.#store, operation);
  }

  /** `random`: from 0 to below 1. Null when there is no key. Not for entries: each node would draw its own. */
  randomKey(random: () => number): ByteString | null {
    return randomKey(this.#store, random);
  }

  status(): KeyspaceStatus {
    const { count, bytes, revision } = this.#store;
    return { keys: count, bytes, revision };
  }

  /** Clients whose last write is remembered. */
  get sessionCount(): number {
    return this.#sessions.count;
  }

  /**
   * The state as of now, untouched by later entries: for dumpKeyspace, once, and then to be released. Costs a copy of
   * the list of sessions; a write meanwhile keeps the former record of a key that the dump has not come to. [K6]
   */
  view(): KeyspaceView {
    return {
      records: this.#store.view(this.#lastApplied),
      revision: this.#store.revision,
      lastApplied: this.#lastApplied,
      time: this.#store.time,
      sessions: this.#sessions.toArray(),
    };
  }

  /** Replaces the whole state, for instance by what a KeyspaceRestorer read. Nobody else may use it afterwards. */
  restore(state: KeyspaceState): void {
    this.#store.restore(state.records, state.revision);
    this.#store.time = state.time;
    this.#lastApplied = state.lastApplied;
    this.#sessions.restore(state.sessions);
  }

  /** Everything is as in a new keyspace. */
  reset(): void {
    this.restore({ records: new Records(), revision: 0, lastApplied: 0, time: 0, sessions: [] });
  }

  #execute(at: Position, command: Command): CommandResult {
    const { index, term } = at;
    switch (command.type) {
      case 'txn':
        return { index, term, ...executeTransaction(this.#store, index, command) };
      case 'advanceTime': {
        const count = this.#store.removeDue(index, REMOVED_AT_ONCE_MAX);
        return { type: 'count', index, term, count, revision: count === 0 ? 0 : index };
      }
      default:
        return { index, term, ...execute(this.#store, index, command) };
    }
  }
}

function noWrite(): PlainWrite {
  return { command: 'set', time: 0, session: null, count: 0, itemsAt: 0 };
}

function failed({ index, term }: Position, message: string): CommandResult {
  return { type: 'failed', index, term, code: 'INVALID_ARGUMENT', message };
}

/** The reply to that earlier write is forgotten, if it ever came: this attempt did nothing, and an earlier one may have. */
function staleSequence({ index, term }: Position, sequence: number, last: number): CommandResult {
  const message = `seq ${sequence} of this client is lower than its last, ${last}; nothing was applied now`;
  return { type: 'failed', index, term, code: 'INVALID_ARGUMENT', message, outcome: 'unknown' };
}
