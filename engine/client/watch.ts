// A watch as its user sees it: events one after the other, over one connection of its own to any node that
// follows a leader. When that node is gone, silent or without a leader, another one continues where it stopped.
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { ReplyValue } from '../protocol/json-client.ts';
import { replyKey, replyValue } from '../protocol/json-client-value.ts';
import { memberSource } from '../protocol/json-source.ts';
import { backoffMs } from './backoff.ts';
import { ClientError, type ClientErrorCode } from './client-error.ts';
import { splitAddress } from './node-link.ts';

export interface WatchEvent {
  /** `flush`: every key is gone. */
  type: 'put' | 'delete' | 'flush';
  /** Bytes only when the key is not UTF-8; empty of a flush. */
  key: string | Uint8Array;
  /** Null but of a put. */
  value: ReplyValue;
  /** Index of the entry that did it; several events may share one. */
  revision: number;
  /** Milliseconds since 1970; null for never. */
  expiresAt: number | null;
  /** Of a delete: the key's end had come. */
  expired: boolean;
  /** Another event of the same revision follows: to take a watch up again later, begin with this revision. */
  more: boolean;
}

export interface WatchOptions {
  /** Keys that begin with this; all of them when neither this nor `key` is given. */
  prefix?: string | undefined;
  key?: string | undefined;
  /** The first to be told. When absent, whatever comes after the watch has begun. */
  fromRevision?: number | undefined;
  /** Ends the watch. */
  signal?: AbortSignal | undefined;
}

/**
 * Iterate over it, once. The iteration ends with `close()`, and throws a ClientError with the code `COMPACTED` when
 * what it needs next is forgotten by the node: read the keys anew, and watch from there.
 */
export interface Watch extends AsyncIterableIterator<WatchEvent> {
  /** The first revision that is told, once a node has taken the watch. Rejects when the watch ends before. */
  readonly started: Promise<number>;
  /** Everything before this revision has arrived, and waits at most to be iterated over. Null before it has started. */
  readonly nextRevision: number | null;
  close(): void;
}

export interface WatchHost {
  /** Where to try, the best first. */
  addresses(): readonly string[];
  password: string | null;
  connectTimeoutMs: number;
  random: () => number;
  closed(watch: WatchStream): void;
}

const QUEUE_LENGTH_MAX = 4096;
/** A node sends a line every five seconds. */
const SILENCE_MS_MAX = 12_000;
const LEADERLESS_LINES_MAX = 2;
const RETRY = { baseMs: 10, maxMs: 1000 };
const LINE_CHARS_MAX = 256 * 1024 * 1024;

type Fields = Record<string, unknown>;
type Step = IteratorResult<WatchEvent, undefined>;

export class WatchStream implements Watch {
  readonly started: Promise<number>;
  readonly #host: WatchHost;
  readonly #options: WatchOptions;
  #begun: (revision: number) => void = () => {};
  #neverBegun: (error: ClientError) => void = () => {};
  #next: number | null;
  /** Events of the revision `#next` that were handed out already: the next node tells them again. */
  #toldOfNext = 0;
  #toSkip = 0;
  #socket: Socket | null = null;
  #partial: string[] = [];
  #partialChars = 0;
  #attempts = 0;
  #leaderlessLines = 0;
  #timer: NodeJS.Timeout | null = null;
  readonly #queue: WatchEvent[] = [];
  readonly #waiting: { resolve(step: Step): void; reject(error: unknown): void }[] = [];
  #end: ClientError | 'closed' | null = null;

  constructor(host: WatchHost, options: WatchOptions) {
    this.#host = host;
    this.#options = options;
    this.#next = options.fromRevision ?? null;
    this.started = new Promise((resolve, reject) => {
      this.#begun = resolve;
      this.#neverBegun = reject;
    });
    // Whoever does not ask for it must not be told of its failure as of an unhandled one.
    this.started.catch(() => {});
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (options.signal?.aborted === true) this.close();
    else this.#dial();
  }

