// Those who watch keys at this node: each gets every change of its keys once, in order, from the history of the
// state that is applied here. Nothing is queued for anybody: who reads slowly gets on where it is, as long as the
// history reaches back that far. [K10]
import type { Change, ChangeHistory } from '../kv/change-history.ts';
import type { Keyspace } from '../kv/keyspace.ts';
import { bytesFromByteString } from '../protocol/byte-string.ts';
import type { UnwatchRequest, WatchRequest } from '../protocol/json-line.ts';
import { errorReply } from '../protocol/json-reply.ts';
import {
  changeMembers,
  compactedReply,
  eventLine,
  progressLine,
  unwatchReply,
  type WatchId,
  watchEndLine,
  watchReply,
} from '../protocol/json-watch.ts';

/** What a connection must be able to do so that lines can be sent on it unasked. */
export interface WatchConnection {
  reserve(requestBytes?: number): number;
  reply(slot: number, line: string): void;
  readonly closed: boolean;
  readonly heldBytes: number;
}

interface Watcher {
  watch: WatchId;
  request: WatchRequest;
  /** Of the request. */
  key: Uint8Array;
  /** In the history: the next change to look at. */
  position: number;
  /** Everything before this revision was told. */
  nextRevision: number;
}

interface Connected {
  connection: WatchConnection;
  watchers: Map<WatchId, Watcher>;
  nextName: number;
}

export interface WatchDeskOptions {
  keyspace: Keyspace;
  leaderId(): number;
  watchesPerConnectionMax: number;
}

/** Lines that a connection has not taken, before its watches wait. */
const PENDING_BYTES_MAX = 256 * 1024;
const PROGRESS_INTERVAL_MS = 5000;

export class WatchDesk {
  readonly #options: WatchDeskOptions;
  readonly #connected = new Map<WatchConnection, Connected>();
  /** What everybody has been told, when nobody waits: nothing is to be done up to here. */
  #toldEnd = -1;
  #toldLowest = -1;
  #progressAt = 0;

  constructor(options: WatchDeskOptions) {
    this.#options = options;
  }

