// The client library's surface: one object for one cluster, however many nodes it has. Finds the leader,
// follows redirects, repeats what is safe to repeat, and says of every failure whether it is definite.
//
// Calls that run at the same time have no order among each other: await the first to order two of them.
import { randomUUID } from 'node:crypto';
import {
  type ClientCommand,
  type ClientValue,
  encodeRequest,
  type ReplyItem,
  type ReplyValue,
} from '../protocol/json-client.ts';
import type {
  ExpireCommand,
  ExpiryOptions,
  SetOptions,
  TransactionRequest,
} from '../protocol/json-client-operation.ts';
import type { TransactionResult } from '../protocol/json-client-result.ts';
import type { Consistency } from '../protocol/json-line.ts';
import { refusedLocally, type WriteSession } from './client-error.ts';
import { Dispatcher } from './dispatcher.ts';
import { createMembers, type Members } from './members.ts';
import { splitAddress } from './node-link.ts';
import type { Effect, Receipt, Settled, Target } from './operation.ts';
import { isUuid, SessionLanes } from './session-lanes.ts';
import { type Watch, type WatchHost, type WatchOptions, WatchStream } from './watch.ts';

export interface ClientOptions {
  /** Client ports of some or all nodes, as `host:port`. The others are learnt from these. */
  addresses: readonly string[];
  /**
   * A UUID; drawn at random when absent. Only one client may use an id at a time, and one that takes an old
   * id up again needs a `firstSequence` above every sequence used before.
   */
  clientId?: string | undefined;
  /** 1 when absent. */
  firstSequence?: number | undefined;
  /** How long a call may take, all attempts together, in milliseconds. 5,000 when absent; each call may set its own. */
  deadlineMs?: number | undefined;
  /** Calls that may be pending; beyond it they reject with `BUSY`. 65,536 when absent. */
  pendingMax?: number | undefined;
  /** Characters of requests that may be pending. 64 Mi when absent; one larger request alone is let through. */
  pendingBytesMax?: number | undefined;
  /** Writes in flight at a time, each with a session of its own on the servers; the rest wait their turn. 256 when absent. */
  writesInFlightMax?: number | undefined;
  /** False: writes carry no session, and one whose reply is lost is unknown instead of being repeated. True when absent. */
  sessions?: boolean | undefined;
  /** After this silence of the leader the other nodes are asked whether they have a new one. 250 ms when absent. */
  suspectAfterMs?: number | undefined;
  /** 1,000 ms when absent. */
  connectTimeoutMs?: number | undefined;
  /** Of the cluster's client ports, when they ask for one. */
  password?: string | undefined;
  /** From 0 to below 1; spreads retries. `Math.random` when absent. */
  random?: (() => number) | undefined;
}

export interface CallOptions {
  deadlineMs?: number | undefined;
}

export interface ReadOptions extends CallOptions {
  /** `linearizable` (default) reads what was last acknowledged; `stale` is answered by any node at once. */
  consistency?: Consistency | undefined;
}

export interface WriteOptions extends CallOptions {
  /** The write's own identity, to repeat it after a restart of the caller. Drawn by the client when absent. */
  session?: WriteSession | undefined;
}

export interface ScanOptions extends ReadOptions {
  prefix?: string | undefined;
  /** First key, inclusive. */
  start?: string | undefined;
  /** Last key, exclusive. */
  end?: string | undefined;
  /** Items in a page. */
  limit?: number | undefined;
  /** Where a page before this one ended. */
  cursor?: string | undefined;
}

export type BulkItem = readonly [key: string, value: ClientValue, expiry?: ExpiryOptions | undefined];

/** What a node says of itself: the members of `StatusReply` in protocol/json-reply.ts, unchecked. */
export type StatusFields = Readonly<Record<string, unknown>>;

interface WithReceipt {
  receipt: Receipt;
}