  get nextRevision(): number | null {
    return this.#next;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    const event = this.#queue.shift();
    if (event !== undefined) {
      if (this.#queue.length === QUEUE_LENGTH_MAX / 2) this.#socket?.resume();
      return Promise.resolve({ done: false, value: event });
    }
    if (this.#end instanceof ClientError) {
      const error = this.#end;
      this.#end = 'closed';
      return Promise.reject(error);
    }
    if (this.#end !== null) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  return(): Promise<Step> {
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  close(): void {
    this.#queue.length = 0;
    this.#finish('closed');
  }

  readonly #onAbort = (): void => this.close();

  #finish(end: ClientError | 'closed'): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#hangUp();
    this.#neverBegun(end === 'closed' ? errorOf('CLOSED', 'the watch was closed') : end);
    for (const { resolve, reject } of this.#waiting.splice(0)) {
      if (end === 'closed') resolve({ done: true, value: undefined });
      else reject(end);
    }
    this.#host.closed(this);
  }

  #hangUp(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const socket = this.#socket;
    this.#socket = null;
    socket?.destroy();
    this.#partial = [];
    this.#partialChars = 0;
  }

  #dial(): void {
    const addresses = this.#host.addresses();
    const address = addresses[this.#attempts % Math.max(1, addresses.length)];
    if (address === undefined) {
      this.#again();
      return;
    }
    const { host, port } = splitAddress(address);
    const socket = connect({ host, port, noDelay: true });
    this.#socket = socket;
    this.#leaderlessLines = 0;
    this.#toSkip = this.#toldOfNext;
    socket.setEncoding('utf8');
    socket.setKeepAlive(true, 5000);
    this.#expectWithin(this.#host.connectTimeoutMs, socket);
    socket.on('connect', () => {
      const { password } = this.#host;
      if (password !== null) socket.write(`${JSON.stringify({ command: 'auth', id: 'auth', password })}\n`);
      const { prefix, key } = this.#options;
      const request = { command: 'watch', id: 'watch', prefix, key, from_revision: this.#next ?? undefined };
      socket.write(`${JSON.stringify(request)}\n`);
    });
    socket.on('data', (chunk: string) => {
      if (socket !== this.#socket) return;
      this.#expectWithin(SILENCE_MS_MAX, socket);
      this.#received(chunk);
    });
    const lost = (): void => {
      if (socket === this.#socket) this.#again();
    };
    socket.on('error', lost);
    socket.on('close', lost);
  }

  #expectWithin(limitMs: number, socket: Socket): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // A paused connection is silent because nobody takes its events.
      if (socket.isPaused()) this.#expectWithin(limitMs, socket);
      else if (socket === this.#socket) this.#again();
    }, limitMs);
  }

  #again(): void {
    this.#hangUp();
    if (this.#end !== null) return;
    const delayMs = backoffMs(this.#host.random, { attempt: this.#attempts++, ...RETRY });
    this.#timer = setTimeout(() => this.#dial(), delayMs);
  }

  #received(chunk: string): void {
    const lines = chunk.split('\n');
    const rest = lines.pop() ?? '';
    const socket = this.#socket;
    for (const line of lines) {
      this.#read(this.#partialChars === 0 ? line : this.#partial.join('') + line);
      this.#partial = [];
      this.#partialChars = 0;
      if (socket !== this.#socket) return;
    }
    if (rest !== '') this.#partial.push(rest);
    this.#partialChars += rest.length;
    if (this.#partialChars > LINE_CHARS_MAX) this.#again();
    if (this.#queue.length >= QUEUE_LENGTH_MAX) socket?.pause();
  }

  #read(line: string): void {
    let fields: Fields;
    try {
      fields = JSON.parse(line) as Fields;
    } catch {
      this.#again(); // No node speaks like this: whatever stands behind the port, another one may be right.
      return;
    }
    switch (fields.event) {
      case 'put':
      case 'delete':
      case 'flush':
        this.#event(fields.event, fields, line);
        return;
      case 'progress':
        this.#progress(fields);
        return;
      case 'end':
        // Perhaps another node remembers more; if none does, it says so.
        this.#again();
        return;
      default:
        this.#reply(fields);
    }
  }

  #reply({ id, status, code, message, revision }: Fields): void {
    if (status === 'ok') {
      if (id !== 'watch' || typeof revision !== 'number') return;
      this.#attempts = 0;
      this.#next ??= revision;
      this.#begun(this.#next);
      return;
    }
    const text = typeof message === 'string' ? message : 'refused without a reason';
    if (
      code === 'COMPACTED' ||
      code === 'UNAUTHENTICATED' ||
      code === 'INVALID_ARGUMENT' ||
      code === 'TOO_LARGE'
    ) {
      this.#finish(errorOf(code, text));
    } else {
      this.#again();
    }
  }

  #event(type: WatchEvent['type'], fields: Fields, line: string): void {
    const revision = Number(fields.revision);
    const more = fields.more === true;
    if (this.#next !== null && revision === this.#next && this.#toSkip > 0) {
      this.#toSkip--;
    } else {
      this.#hand({
        type,
        key: replyKey(fields) ?? '',
        value: replyValue(fields, () => memberSource(line, 'value')),
        revision,
        expiresAt: typeof fields.expires_at === 'number' ? fields.expires_at : null,
        expired: fields.expired === true,
        more,
      });
      this.#toldOfNext = revision === this.#next ? this.#toldOfNext + 1 : 1;
      this.#next = revision;
    }
    if (more) return;
    this.#next = revision + 1;
    this.#toldOfNext = 0;
    this.#toSkip = 0;
  }

  #hand(event: WatchEvent): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#queue.push(event);
    else waiting.resolve({ done: false, value: event });
  }

  #progress({ revision, leader_id: leaderId }: Fields): void {
    if (typeof revision === 'number' && this.#next !== null && revision >= this.#next) {
      this.#next = revision + 1;
      this.#toldOfNext = 0;
    }
    this.#leaderlessLines = leaderId === null ? this.#leaderlessLines + 1 : 0;
    // Cut off from the others, this node hears of nothing new.
    if (this.#leaderlessLines >= LEADERLESS_LINES_MAX) this.#again();
  }
}

function errorOf(code: ClientErrorCode, message: string): ClientError {
  const nothing = { attempts: 0, elapsedMs: 0, node: null, session: null };
  return new ClientError(message, { code, outcome: 'definite', ...nothing });
}
