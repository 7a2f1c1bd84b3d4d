// Injected link faults on the messages of one peer and one direction: cut, loss, delay. Works above the
// sockets, so that a cut looks like a pulled cable: messages vanish and no connection event happens.
import type { LinkFault } from '../protocol/faults.ts';
import type { Message, NodeId } from '../raft/types.ts';

/** What all faults of one direction add up to. */
export interface LinkConditions {
  cut: boolean;
  /** From 0 to 1. */
  lossProbability: number;
  delayMs: number;
  jitterMs: number;
}

export type LinkDirection = 'inbound' | 'outbound';

/** Several faults on one link add up: delays are summed, losses are independent of each other. */
export function linkConditions(
  faults: readonly LinkFault[],
  where: { peer: NodeId; direction: LinkDirection },
): LinkConditions {
  const conditions: LinkConditions = { cut: false, lossProbability: 0, delayMs: 0, jitterMs: 0 };
  for (const fault of faults) {
    if (fault.peer !== where.peer) continue;
    if (fault.direction !== 'both' && fault.direction !== where.direction) continue;
    const effect = fault.effect;
    switch (effect.kind) {
      case 'cut':
        conditions.cut = true;
        break;
      case 'loss':
        conditions.lossProbability = 1 - (1 - conditions.lossProbability) * (1 - effect.probability);
        break;
      case 'delay':
        conditions.delayMs += effect.delayMs;
        conditions.jitterMs += effect.jitterMs;
        break;
    }
  }
  return conditions;
}

interface Delayed {
  message: Message;
  dueMs: number;
  bytes: number;
}

export interface LinkFilterOptions {
  /** A number from 0 up to 1; drawn only while a fault with chance in it is in force. */
  random: () => number;
  /** Receives what a delay held back, in order, a batch at a time. */
  release: (messages: readonly Message[]) => void;
  /** Receives what was thrown away. */
  onDropped: (messages: readonly Message[]) => void;
  /** Bounds of what a delay holds back; what would exceed them is dropped. */
  delayedMessagesMax?: number | undefined;
  delayedBytesMax?: number | undefined;
}

const DELAYED_MESSAGES_MAX = 10_000;
const DELAYED_BYTES_MAX = 16 * 1024 * 1024;

export class LinkFilter {
  readonly #options: LinkFilterOptions;
  readonly #messagesMax: number;
  readonly #bytesMax: number;
  #conditions: LinkConditions = { cut: false, lossProbability: 0, delayMs: 0, jitterMs: 0 };
  /** In the order of arrival, which is the order of release: one that is due waits for those before it. */
  #delayed: Delayed[] = [];
  #delayedBytes = 0;
  #timer: NodeJS.Timeout | null = null;
  #clear = true;

  constructor(options: LinkFilterOptions) {
    this.#options = options;
    this.#messagesMax = options.delayedMessagesMax ?? DELAYED_MESSAGES_MAX;
    this.#bytesMax = options.delayedBytesMax ?? DELAYED_BYTES_MAX;
  }

  /** No fault is in force and nothing is held back: every message passes, and `admit` need not be asked. */
  get clear(): boolean {
    return this.#clear;
  }

  /** Bytes that a delay holds back. */
  get delayedBytes(): number {
    return this.#delayedBytes;
  }

  /**
   * Takes force at once. A cut loses what was on its way. A shorter delay also shortens the wait of what
   * is already held back, so that a healed link is a fast link again.
   */
  setConditions(conditions: LinkConditions): void {
    this.#conditions = conditions;
    if (conditions.cut) {
      this.drop();
    } else if (this.#delayed.length > 0) {
      const latestMs = performance.now() + conditions.delayMs + conditions.jitterMs;
      for (const delayed of this.#delayed) delayed.dueMs = Math.min(delayed.dueMs, latestMs);
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#timer = null;
      this.#releaseDue();
    }
    this.#updateClear();
  }

  /** True: pass the message on now. False: it was dropped (and counted) or will come through `release`. */
  admit(message: Message): boolean {
    const { cut, lossProbability, delayMs, jitterMs } = this.#conditions;
    if (cut || (lossProbability > 0 && this.#options.random() < lossProbability)) {
      this.#options.onDropped([message]);
      return false;
    }
    if (delayMs === 0 && jitterMs === 0 && this.#delayed.length === 0) return true;
    const bytes = approximateBytes(message);
    if (this.#delayed.length >= this.#messagesMax || this.#delayedBytes + bytes > this.#bytesMax) {
      this.#options.onDropped([message]);
      return false;
    }
    const jitter = jitterMs > 0 ? jitterMs * this.#options.random() : 0;
    this.#delayed.push({ message, dueMs: performance.now() + delayMs + jitter, bytes });
    this.#delayedBytes += bytes;
    this.#updateClear();
    this.#arm();
    return false;
  }

  /** Throws away what is held back. */
  drop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const delayed = this.#delayed;
    this.#delayed = [];
    this.#delayedBytes = 0;
    this.#updateClear();
    if (delayed.length > 0) this.#options.onDropped(delayed.map(({ message }) => message));
  }

  #arm(): void {
    const first = this.#delayed[0];
    if (this.#timer !== null || first === undefined) return;
    const waitMs = Math.max(0, Math.ceil(first.dueMs - performance.now()));
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#releaseDue();
    }, waitMs);
    this.#timer.unref();
  }

  #releaseDue(): void {
    const nowMs = performance.now();
    let count = 0;
    while (count < this.#delayed.length && (this.#delayed[count] as Delayed).dueMs <= nowMs) count++;
    if (count > 0) {
      const due = this.#delayed.splice(0, count);
      for (const delayed of due) this.#delayedBytes -= delayed.bytes;
      this.#updateClear();
      this.#options.release(due.map((delayed) => delayed.message));
    }
    this.#arm();
  }

  #updateClear(): void {
    const { cut, lossProbability, delayMs, jitterMs } = this.#conditions;
    this.#clear =
      !cut && lossProbability === 0 && delayMs === 0 && jitterMs === 0 && this.#delayed.length === 0;
  }
}

/** What the message holds in memory, roughly: payloads and a little for the rest. */
function approximateBytes(message: Message): number {
  if (message.type === 'InstallSnapshot') return 128 + message.data.length;
  if (message.type !== 'AppendEntries') return 128;
  let bytes = 128;
  for (const entry of message.entries) bytes += entry.frameBytes ?? entry.data.length + 24;
  return bytes;
}
