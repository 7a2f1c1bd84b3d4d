// The load generator: so many clients that write and read through engine/client at a rate, as outside programs
// would. Counts what was acknowledged, what failed, and what nobody can know.
import { type Client, createClient } from '../../../engine/client/client.ts';
import { ClientError } from '../../../engine/client/client-error.ts';
import type { WorkloadStatus } from '../../shared/cluster-view.ts';
import type { WorkloadRequest } from '../../shared/contract.ts';
import type { Acknowledgement } from './failover-stopwatch.ts';
import { wallClockMs } from './wall-clock.ts';

const KEYS_COUNT = 10_000;
/** Clients beyond so many share connections: the panel's process has one thread for all of them. */
const CONNECTIONS_MAX = 8;
const PACE_INTERVAL_MS = 4;
/** What was not used within this time is lost: after an outage the rate is the rate, not a flood. */
const BURST_MS_MAX = 50;
const REPORT_INTERVAL_MS = 250;
const PAUSE_AFTER_FAILURE_MS = 50;

export interface WorkloadOptions {
  /** Client ports of the nodes that there are now, `host:port`. */
  addresses: () => readonly string[];
  onStatus: (status: WorkloadStatus) => void;
  /** Each acknowledged write. */
  onAcknowledged: (ack: Acknowledgement) => void;
}

export class Workload {
  readonly #options: WorkloadOptions;
  #run: Run | null = null;

  constructor(options: WorkloadOptions) {
    this.#options = options;
  }

  /** A run that is under way ends first; its counters end with it. */
  start(request: WorkloadRequest): void {
    this.stop();
    this.#run = new Run(this.#options, request);
  }

  /** No new operation begins; those under way are still counted. */
  stop(): void {
    this.#run?.stop();
    this.#run = null;
  }
}

class Run {
  readonly #options: WorkloadOptions;
  readonly #request: WorkloadRequest;
  readonly #clients: Client[];
  readonly #value: string;
  readonly #paceTimer: NodeJS.Timeout;
  readonly #reportTimer: NodeJS.Timeout;
  #running = true;
  readonly #counts = { acknowledged: 0, failed: 0, unknown: 0 };
  /** Operations that may begin now. */
  #tokens = 0;
  #pacedAt = performance.now();
  #waiting: (() => void)[] = [];

  constructor(options: WorkloadOptions, request: WorkloadRequest) {
    this.#options = options;
    this.#request = request;
    this.#value = 'v'.repeat(request.valueBytes);
    this.#clients = Array.from({ length: Math.min(request.clients, CONNECTIONS_MAX) }, () =>
      createClient({ addresses: options.addresses() }),
    );
    this.#paceTimer = setInterval(() => this.#pace(), PACE_INTERVAL_MS);
    this.#reportTimer = setInterval(() => this.#report(), REPORT_INTERVAL_MS);
    this.#report();
    const loops = Array.from({ length: request.clients }, (_, position) => this.#loop(position));
    void Promise.all(loops).finally(() => this.#finish());
  }

  stop(): void {
    this.#running = false;
    clearInterval(this.#paceTimer);
    clearInterval(this.#reportTimer);
    for (const wake of this.#waiting.splice(0)) wake();
    this.#report();
  }

  #report(): void {
    this.#options.onStatus({ ...this.#request, ...this.#counts, running: this.#running });
  }

  #finish(): void {
    for (const client of this.#clients) client.close();
  }

  async #loop(position: number): Promise<void> {
    const client = this.#clients[position % this.#clients.length];
    if (client === undefined) return;
    while (this.#running) {
      await this.#turn();
      if (!this.#running) return;
      try {
        await this.#operate(client);
        this.#count('acknowledged');
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        this.#count(error.outcome === 'unknown' ? 'unknown' : 'failed');
        await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_FAILURE_MS));
      }
    }
  }

  async #operate(client: Client): Promise<void> {
    const key = `load:${Math.floor(Math.random() * KEYS_COUNT)}`;
    if (Math.random() >= this.#request.writeRatio) {
      await client.get(key);
      return;
    }
    const startedAt = wallClockMs();
    const { receipt } = await client.set(key, this.#value);
    this.#options.onAcknowledged({
      startedAt,
      at: wallClockMs(),
      nodeId: receipt.nodeId,
      term: receipt.term,
    });
  }

  #count(outcome: 'acknowledged' | 'failed' | 'unknown'): void {
    this.#counts[outcome] += 1;
    // After the stop nobody reports any more, and what was under way still counts.
    if (!this.#running) this.#report();
  }

  /** Resolves when this client may begin its next operation. */
  #turn(): Promise<void> | undefined {
    if (this.#request.ratePerSecond === 0) return undefined;
    if (this.#tokens >= 1) {
      this.#tokens -= 1;
      return undefined;
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #pace(): void {
    const now = performance.now();
    const { ratePerSecond } = this.#request;
    const burstMax = Math.max(1, (ratePerSecond * BURST_MS_MAX) / 1000);
    this.#tokens = Math.min(burstMax, this.#tokens + (ratePerSecond * (now - this.#pacedAt)) / 1000);
    this.#pacedAt = now;
    const ready = this.#waiting.splice(0, Math.floor(this.#tokens));
    this.#tokens -= ready.length;
    for (const wake of ready) wake();
  }
}
