// The one error that the client's calls reject with. It always says whether the request may have taken
// effect, and what the caller can do next.
import type { ErrorCode } from '../protocol/json-line.ts';

/** What a node answers (the protocol's codes), and what only the client can know. */
export type ClientErrorCode =
  | ErrorCode
  /** The client's own bound on waiting requests is reached; nothing was sent. */
  | 'BUSY'
  /** `close()` was called. */
  | 'CLOSED';

/** `definite`: nothing was changed. `unknown`: the write may have happened, or may happen yet. */
export type Outcome = 'definite' | 'unknown';

/** A write's identity: repeated with the same pair, it applies once. */
export interface WriteSession {
  /** A UUID. */
  client: string;
  /** A positive integer that rises with each write of this client id. */
  seq: number;
}

export interface ClientErrorDetails {
  code: ClientErrorCode;
  outcome: Outcome;
  /** How often the request was handed to a node. */
  attempts: number;
  elapsedMs: number;
  /** `host:port` of the node that answered last, null when none did. */
  node: string | null;
  /** With an unknown outcome: repeat the write with this pair, and it applies once. Null without a session. */
  session: WriteSession | null;
}

export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: ClientErrorCode;
  readonly outcome: Outcome;
  readonly attempts: number;
  readonly elapsedMs: number;
  readonly node: string | null;
  readonly session: WriteSession | null;

  constructor(message: string, details: ClientErrorDetails) {
    super(message);
    this.code = details.code;
    this.outcome = details.outcome;
    this.attempts = details.attempts;
    this.elapsedMs = details.elapsedMs;
    this.node = details.node;
    this.session = details.session;
  }
}

/** An error about a request that never left this process. */
export function refusedLocally(code: ClientErrorCode, message: string): ClientError {
  return new ClientError(message, {
    code,
    outcome: 'definite',
    attempts: 0,
    elapsedMs: 0,
    node: null,
    session: null,
  });
}