export interface Client {
  /** `written` false: `onlyIf` did not hold. `previous`: the value before, when `returnPrevious` asked for it. */
  set(
    key: string,
    value: ClientValue,
    options?: WriteOptions & SetOptions,
  ): Promise<WithReceipt & { written: boolean; previous: ReplyValue; revision: number | null }>;
  /** `found` false: there is no such key, and `value` is null. */
  get(
    key: string,
    options?: ReadOptions,
  ): Promise<WithReceipt & { found: boolean; value: ReplyValue; revision: number | null }>;
  delete(key: string, options?: WriteOptions): Promise<WithReceipt & { existed: boolean }>;
  /** All or nothing. A later item with the same key wins. */
  bulkSet(items: Iterable<BulkItem>, options?: WriteOptions): Promise<WithReceipt & { count: number }>;
  /** A missing key counts as 0. Values are signed 64-bit integers. */
  incr(key: string, by?: number | bigint, options?: WriteOptions): Promise<WithReceipt & { value: bigint }>;
  /** Sets the key if it has the value `expected`; `expected` null: if there is no such key. */
  cas(
    key: string,
    expected: ClientValue,
    value: ClientValue,
    options?: WriteOptions,
  ): Promise<WithReceipt & { swapped: boolean; current: ReplyValue }>;
  /** How long a key has left: null without an end. */
  ttl(
    key: string,
    options?: ReadOptions,
  ): Promise<WithReceipt & { exists: boolean; ttlMs: number | null; expiresAt: number | null }>;
  /** Gives a key an end, a number of milliseconds from now or a moment. `changed` false: no such key, or `onlyIf`. */
  expire(
    key: string,
    end: number | { expiresAt: number },
    options?: WriteOptions & Pick<ExpireCommand, 'onlyIf'>,
  ): Promise<WithReceipt & { changed: boolean }>;
  /** Takes a key's end away. */
  persist(key: string, options?: WriteOptions): Promise<WithReceipt & { changed: boolean }>;
  /** Conditions, then one list of operations or the other, in one entry of the log. */
  txn(
    request: TransactionRequest,
    options?: WriteOptions,
  ): Promise<WithReceipt & { succeeded: boolean; results: readonly TransactionResult[] }>;
  /** Every change of some keys, in order, from any node; goes on by itself when a node is lost. */
  watch(options?: WatchOptions): Watch;
  /** One page in key order; `cursor` null: it was the last. */
  scanPage(
    options?: ScanOptions,
  ): Promise<WithReceipt & { items: readonly ReplyItem[]; cursor: string | null }>;
  /** All pages in turn. Each page is read at its own moment. */
  scan(options?: ScanOptions): AsyncGenerator<ReplyItem, void, undefined>;
  /** Of the node at this address, or of any that answers. Fails at once when that node cannot be reached. */
  status(
    options?: CallOptions & { address?: string | undefined },
  ): Promise<WithReceipt & { status: StatusFields }>;
  /** Who is in the cluster, and who shall be. */
  readonly members: Members;
  ping(options?: CallOptions & { address?: string | undefined }): Promise<WithReceipt>;
  /** Rejects what is pending with `CLOSED` and drops the connections. */
  close(): void;
}

const DEADLINE_MS = 5_000;
const REPLY_CHARS_MAX = 256 * 1024 * 1024;

/** Throws a TypeError for options that make no sense. Connects when it is first used. */
export function createClient(options: ClientOptions): Client {
  return new ClusterClient(options);
}

class ClusterClient implements Client {
  readonly #dispatcher: Dispatcher;
  readonly #deadlineMs: number;
  readonly #writeEffect: Effect;
  readonly #watches = new Set<WatchStream>();
  readonly #watchHost: WatchHost;
  #isClosed = false;

