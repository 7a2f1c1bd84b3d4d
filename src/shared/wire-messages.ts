// What travels over the browser host's WebSocket: calls one way, answers and pushes the other, as JSON text.
import type { CallChannel, PushChannel } from './contract.ts';

/** The socket's path, and its subprotocol. A second subprotocol carries the token, so that no URL does. */
export const SOCKET_PATH = '/panel';
export const SOCKET_PROTOCOL = 'quorumlab.v1';

/** The prefix of the subprotocol that is the token: names of subprotocols are public words otherwise. */
export const TOKEN_PROTOCOL_PREFIX = 'token.';

export interface CallMessage {
  /** Chosen by the window, echoed in the answer. */
  id: number;
  channel: CallChannel;
  argument?: unknown;
}

export type AnswerMessage =
  | { id: number; ok: true; result?: unknown }
  /** `message` is for people. */
  | { id: number; ok: false; message: string };

export interface PushMessage {
  push: PushChannel;
  payload: unknown;
}
