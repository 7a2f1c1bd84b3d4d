// Collects what nodes and clients say, keeps the current ClusterView through the same reducer that the window
// uses, and hands out batches: one a frame, bounded, counting what was thrown away.
import type { NodeStatus } from '../../../engine/protocol/node-status.ts';
import type { ClusterBatch, ClusterItem, ClusterView, ProcessView } from '../../shared/cluster-view.ts';
import { initialView, reduceBatch } from '../../shared/reduce-batch.ts';
import { RateSampler } from './rate-sampler.ts';

const FRAME_MS = 16;
const SAMPLE_INTERVAL_MS = 500;
/** Events and samples of one batch; a window cannot tell more apart in a frame, and the feed keeps no more. */
export const BATCH_EVENTS_MAX = 500;

export interface RecorderOptions {
  clusterId: string;
  processes: readonly ProcessView[];
  /** Milliseconds since the epoch. */
  now: () => number;
}

export class Recorder {
  readonly #now: () => number;
  readonly #sampler = new RateSampler();
  readonly #listeners = new Set<(batch: ClusterBatch) => void>();
  #view: ClusterView;
  #items: ClusterItem[] = [];
  #eventsCount = 0;
  #dropped = 0;
  #frameTimer: NodeJS.Timeout | null = null;
  readonly #sampleTimer: NodeJS.Timeout;

  constructor({ clusterId, processes, now }: RecorderOptions) {
    this.#now = now;
    this.#view = initialView({ clusterId, at: now(), processes });
    this.#sampleTimer = setInterval(() => this.#sample(), SAMPLE_INTERVAL_MS);
    this.#sampleTimer.unref();
  }

  /** Up to date with everything that was added. */
  view(): ClusterView {
    this.flush();
    return this.#view;
  }

  /** Returns the unsubscribe. */
  subscribe(listener: (batch: ClusterBatch) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  add(item: ClusterItem): void {
    if (item.type === 'status') this.#sampler.status(item.status);
    if (item.type === 'event' || item.type === 'sample' || (item.type === 'watch' && !item.ended)) {
      if (this.#eventsCount >= BATCH_EVENTS_MAX) {
        this.#dropped += 1;
        return;
      }
      this.#eventsCount += 1;
    }
    if (item.type === 'status') this.#replaceStatus(item.status);
    else this.#items.push(item);
    this.#frameTimer ??= setTimeout(() => this.flush(), FRAME_MS);
  }

  /** Sends what is waiting now instead of with the next frame. */
  flush(): void {
    if (this.#frameTimer !== null) clearTimeout(this.#frameTimer);
    this.#frameTimer = null;
    if (this.#items.length === 0 && this.#dropped === 0) return;
    const batch: ClusterBatch = {
      sequence: this.#view.sequence + 1,
      at: this.#now(),
      dropped: this.#dropped,
      items: this.#items,
    };
    this.#items = [];
    this.#eventsCount = 0;
    this.#dropped = 0;
    this.#view = reduceBatch(this.#view, batch);
    for (const listener of [...this.#listeners]) listener(batch);
  }

  close(): void {
    clearInterval(this.#sampleTimer);
    this.flush();
    this.#listeners.clear();
  }

  /** Two statuses of one node within a frame: the newer says it all. The order to other items stays. */
  #replaceStatus(status: NodeStatus): void {
    const last = this.#items.at(-1);
    if (last?.type === 'status' && last.status.nodeId === status.nodeId) this.#items.pop();
    this.#items.push({ type: 'status', status });
  }

  #sample(): void {
    this.flush();
    const sample = this.#sampler.sample(this.#view, this.#now());
    if (sample !== null) this.add({ type: 'sample', sample });
  }
}
