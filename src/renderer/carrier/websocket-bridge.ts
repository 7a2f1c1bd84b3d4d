// The contract over the browser host's WebSocket, with reconnection. What was asked when the connection broke is
// rejected, never repeated: a kill must not happen twice. The store above asks for a new picture by itself.
import type { Bridge, PushChannel, Pushes } from '../../shared/contract.ts';
import type { AnswerMessage, CallMessage, PushMessage } from '../../shared/wire-messages.ts';
import { SOCKET_PATH, SOCKET_PROTOCOL, TOKEN_PROTOCOL_PREFIX } from '../../shared/wire-messages.ts';

const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 3000;
const TOKEN_ENTRY = 'quorumlab.token';

const NO_TOKEN =
  'This page has no key to the panel. Open the address that the terminal printed; it ends in ?token=…';
const NOT_CONNECTED =
  'The panel does not answer. If it was started anew, open the address that the terminal printed then.';
const LOST = 'The connection to the panel broke before the answer came: it may have been carried out.';

interface Waiting {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
  /** Null once it was sent. */
  text: string | null;
}

/**
 * The token of the page's address, kept for this tab and taken out of the address, so that it is in no bookmark
 * and no screenshot. Null when there is none.
 */
export function takeToken(page: Window): string | null {
  const url = new URL(page.location.href);
  const token = url.searchParams.get('token');
  if (token === null) return page.sessionStorage.getItem(TOKEN_ENTRY);
  page.sessionStorage.setItem(TOKEN_ENTRY, token);
  url.searchParams.delete('token');
  page.history.replaceState(null, '', url);
  return token;
}

/** `origin`: the page's, `http://127.0.0.1:7080`. Connects at once and again whenever it is cut off. */
export function createWebSocketBridge({ origin, token }: { origin: string; token: string | null }): Bridge {
  const waiting = new Map<number, Waiting>();
  const listeners = new Map<PushChannel, Set<(payload: never) => void>>();
  let socket: WebSocket | null = null;
  let nextId = 1;
  let retryMs = RETRY_MS_MIN;

  const rejectAll = () => {
    for (const call of waiting.values()) call.reject(new Error(call.text === null ? LOST : NOT_CONNECTED));
    waiting.clear();
  };

  const receive = (message: AnswerMessage | PushMessage) => {
    if ('push' in message) {
      for (const listener of listeners.get(message.push) ?? []) listener(message.payload as never);
      return;
    }
    const call = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.ok) call?.resolve(message.result);
    else call?.reject(new Error(message.message));
  };

  const connect = () => {
    const opening = new WebSocket(`${origin.replace(/^http/, 'ws')}${SOCKET_PATH}`, [
      SOCKET_PROTOCOL,
      `${TOKEN_PROTOCOL_PREFIX}${token}`,
    ]);
    socket = opening;
    opening.onopen = () => {
      retryMs = RETRY_MS_MIN;
      for (const call of waiting.values()) {
        if (call.text !== null) opening.send(call.text);
        call.text = null;
      }
    };
    opening.onmessage = ({ data }) => receive(JSON.parse(String(data)));
    opening.onclose = () => {
      socket = null;
      rejectAll();
      setTimeout(connect, retryMs);
      retryMs = Math.min(RETRY_MS_MAX, retryMs * 2);
    };
  };
  if (token !== null) connect();

  return {
    call(channel, argument) {
      if (token === null) return Promise.reject(new Error(NO_TOKEN));
      if (socket === null) return Promise.reject(new Error(NOT_CONNECTED));
      const message: CallMessage = { id: nextId++, channel, argument };
      const text = JSON.stringify(message);
      const isOpen = socket.readyState === WebSocket.OPEN;
      if (isOpen) socket.send(text);
      return new Promise((resolve, reject) => {
        // The host answers a call with the result of that call.
        const settle = resolve as (result: unknown) => void;
        waiting.set(message.id, { resolve: settle, reject, text: isOpen ? null : text });
      });
    },
    on<P extends PushChannel>(channel: P, listener: (payload: Pushes[P]) => void) {
      const set = listeners.get(channel) ?? new Set();
      listeners.set(channel, set);
      set.add(listener);
      return () => {
        set.delete(listener);
      };
    },
  };
}
