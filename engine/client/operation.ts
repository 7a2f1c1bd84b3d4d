// One call of the client's user from beginning to end: what is sent, what is known of its fate, and the
// promise that is settled once. Decides nothing; the dispatcher does.
import type { OkReply, Reply } from '../protocol/json-client.ts';
import { ClientError, type ClientErrorCode, type Outcome, type WriteSession } from './client-error.ts';
import type { Exchange, NodeLink } from './node-link.ts';
import type { Lane } from './session-lanes.ts';

/** Where a reply came from and what it cost. */
export interface Receipt {
  /** `host:port` of the node that answered. */
  node: string;
  /** Its id, null while it has not told. */
  nodeId: number | null;
  /** Log index of the write, or at which a read was served; null when the reply has none. */
  index: number | null;
  term: number | null;
  /** How often the request was handed to a node: 1 when nothing went wrong. */
  attempts: number;
  /** From the call to the reply. */
  elapsedMs: number;
}

export interface Settled {
  reply: OkReply;
  receipt: Receipt;
}

/** What is done with the operation when its connection breaks: see `Dispatcher.lost`. */
export type Effect =
  /** Changes nothing: repeated freely. */
  | 'read'
  /** Carries a session: repeated, and applied once. */
  | 'sessionWrite'
  /** Carries none: never repeated after it may have been applied. */
  | 'plainWrite';

export type Target = 'leader' | 'any' | NodeLink;

export interface OperationHost {
  answered(operation: Operation, reply: Reply, link: NodeLink): void;
  lost(operation: Operation, sent: boolean, link: NodeLink): void;
}

export interface OperationOptions {
  host: OperationHost;
  id: number;
  line: string;
  effect: Effect;
  target: Target;
  deadlineMs: number;
  resolve(settled: Settled): void;
  reject(error: ClientError): void;
}

export class Operation implements Exchange {
  /** Rises with each call: the order in which waiting operations go. */
  readonly id: number;
  readonly effect: Effect;
  readonly target: Target;
  readonly startedAt: number;
  readonly deadlineAt: number;
  readonly deadlineMs: number;
  /** Counted against the client's bound; fixed before a session lengthens the line. */
  readonly chars: number;
  line: string;
  lane: Lane | null = null;
  session: WriteSession | null = null;
  attempts = 0;
  /** Refusals in a row that were no fault of the operation: paces its next attempt. */
  refusals = 0;
  redirectsInRow = 0;
  /** Some attempt may have taken effect, and nothing since has told. */
  unknown = false;
  /** The link that has it now; null while it waits. */
  link: NodeLink | null = null;
  lastNode: string | null = null;
  /** The latest reason why it is not done yet, in plain words. */
  lastReason: string | null = null;
  retryTimer: ReturnType<typeof setTimeout> | null = null;
  settled = false;

  readonly #host: OperationHost;
  readonly #resolve: (settled: Settled) => void;
  readonly #reject: (error: ClientError) => void;

  constructor(options: OperationOptions) {
    this.#host = options.host;
    this.#resolve = options.resolve;
    this.#reject = options.reject;
    this.id = options.id;
    this.line = options.line;
    this.chars = options.line.length;
    this.effect = options.effect;
    this.target = options.target;
    this.deadlineMs = options.deadlineMs;
    this.startedAt = performance.now();
    this.deadlineAt = this.startedAt + options.deadlineMs;
  }

  /** Adds the write's identity to the request. Once, before the first attempt: every attempt carries the same. */
  adoptSession(session: WriteSession): void {
    this.session = session;
    this.line = `${this.line.slice(0, -1)},"client":"${session.client}","seq":${session.seq}}`;
  }

  answered(reply: Reply, link: NodeLink): void {
    if (!this.settled) this.#host.answered(this, reply, link);
  }

  lost(sent: boolean, link: NodeLink): void {
    if (!this.settled) this.#host.lost(this, sent, link);
  }

  succeed(reply: OkReply, link: NodeLink): void {
    this.#resolve({
      reply,
      receipt: {
        node: link.address,
        nodeId: link.nodeId,
        index: reply.index,
        term: reply.term,
        attempts: this.attempts,
        elapsedMs: this.#elapsedMs(),
      },
    });
  }

  /** To the microsecond. */
  #elapsedMs(): number {
    return Math.round((performance.now() - this.startedAt) * 1000) / 1000;
  }

  fail(code: ClientErrorCode, message: string): void {
    const outcome: Outcome = this.unknown ? 'unknown' : 'definite';
    this.#reject(
      new ClientError(message, {
        code,
        outcome,
        attempts: this.attempts,
        elapsedMs: this.#elapsedMs(),
        node: this.lastNode,
        session: outcome === 'unknown' ? this.session : null,
      }),
    );
  }
}
