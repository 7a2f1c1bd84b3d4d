// Carries operations to the right node and decides what follows each answer: done, elsewhere, again, or
// given up with a definite or an unknown outcome. Bounded in operations and in bytes.
import type { ErrorReply, RedirectReply, Reply } from '../protocol/json-client.ts';
import { backoffMs } from './backoff.ts';
import { type ClientErrorCode, refusedLocally, type WriteSession } from './client-error.ts';
import { LeaderFinder, type LeaderFinderListener } from './leader-finder.ts';
import type { NodeLink, NodeLinkOptions } from './node-link.ts';
import { type Effect, Operation, type OperationHost, type Settled, type Target } from './operation.ts';
import type { SessionLanes } from './session-lanes.ts';

/** How often quiet links are looked for while operations are pending. */
const WATCH_INTERVAL_MS = 25;
/** Two nodes that name each other as leader are left alone until they agree. */
const REDIRECTS_IN_ROW_MAX = 3;
const RETRY_MS_BASE = 10;
const RETRY_MS_MAX = 250;
/** A full cluster is told to the caller soon; before that, the leader may hand over to a node with room. */
const NO_SPACE_REFUSALS_MAX = 5;

export interface DispatcherOptions {
  addresses: readonly string[];
  lanes: SessionLanes;
  pendingMax: number;
  pendingBytesMax: number;
  suspectAfterMs: number;
  random: () => number;
  link: NodeLinkOptions;
}

export interface Submission {
  /** The request as one line of JSON, without session and line end. */
  line: string;
  effect: Effect;
  target: Target;
  deadlineMs: number;
  /** The caller's own identity of the write; null draws one from the lanes when the effect wants one. */
  session: WriteSession | null;
}

