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
import type { Consistency } from '../protocol/json-line.ts';
import { refusedLocally, type WriteSession } from './client-error.ts';
import { Dispatcher } from './dispatcher.ts';
import { createMembers, type Members } from './members.ts';
import { splitAddress } from './node-link.ts';
import type { Effect, Receipt, Settled, Target } from './operation.ts';
import { isUuid, SessionLanes } from './session-lanes.ts';

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

export type BulkItem = readonly [key: string, value: ClientValue];

/** What a node says of itself: the members of `StatusReply` in protocol/json-reply.ts, unchecked. */
export type StatusFields = Readonly<Record<string, unknown>>;

interface WithReceipt {
  receipt: Receipt;
}

export interface Client {
  set(
    key: string,
    value: ClientValue,
    options?: WriteOptions,
  ): Promise<WithReceipt & { revision: number | null }>;
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

  constructor(options: ClientOptions) {
    if (options.addresses.length === 0)
      throw new TypeError('a client needs the address of at least one node');
    for (const address of options.addresses) splitAddress(address);
    const clientId = options.clientId ?? randomUUID();
    if (!isUuid(clientId)) throw new TypeError(`"${clientId}" is no UUID`);
    this.#deadlineMs = options.deadlineMs ?? DEADLINE_MS;
    this.#writeEffect = options.sessions === false ? 'plainWrite' : 'sessionWrite';
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
      random: options.random ?? Math.random,
      link: { connectTimeoutMs: options.connectTimeoutMs ?? 1_000, replyCharsMax: REPLY_CHARS_MAX },
    });
  }

  async set(key: string, value: ClientValue, options?: WriteOptions) {
    const { reply, receipt } = await this.#write({ command: 'set', key, value }, options);
    return { revision: reply.revision, receipt };
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
    const pairs = Array.from(items, ([key, value]) => ({ key, value }));
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
    this.#dispatcher.close();
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