  constructor(options: ClientOptions) {
    if (options.addresses.length === 0)
      throw new TypeError('a client needs the address of at least one node');
    for (const address of options.addresses) splitAddress(address);
    const clientId = options.clientId ?? randomUUID();
    if (!isUuid(clientId)) throw new TypeError(`"${clientId}" is no UUID`);
    this.#deadlineMs = options.deadlineMs ?? DEADLINE_MS;
    this.#writeEffect = options.sessions === false ? 'plainWrite' : 'sessionWrite';
    const link = {
      connectTimeoutMs: options.connectTimeoutMs ?? 1_000,
      replyCharsMax: REPLY_CHARS_MAX,
      password: options.password ?? null,
    };
    const random = options.random ?? Math.random;
    this.#watchHost = {
      ...link,
      random,
      addresses: () => this.#dispatcher.finder.addressesByUse(),
      closed: (watch) => void this.#watches.delete(watch),
    };
    this.#dispatcher = new Dispatcher({
      addresses: options.addresses,
      lanes: new SessionLanes({
        clientId,
        firstSequence: options.firstSequence ?? 1,
        lanesMax: options.writesInFlightMax ?? 256,
      }),
      pendingMax: options.pendingMax ?? 65_536,
      pendingBytesMax: options.pendingBytesMax ?? 64 * 1024 * 1024,
      suspectAfterMs: options.suspectAfterMs ?? 250,
      random,
      link,
    });
  }

  async set(key: string, value: ClientValue, options: WriteOptions & SetOptions = {}) {
    const { deadlineMs, session, ...how } = options;
    const command = { command: 'set', key, value, ...how } as const;
    const { reply, receipt } = await this.#write(command, { deadlineMs, session });
    const { success, value: previous, revision } = reply;
    return { written: success !== false, previous, revision, receipt };
  }

  async get(key: string, options?: ReadOptions) {
    const { reply, receipt } = await this.#read({ command: 'get', key }, options);
    return { found: reply.revision !== null, value: reply.value, revision: reply.revision, receipt };
  }

  async delete(key: string, options?: WriteOptions) {
    const { reply, receipt } = await this.#write({ command: 'delete', key }, options);
    return { existed: reply.success === true, receipt };
  }

  async bulkSet(items: Iterable<BulkItem>, options?: WriteOptions) {
    const pairs = Array.from(items, ([key, value, expiry]) => ({ key, value, ...expiry }));
    const { reply, receipt } = await this.#write({ command: 'bulk_set', items: pairs }, options);
    return { count: reply.count ?? pairs.length, receipt };
  }

  async incr(key: string, by: number | bigint = 1, options?: WriteOptions) {
    const { reply, receipt } = await this.#write({ command: 'incr', key, by }, options);
    return { value: BigInt(reply.value as number | bigint), receipt };
  }

  async cas(key: string, expected: ClientValue, value: ClientValue, options?: WriteOptions) {
    const { reply, receipt } = await this.#write({ command: 'cas', key, expected, value }, options);
    return { swapped: reply.success === true, current: reply.value, receipt };
  }

  async ttl(key: string, options?: ReadOptions) {
    const { reply, receipt } = await this.#read({ command: 'ttl', key }, options);
    const { exists, ttl_ms: ttlMs, expires_at: expiresAt } = reply.fields;
    return {
      exists: exists === true,
      ttlMs: typeof ttlMs === 'number' ? ttlMs : null,
      expiresAt: typeof expiresAt === 'number' ? expiresAt : null,
      receipt,
    };
  }

  async expire(
    key: string,
    end: number | { expiresAt: number },
    options: WriteOptions & Pick<ExpireCommand, 'onlyIf'> = {},
  ) {
    const when = typeof end === 'number' ? { ttlMs: end } : end;
    const command = { command: 'expire', key, onlyIf: options.onlyIf, ...when } as const;
    const { reply, receipt } = await this.#write(command, options);
    return { changed: reply.success === true, receipt };
  }

  async persist(key: string, options?: WriteOptions) {
    const { reply, receipt } = await this.#write({ command: 'persist', key }, options);
    return { changed: reply.success === true, receipt };
  }

  async txn(request: TransactionRequest, options?: WriteOptions) {
    const { reply, receipt } = await this.#write({ command: 'txn', ...request }, options);
    return { succeeded: reply.fields.succeeded === true, results: reply.results ?? [], receipt };
  }

  watch(options: WatchOptions = {}): Watch {
    if (this.#isClosed) throw refusedLocally('CLOSED', 'this client is closed');
    const watch = new WatchStream(this.#watchHost, options);
    this.#watches.add(watch);
    return watch;
  }

  async scanPage(options: ScanOptions = {}) {
    const { deadlineMs: _own, ...range } = options;
    const { reply, receipt } = await this.#read({ command: 'scan', ...range }, options);
    return { items: reply.items ?? [], cursor: reply.cursor, receipt };
  }

  async *scan(options: ScanOptions = {}): AsyncGenerator<ReplyItem, void, undefined> {
    let cursor: string | null | undefined = options.cursor;
    do {
      const page: { items: readonly ReplyItem[]; cursor: string | null } = await this.scanPage({
        ...options,
        cursor: cursor ?? undefined,
      });
      yield* page.items;
      cursor = page.cursor;
    } while (cursor !== null);
  }

  async status(options: CallOptions & { address?: string | undefined } = {}) {
    const { reply, receipt } = await this.#ask({ command: 'status' }, options);
    return { status: reply.fields, receipt };
  }

  async ping(options: CallOptions & { address?: string | undefined } = {}) {
    const { receipt } = await this.#ask({ command: 'ping' }, options);
    return { receipt };
  }

  readonly members = createMembers((command, { address, deadlineMs }) => {
    const isList = command.command === 'member_list';
    return this.#submit(command, {
      // A change is no write with a session: repeated, it could be refused for having been done.
      effect: isList ? 'read' : 'plainWrite',
      target: address === undefined ? 'leader' : this.#dispatcher.finder.link(address),
      deadlineMs,
      session: null,
    });
  });

  close(): void {
    this.#isClosed = true;
    this.#dispatcher.close();
    for (const watch of this.#watches) watch.close();
  }

  #write(request: ClientCommand, options: WriteOptions = {}): Promise<Settled> {
    const session = options.session ?? null;
    if (
      session !== null &&
      (!isUuid(session.client) || !Number.isSafeInteger(session.seq) || session.seq < 1)
    ) {
      return Promise.reject(refusedLocally('INVALID_ARGUMENT', 'a session is a UUID and a positive integer'));
    }
    return this.#submit(request, {
      effect: session === null ? this.#writeEffect : 'sessionWrite',
      target: 'leader',
      deadlineMs: options.deadlineMs,
      session,
    });
  }

  #read(
    request: Extract<ClientCommand, { consistency?: unknown }>,
    { consistency, deadlineMs }: ReadOptions = {},
  ): Promise<Settled> {
    return this.#submit(consistency === undefined ? request : { ...request, consistency }, {
      effect: 'read',
      target: consistency === 'stale' ? 'any' : 'leader',
      deadlineMs,
      session: null,
    });
  }

  #ask(request: ClientCommand, { address, deadlineMs }: CallOptions & { address?: string | undefined }) {
    const target = address === undefined ? 'any' : this.#dispatcher.finder.link(address);
    return this.#submit(request, { effect: 'read', target, deadlineMs, session: null });
  }

  #submit(
    request: ClientCommand,
    how: { effect: Effect; target: Target; deadlineMs: number | undefined; session: WriteSession | null },
  ): Promise<Settled> {
    return this.#dispatcher.submit({
      // The line end is the link's to add, and the session may still come.
      line: encodeRequest(request).slice(0, -1),
      effect: how.effect,
      target: how.target,
      deadlineMs: how.deadlineMs ?? this.#deadlineMs,
      session: how.session,
    });
  }
}
