// The line to the process that started this one: Electron's parent port or Node's IPC, whichever there is.
// When it breaks, the parent is gone.
import type { NodeMessage, ParentMessage } from '../protocol/control.ts';

export interface ControlChannel {
  send(message: NodeMessage): void;
  onMessage(listener: (message: ParentMessage) => void): void;
  /** The parent died or hung up. */
  onGone(listener: () => void): void;
}

/** Electron's `process.parentPort`, as far as it is used here. */
interface ParentPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { data: unknown }) => void): void;
  on(event: 'close', listener: () => void): void;
}

/** Null for a process that nobody supervises. */
export function openControlChannel(): ControlChannel | null {
  const { parentPort } = process as unknown as { parentPort?: ParentPort };
  if (parentPort !== undefined) {
    return {
      send: (message) => parentPort.postMessage(message),
      onMessage: (listener) => parentPort.on('message', ({ data }) => isMessage(data) && listener(data)),
      onGone: (listener) => parentPort.on('close', listener),
    };
  }
  if (process.send === undefined) return null;
  return {
    send,
    onMessage: (listener) => void process.on('message', (data) => isMessage(data) && listener(data)),
    onGone: (listener) => {
      process.on('disconnect', listener);
      // It may have died while this process was still starting.
      if (!process.connected) listener();
    },
  };
}

/** Messages that a parent which does not read (a debugger holds it, it is paused) may leave in this process. */
const UNTAKEN_MAX = 1000;
let untaken = 0;

/** Statuses and events give way first: the next status says it all, and a lost event shows in the sequence. */
function send(message: NodeMessage): void {
  const mayWait = message.type === 'status' || message.type === 'events';
  if (mayWait && untaken >= UNTAKEN_MAX) return;
  untaken++;
  // A parent that is just going away makes a send fail; `disconnect` says the same.
  process.send?.(message, undefined, undefined, () => {
    untaken--;
  });
}

/** The parent is trusted with the content; anything else on the channel is not for the node. */
function isMessage(data: unknown): data is ParentMessage {
  return typeof data === 'object' && data !== null && 'type' in data && typeof data.type === 'string';
}
