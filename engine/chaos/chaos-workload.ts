// The load of a chaos run: recording clients, and the generations of keys that they use one after another. A
// generation that nobody uses any more is judged at once and goes to the history file.
import { createClient } from '../client/client.ts';
import type { CounterChecker } from '../simulator/checkers/counters.ts';
import type { Random } from '../simulator/random.ts';
import { Generation, judge } from './generation.ts';
import type { HistoryFile } from './history-file.ts';
import { RecordingClient } from './recording-client.ts';
import type { Tally } from './tally.ts';

export interface ChaosWorkloadOptions {
  clients: number;
  addresses: readonly string[];
  random: Random;
  tally: Tally;
  counters: CounterChecker;
  history: HistoryFile;
  now: () => number;
  onViolation: (message: string) => void;
  /** The search for an order was given up. */
  onUndecided: (message: string) => void;
}

/** A generation gives way after so many calls, so that each of its keys has a history that is quickly judged. */
const CALLS_MAX = 500;
const AGE_MS_MAX = 8_000;

export class ChaosWorkload {
  readonly #options: ChaosWorkloadOptions;
  readonly #clients: RecordingClient[] = [];
  readonly #closers: (() => void)[] = [];
  #running: Promise<void>[] = [];
  #current: Generation;
  /** Not in use for new calls, and not yet without calls under way. */
  #leaving: Generation[] = [];
  #stored: Promise<void>[] = [];
  #generations = 1;

  constructor(options: ChaosWorkloadOptions) {
    this.#options = options;
    this.#current = new Generation(1, options.now());
    for (let id = 1; id <= options.clients; id++) this.#addClient(id);
  }

  get generations(): number {
    return this.#generations;
  }

  #addClient(id: number): void {
    const { addresses, random, tally, counters, now, onViolation } = this.#options;
    const own = random.fork(`client ${id}`);
    const client = createClient({ addresses, random: own.fork('retries').next });
    this.#closers.push(() => client.close());
    const generation = (): Generation => this.#generation();
    this.#clients.push(
      new RecordingClient({ id, client, random: own, tally, counters, now, generation, onViolation }),
    );
  }

  /** `onFailure`: a client met something that no client should, a programmer's error. */
  start(onFailure: (error: unknown) => void): void {
    this.#running = this.#clients.map((client) => client.run().catch(onFailure));
  }

  /** Resolves when no call is under way, and all of the history is in the file. */
  async stop(): Promise<void> {
    for (const client of this.#clients) client.stop();
    await Promise.all(this.#running);
    for (const close of this.#closers) close();
    this.#leaving.push(this.#current);
    this.#storeFinished();
    await Promise.all(this.#stored);
  }

  #generation(): Generation {
    const { now } = this.#options;
    const { used, beganAtMs } = this.#current;
    if (used >= CALLS_MAX || (used > 0 && now() - beganAtMs > AGE_MS_MAX)) {
      this.#leaving.push(this.#current);
      this.#generations += 1;
      this.#current = new Generation(this.#generations, now());
    }
    this.#storeFinished();
    return this.#current;
  }

  #storeFinished(): void {
    if (this.#leaving.every(({ open }) => open > 0)) return;
    const finished = this.#leaving.filter(({ open }) => open === 0);
    this.#leaving = this.#leaving.filter(({ open }) => open > 0);
    for (const generation of finished) this.#store(generation);
  }

  #store(generation: Generation): void {
    const { history, onViolation, onUndecided } = this.#options;
    const entries = generation.entries();
    if (entries.length === 0) return;
    const { result, reason } = judge(entries);
    if (result === 'violation') onViolation(`not linearizable: ${reason}`);
    if (result === 'undecided') onUndecided(reason);
    const stored = history.append(generation.number, entries);
    this.#stored.push(stored);
    void stored.then(() => {
      this.#stored = this.#stored.filter((other) => other !== stored);
    });
  }
}
