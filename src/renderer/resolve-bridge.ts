// Finds the carrier of the contract: the preload's bridge on the desktop, a WebSocket in a browser.
import type { Bridge } from '../shared/contract.ts';
import { createWebSocketBridge, takeToken } from './carrier/websocket-bridge.ts';

declare global {
  interface Window {
    /** Set by the preload script; absent in a browser. */
    quorumlab?: Bridge;
  }
}

export function resolveBridge(): Bridge {
  if (window.quorumlab !== undefined) return window.quorumlab;
  return createWebSocketBridge({ origin: window.location.origin, token: takeToken(window) });
}
