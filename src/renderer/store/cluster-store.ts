// The window's copy of the cluster: one picture, then batches reduced into it once a frame. After a hole, a
// flood or a silence it asks for a new picture. Knows the bridge and the reducer, and nothing about drawing.
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { ClusterBatch, ClusterItem, ClusterView } from '../../shared/cluster-view.ts';
import type { AppInfo, Bridge } from '../../shared/contract.ts';
import { follows, reduceBatch } from '../../shared/reduce-batch.ts';

export type Connection =
  | { state: 'connecting' }
  | { state: 'live' }
  /** No answer, and the picture, if there is one, grows old. `since`: milliseconds since the epoch. */
  | { state: 'lost'; since: number; message: string };

export interface ClusterState {
  connection: Connection;
  view: ClusterView | null;
  info: AppInfo | null;
}

export type ItemsListener = (items: readonly ClusterItem[]) => void;

/** The window's clock and frames, so that tests can turn them by hand. */
export interface FeedHost {
  requestFrame(callback: () => void): void;
  /** Returns the cancel. */
  setTimer(callback: () => void, delayMs: number): () => void;
  now(): number;
}

/** More batches than this between two frames: asking anew is cheaper than catching up. */
export const WAITING_BATCHES_MAX = 200;
/** Statuses come ten times a second; this long without a word is worth a question. */
export const SILENCE_MS = 1500;
export const ANSWER_WITHIN_MS = 3000;
export const RETRY_MS = 1000;

export class ClusterFeed {
  readonly store: StoreApi<ClusterState> = createStore<ClusterState>(() => ({
    connection: { state: 'connecting' },
    view: null,
    info: null,
  }));
  readonly #bridge: Bridge;
  readonly #host: FeedHost;
  readonly #listeners = new Set<ItemsListener>();
  readonly #unsubscribe: () => void;
  #waiting: ClusterBatch[] = [];
  #frameAsked = false;
  #loading = false;
  #disposed = false;
  #heardAt: number;
  #cancelWatch = () => {};

  constructor(bridge: Bridge, host: FeedHost = browserHost()) {
    this.#bridge = bridge;
    this.#host = host;
    this.#heardAt = host.now();
    // Subscribed before the first question, so that no batch falls between the two.
    this.#unsubscribe = bridge.on('cluster:batch', (batch) => this.#receive(batch));
    void this.#reload();
    this.#watch();
  }

  /** Items in the order in which they enter the picture. Returns the unsubscribe. */
  onItems(listener: ItemsListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends the subscription and all timers. */
  dispose(): void {
    this.#disposed = true;
    this.#unsubscribe();
    this.#cancelWatch();
    this.#listeners.clear();
  }

  #receive(batch: ClusterBatch): void {
    this.#heardAt = this.#host.now();
    if (this.#waiting.length >= WAITING_BATCHES_MAX) {
      this.#waiting = [];
      void this.#reload();
    }
    this.#waiting.push(batch);
    this.#askFrame();
  }

  #askFrame(): void {
    if (this.#frameAsked) return;
    this.#frameAsked = true;
    this.#host.requestFrame(() => {
      this.#frameAsked = false;
      this.#flush();
    });
  }

  #flush(): void {
    const { view } = this.store.getState();
    if (this.#disposed || this.#loading || view === null) return;
    const batches = this.#waiting;
    this.#waiting = [];
    let next = view;
    const items: ClusterItem[] = [];
    for (const [position, batch] of batches.entries()) {
      if (batch.sequence <= next.sequence) continue;
      if (!follows(next, batch)) {
        this.#waiting = batches.slice(position);
        void this.#reload();
        break;
      }
      next = reduceBatch(next, batch);
      items.push(...batch.items);
    }
    if (next !== view) this.store.setState({ view: next, connection: { state: 'live' } });
    if (items.length > 0) for (const listener of this.#listeners) listener(items);
  }

  async #reload(): Promise<void> {
    if (this.#loading || this.#disposed) return;
    this.#loading = true;
    try {
      const [view, info] = await this.#ask();
      if (this.#disposed) return;
      this.#heardAt = this.#host.now();
      this.#waiting = this.#waiting.filter(({ sequence }) => sequence > view.sequence);
      this.store.setState({ view, info, connection: { state: 'live' } });
    } catch (error) {
      if (!this.#disposed) this.#lose(error instanceof Error ? error.message : String(error));
    } finally {
      this.#loading = false;
    }
    if (this.#waiting.length > 0) this.#askFrame();
  }

  #ask(): Promise<[ClusterView, AppInfo]> {
    const answer = Promise.all([
      this.#bridge.call('cluster:view', undefined),
      this.#bridge.call('app:info', undefined),
    ]);
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error('The panel does not answer.'));
      const cancel = this.#host.setTimer(late, ANSWER_WITHIN_MS);
      answer.then(resolve, reject).finally(cancel);
    });
  }

  #lose(message: string): void {
    const { connection } = this.store.getState();
    const since = connection.state === 'lost' ? connection.since : this.#heardAt;
    this.store.setState({ connection: { state: 'lost', since, message } });
  }

  /** Dead nodes say nothing, so silence alone proves nothing: ask. */
  #watch(): void {
    this.#cancelWatch = this.#host.setTimer(() => {
      const silent = this.#host.now() - this.#heardAt >= SILENCE_MS;
      const { view, connection } = this.store.getState();
      if (silent || view === null || connection.state === 'lost') void this.#reload();
      this.#watch();
    }, RETRY_MS);
  }
}

function browserHost(): FeedHost {
  return {
    // A hidden window gets no frames, but its picture should stay fresh.
    requestFrame: (callback) => {
      if (document.hidden) setTimeout(callback, 200);
      else requestAnimationFrame(callback);
    },
    setTimer: (callback, delayMs) => {
      const timer = setTimeout(callback, delayMs);
      return () => clearTimeout(timer);
    },
    now: () => Date.now(),
  };
}