  get watchCount(): number {
    let count = 0;
    for (const { watchers } of this.#connected.values()) count += watchers.size;
    return count;
  }

  watch(request: WatchRequest, connection: WatchConnection, slot: number): void {
    connection.reply(slot, this.#begin(request, connection));
  }

  #begin(request: WatchRequest, connection: WatchConnection): string {
    const { keyspace, watchesPerConnectionMax } = this.#options;
    const { history, revision } = keyspace;
    const { id, fromRevision } = request;
    if (history === null) return errorReply(id, 'UNAVAILABLE', 'this node keeps no history of changes');
    const connected = this.#connected.get(connection) ?? { connection, watchers: new Map(), nextName: 1 };
    if (connected.watchers.size >= watchesPerConnectionMax) {
      const limit = `${watchesPerConnectionMax} watches (setting watchesPerConnectionMax)`;
      return errorReply(id, 'TOO_LARGE', `this connection is at its limit of ${limit}`);
    }
    const watch = request.watch ?? nameFor(connected);
    if (connected.watchers.has(watch)) {
      const name = JSON.stringify(watch);
      return errorReply(id, 'INVALID_ARGUMENT', `this connection has a watch ${name} already`);
    }
    const from = fromRevision ?? revision + 1;
    const position = fromRevision === null ? history.end : history.positionOf(from);
    if (position === null) return compactedReply(id, history.lowestRevision);
    const key = bytesFromByteString(request.bytes);
    connected.watchers.set(watch, { watch, request, key, position, nextRevision: from });
    this.#connected.set(connection, connected);
    this.#toldEnd = -1;
    return watchReply(id, watch, from);
  }

  unwatch({ id, watch }: UnwatchRequest, connection: WatchConnection, slot: number): void {
    const connected = this.#connected.get(connection);
    const existed = connected?.watchers.delete(watch) === true;
    if (connected?.watchers.size === 0) this.#connected.delete(connection);
    connection.reply(slot, unwatchReply(id, existed));
  }

  /** Tells what is new. Costs nothing while nothing is, and while nobody watches. */
  pump(): void {
    const { history } = this.#options.keyspace;
    if (history === null) return;
    if (this.#connected.size > 0) this.#tellAll(history);
    // Only now: who has kept up misses nothing, however much one turn brought.
    history.trim();
  }

  #tellAll(history: ChangeHistory): void {
    if (this.#toldEnd === history.end && this.#toldLowest === history.lowestRevision) return;
    const lines = new LinesOfTurn(history);
    let allTold = true;
    for (const connected of this.#connected.values()) {
      if (connected.connection.closed) this.#connected.delete(connected.connection);
      else if (!this.#tell(connected, history, lines)) allTold = false;
    }
    this.#toldEnd = allTold ? history.end : -1;
    this.#toldLowest = history.lowestRevision;
  }

  /** `now`: milliseconds of the node's monotonic clock. */
  tick(now: number): void {
    if (now - this.#progressAt < PROGRESS_INTERVAL_MS) return;
    this.#progressAt = now;
    const leaderId = this.#options.leaderId();
    for (const { connection, watchers } of this.#connected.values()) {
      if (connection.closed) {
        this.#connected.delete(connection);
        continue;
      }
      for (const { watch, nextRevision } of watchers.values()) {
        send(connection, progressLine(watch, nextRevision - 1, leaderId === 0 ? null : leaderId));
      }
    }
  }

  /** False when a watch of this connection waits for it to take what it was sent. */
  #tell({ connection, watchers }: Connected, history: ChangeHistory, lines: LinesOfTurn): boolean {
    let room = PENDING_BYTES_MAX - connection.heldBytes;
    for (const watcher of watchers.values()) {
      if (watcher.nextRevision < history.lowestRevision) {
        watchers.delete(watcher.watch);
        send(connection, watchEndLine(watcher.watch, history.lowestRevision));
        continue;
      }
      room = this.#tellOne(watcher, { connection, history, lines, room });
      if (room <= 0 && watcher.position < history.end) return false;
    }
    if (watchers.size === 0) this.#connected.delete(connection);
    return true;
  }

  /** Returns the room that is left for the connection. */
  #tellOne(
    watcher: Watcher,
    to: { connection: WatchConnection; history: ChangeHistory; lines: LinesOfTurn; room: number },
  ): number {
    const { history, connection, lines } = to;
    let { room } = to;
    let held: Change | null = null;
    const tell = (change: Change, more: boolean) => {
      const line = eventLine(watcher.watch, lines.membersOf(change), more);
      room -= line.length;
      watcher.nextRevision = more ? change.revision : change.revision + 1;
      send(connection, line);
    };
    // What is forgotten is older than what this watcher waits for, or its watch would have ended.
    let at = Math.max(watcher.position, history.begin);
    for (; at < history.end && (room > 0 || held !== null); at++) {
      const { key, request, nextRevision: revision } = watcher;
      if (!history.concerns(at, { key, isPrefix: request.isPrefix, revision })) continue;
      const change = lines.changeAt(at);
      if (held !== null) tell(held, held.revision === change.revision);
      held = room > 0 ? change : null;
      if (held === null) break;
    }
    // An entry is applied as a whole before anybody is told: nothing of the last revision follows.
    if (held !== null) tell(held, false);
    watcher.position = at;
    if (at === history.end) {
      watcher.nextRevision = Math.max(watcher.nextRevision, this.#options.keyspace.revision + 1);
    }
    return room;
  }
}

function send(connection: WatchConnection, line: string): void {
  if (!connection.closed) connection.reply(connection.reserve(), line);
}

function nameFor(connected: Connected): number {
  while (connected.watchers.has(connected.nextName)) connected.nextName++;
  return connected.nextName++;
}

/** What several watches of one turn are told is read, and put into words, once. */
class LinesOfTurn {
  readonly #history: ChangeHistory;
  readonly #changes = new Map<number, Change>();
  readonly #members = new Map<Change, string>();

  constructor(history: ChangeHistory) {
    this.#history = history;
  }

  changeAt(position: number): Change {
    const known = this.#changes.get(position);
    if (known !== undefined) return known;
    const change = this.#history.at(position);
    if (change === null) throw new RangeError(`change ${position} is forgotten`);
    this.#changes.set(position, change);
    return change;
  }

  membersOf(change: Change): string {
    let members = this.#members.get(change);
    if (members === undefined) {
      members = changeMembers(change);
      this.#members.set(change, members);
    }
    return members;
  }
}