export class Dispatcher implements OperationHost, LeaderFinderListener {
  readonly finder: LeaderFinder;
  readonly #options: DispatcherOptions;
  readonly #lanes: SessionLanes;
  readonly #pending = new Set<Operation>();
  #pendingBytes = 0;
  /** For a lane to become free. */
  readonly #laneQueue = new Set<Operation>();
  /** For a leader, or for any node. */
  readonly #waiting = new Set<Operation>();
  /** Refused and waiting for their next try. */
  readonly #retrying = new Set<Operation>();
  #nextId = 1;
  #watchTimer: NodeJS.Timeout | null = null;
  #deadlineTimer: NodeJS.Timeout | null = null;
  #deadlineDueAt = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#lanes = options.lanes;
    this.finder = new LeaderFinder(options.addresses, this, { random: options.random, link: options.link });
  }

  submit({ line, effect, target, deadlineMs, session }: Submission): Promise<Settled> {
    const { pendingMax, pendingBytesMax } = this.#options;
    if (this.#closed) return Promise.reject(refusedLocally('CLOSED', 'this client is closed'));
    if (this.#pending.size >= pendingMax) {
      const message = `${pendingMax} requests are pending already: await some first, or raise pendingMax`;
      return Promise.reject(refusedLocally('BUSY', message));
    }
    if (this.#pendingBytes + line.length > pendingBytesMax && this.#pending.size > 0) {
      const message = `${pendingBytesMax} bytes of requests are pending already: await some first, or raise pendingBytesMax`;
      return Promise.reject(refusedLocally('BUSY', message));
    }
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      const operation = new Operation({ host: this, id, line, effect, target, deadlineMs, resolve, reject });
      this.#pending.add(operation);
      this.#pendingBytes += operation.chars;
      this.#arm(operation);
      if (session !== null) operation.adoptSession(session);
      else if (effect === 'sessionWrite' && !this.#takeLane(operation)) {
        this.#laneQueue.add(operation);
        return;
      }
      this.#dispatch(operation);
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const operation of this.#pending) {
      if (operation.link !== null && operation.effect !== 'read') operation.unknown = true;
      this.#fail(operation, 'CLOSED', 'the client was closed before the reply came');
    }
    this.finder.close('this client was closed');
    if (this.#watchTimer !== null) clearInterval(this.#watchTimer);
    if (this.#deadlineTimer !== null) clearTimeout(this.#deadlineTimer);
  }

  // What links and the finder say.

  leaderFound(link: NodeLink): void {
    this.#dropQuietLinks(performance.now());
    this.#release((operation) => operation.target === 'leader' || operation.target === link);
    // Whoever refused them is not who leads now: there is nothing to wait for.
    for (const operation of this.#retrying) {
      if (operation.target === 'leader' && operation.lastNode !== link.address) this.#retryNow(operation);
    }
  }

  linkReady(link: NodeLink): void {
    this.#release((operation) => operation.target === 'any' || operation.target === link);
  }

  denied(message: string): void {
    for (const operation of this.#waiting) {
      if (operation.target === 'leader' || operation.target === 'any')
        this.#fail(operation, 'UNAUTHENTICATED', message);
    }
  }

  isWanted(): boolean {
    return this.#waiting.size > 0;
  }

  linkDown(link: NodeLink): void {
    for (const operation of this.#waiting) {
      if (operation.target !== link) continue;
      this.#fail(operation, 'UNAVAILABLE', `${link.address}: ${link.failure ?? 'not reachable'}`);
    }
    // What was lost with it goes on at once where that is possible.
    const leaderIsOpen = this.finder.leader?.state === 'open';
    this.#release(({ target }) => (target === 'leader' ? leaderIsOpen : target === 'any'));
  }

  lost(operation: Operation, sent: boolean, link: NodeLink): void {
    operation.link = null;
    operation.lastReason = `${link.address}: ${link.failure ?? 'connection lost'}`;
    if (sent && operation.effect !== 'read') operation.unknown = true;
    if (sent && operation.effect === 'plainWrite') {
      const message = `the connection to ${link.address} broke (${link.failure ?? 'closed'}) before the reply came: the write may have happened. ${this.#wayOut(operation)}`;
      this.#fail(operation, 'TIMEOUT', message);
    } else if (operation.target === link) {
      this.#fail(operation, 'UNAVAILABLE', `${link.address}: ${link.failure ?? 'connection lost'}`);
    } else {
      // Not `dispatch`: the link is still being taken down, and order among the lost ones must hold.
      this.#waiting.add(operation);
    }
  }

  answered(operation: Operation, reply: Reply, link: NodeLink): void {
    operation.link = null;
    operation.lastNode = link.address;
    if (reply.status === 'ok') {
      this.#settle(operation);
      operation.succeed(reply, link);
    } else if (reply.status === 'redirect') {
      this.#redirected(operation, reply, link);
    } else {
      this.#refused(operation, reply, link);
    }
  }

  #redirected(operation: Operation, reply: RedirectReply, link: NodeLink): void {
    operation.lastReason =
      reply.leader === null
        ? `${link.address} knows no leader`
        : `${link.address} says that ${reply.leader} leads`;
    operation.redirectsInRow++;
    this.finder.forget(link);
    if (operation.redirectsInRow > REDIRECTS_IN_ROW_MAX) {
      operation.redirectsInRow = 0;
      this.#retryLater(operation);
      return;
    }
    // Another operation or a probe may have found the leader meanwhile; a hint is only second-hand.
    if (this.finder.leader === null && reply.leader !== null && reply.leader !== link.address) {
      this.finder.followHint(reply.leader);
    }
    this.#dispatch(operation);
  }

  #refused(operation: Operation, reply: ErrorReply, link: NodeLink): void {
    operation.lastReason = `${link.address}: ${reply.message}`;
    if (reply.outcomeUnknown && operation.effect !== 'read') operation.unknown = true;
    const targeted = operation.target !== 'leader' && operation.target !== 'any';
    const repeatable =
      reply.code === 'UNAVAILABLE' ||
      (reply.code === 'NO_SPACE' && operation.refusals < NO_SPACE_REFUSALS_MAX) ||
      (reply.code === 'TIMEOUT' && operation.effect !== 'plainWrite');
    if (repeatable && !targeted) {
      this.#retryLater(operation);
      return;
    }
    const hint = operation.unknown ? `. ${this.#wayOut(operation)}` : '';
    this.#fail(operation, reply.code, `${reply.message}${hint}`);
  }

  #retryLater(operation: Operation): void {
    const delayMs = backoffMs(this.#options.random, {
      attempt: operation.refusals++,
      baseMs: RETRY_MS_BASE,
      maxMs: RETRY_MS_MAX,
    });
    this.#retrying.add(operation);
    operation.retryTimer = setTimeout(() => this.#retryNow(operation), delayMs);
  }

  #retryNow(operation: Operation): void {
    this.#forgetRetry(operation);
    this.#dispatch(operation);
  }

  #forgetRetry(operation: Operation): void {
    if (operation.retryTimer !== null) clearTimeout(operation.retryTimer);
    operation.retryTimer = null;
    this.#retrying.delete(operation);
  }

  // Sending.

  #takeLane(operation: Operation): boolean {
    const lane = this.#lanes.acquire();
    if (lane === null) return false;
    operation.lane = lane;
    operation.adoptSession(this.#lanes.next(lane));
    return true;
  }

  #dispatch(operation: Operation): void {
    const link = this.#linkFor(operation.target);
    if (link !== null && link.state === 'open') {
      this.#waiting.delete(operation);
      operation.attempts++;
      operation.link = link;
      link.send(operation);
      return;
    }
    this.#waiting.add(operation);
    if (link !== null && operation.target === link) link.connect();
    else this.finder.search();
  }

  #linkFor(target: Target): NodeLink | null {
    if (target === 'leader') return this.finder.leader;
    if (target === 'any') return this.finder.anyOpenLink();
    return target;
  }

  /** Sends what waited, in the order of the calls. */
  #release(chosen: (operation: Operation) => boolean): void {
    if (this.#waiting.size === 0) return;
    const ready = [...this.#waiting].filter(chosen).sort((a, b) => a.id - b.id);
    for (const operation of ready) this.#dispatch(operation);
  }

  // Time.

  #arm(operation: Operation): void {
    this.#watchTimer ??= setInterval(() => this.#watch(), WATCH_INTERVAL_MS);
    if (operation.deadlineAt >= this.#deadlineDueAt) return;
    if (this.#deadlineTimer !== null) clearTimeout(this.#deadlineTimer);
    this.#deadlineDueAt = operation.deadlineAt;
    this.#deadlineTimer = setTimeout(() => this.#expire(), Math.max(1, operation.deadlineMs));
  }

  /** One timer serves all deadlines: it fires at the earliest that was pending when it was set. */
  #expire(): void {
    const now = performance.now();
    this.#deadlineTimer = null;
    let next = Number.POSITIVE_INFINITY;
    for (const operation of this.#pending) {
      if (operation.deadlineAt <= now) this.#expired(operation, now);
      else next = Math.min(next, operation.deadlineAt);
    }
    this.#deadlineDueAt = next;
    if (next !== Number.POSITIVE_INFINITY) {
      this.#deadlineTimer = setTimeout(() => this.#expire(), Math.max(1, Math.ceil(next - now)));
    }
  }

  #expired(operation: Operation, now: number): void {
    const link = operation.link;
    if (link !== null && operation.effect !== 'read') operation.unknown = true;
    const within = `within ${Math.round(operation.deadlineMs)} ms`;
    if (operation.unknown) {
      const where = operation.lastReason === null ? '' : ` (${operation.lastReason})`;
      const message = `no answer ${within}${where}: the write may have happened, or may happen yet. ${this.#wayOut(operation)}`;
      this.#fail(operation, 'TIMEOUT', message);
    } else if (link !== null) {
      this.#fail(operation, 'TIMEOUT', `no answer from ${link.address} ${within}`);
    } else if (operation.lane === null && operation.effect === 'sessionWrite' && operation.session === null) {
      this.#fail(operation, 'BUSY', `its turn did not come ${within}: too many writes are in flight`);
    } else {
      const state = this.finder.describe();
      const message = `nobody could serve this ${within}. ${operation.lastReason ?? 'No leader was found'}. Nodes: ${state}`;
      this.#fail(operation, 'UNAVAILABLE', message);
    }
    // Nothing at all came back while this request was out: the connection is not worth keeping.
    if (link !== null && link.quietMs(now) >= operation.deadlineMs) {
      link.abandon(`no answer for ${Math.round(link.quietMs(now))} ms`);
    }
  }

  #watch(): void {
    if (this.#pending.size === 0) {
      if (this.#watchTimer !== null) clearInterval(this.#watchTimer);
      this.#watchTimer = null;
      return;
    }
    this.#dropQuietLinks(performance.now());
  }

  /**
   * A leader that is silent is only suspected: the others are asked, since a stopped process keeps its
   * connections open. Once another one leads, the silent one is dropped and its operations go on there.
   */
  #dropQuietLinks(now: number): void {
    for (const link of this.finder.links) {
      if (link.state !== 'open' || link.quietMs(now) < this.#options.suspectAfterMs) continue;
      if (link === this.finder.leader || this.finder.leader === null) this.finder.suspect();
      else if (this.#holdsMovable(link)) link.abandon(`silent for ${Math.round(link.quietMs(now))} ms`);
    }
  }

  /** Whether something that another node could answer is stuck on this link. */
  #holdsMovable(link: NodeLink): boolean {
    for (const operation of this.#pending) {
      if (operation.link === link && operation.target !== link) return true;
    }
    return false;
  }

  // Ends.

  #wayOut(operation: Operation): string {
    return operation.session === null
      ? 'Read the key to find out'
      : `Read the key to find out, or repeat the write as client ${operation.session.client}, seq ${operation.session.seq}: it applies once`;
  }

  #fail(operation: Operation, code: ClientErrorCode, message: string): void {
    this.#settle(operation);
    operation.fail(code, message);
  }

  #settle(operation: Operation): void {
    operation.settled = true;
    operation.link = null;
    this.#forgetRetry(operation);
    this.#waiting.delete(operation);
    this.#pending.delete(operation);
    this.#pendingBytes -= operation.chars;
    this.#laneQueue.delete(operation);
    const lane = operation.lane;
    if (lane === null) return;
    operation.lane = null;
    this.#lanes.release(lane);
    this.#nextInLine();
  }

  #nextInLine(): void {
    if (this.#closed) return;
    for (const next of this.#laneQueue) {
      if (!this.#takeLane(next)) return;
      this.#laneQueue.delete(next);
      this.#dispatch(next);
    }
  }
}
