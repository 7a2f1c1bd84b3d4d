// One client of a chaos run: one call at a time, drawn at random, written down with the moments of its call and its
// reply. A write whose fate is unknown is sent again under its session, which must not make it happen twice.

import type { Client, WriteOptions } from '../client/client.ts';
import { ClientError, type WriteSession } from '../client/client-error.ts';
import type { CounterChecker } from '../simulator/checkers/counters.ts';
import type { Random } from '../simulator/random.ts';
import { type Generation, REGISTERS, type RecordedCall } from './generation.ts';
import type { OperationKind, OperationOutcome, Tally } from './tally.ts';

export interface RecordingClientOptions {
  id: number;
  client: Client;
  random: Random;
  tally: Tally;
  counters: CounterChecker;
  /** Milliseconds since the run began. */
  now: () => number;
  /** Keys for the next call. */
  generation: () => Generation;
  /** Something that no store may do: two increments with one answer, twins that differ. */
  onViolation: (message: string) => void;
}

/** One call under way: what of it is written down, and what its reply means. */
interface Call {
  kind: OperationKind;
  run: (options: WriteOptions) => Promise<void>;
  records: RecordedCall[];
  /** Of an increment. */
  counter: { key: string; call: number } | null;
}

/** Short ones end in the middle of a failover: fates unknown, writes sent again. */
const DEADLINES_MS = [60, 200, 600, 3000, 3000];
const REPEATS_MAX = 4;
/** Share of writes of unknown fate that are sent again. */
const REPEATED_SHARE = 0.8;
const THINK_MS_MAX = 25;
const TWIN_NAMES = ['a', 'b', 'c'];

export class RecordingClient {
  readonly #options: RecordingClientOptions;
  /** What it saw last of each key of the generation in use. */
  #seen = new Map<string, string | null>();
  #seenGeneration = 0;
  #values = 0;
  #isStopping = false;

  constructor(options: RecordingClientOptions) {
    this.#options = options;
  }

  /** Resolves when it has stopped, with no call under way. */
  async run(): Promise<void> {
    const { random, generation } = this.#options;
    while (!this.#isStopping) {
      await new Promise((wake) => setTimeout(wake, random.below(THINK_MS_MAX)));
      if (this.#isStopping) return;
      const keys = generation();
      if (keys.number !== this.#seenGeneration) this.#seen = new Map();
      this.#seenGeneration = keys.number;
      keys.open += 1;
      keys.used += 1;
      try {
        await this.#carryOut(this.#draw(keys));
      } finally {
        keys.open -= 1;
      }
    }
  }

  /** No call after the one under way. */
  stop(): void {
    this.#isStopping = true;
  }

  #newValue(): string {
    this.#values += 1;
    const value = `c${this.#options.id}.${this.#values}`;
    // Some are long: logs grow, snapshots come, messages fall into pieces.
    return this.#options.random.chance(0.1) ? value.padEnd(400, '.') : value;
  }

  #record(keys: Generation, call: Pick<RecordedCall, 'f' | 'key' | 'value'>, lane = 0): RecordedCall {
    const { id, now } = this.#options;
    // Each key of a bulk write or a scan is a call of its own, side by side with the others.
    const process = lane === 0 ? `c${id}` : `c${id}/${lane}`;
    return keys.invoke({ process, ...call, callMs: now() });
  }

  #draw(keys: Generation): Call {
    const { random } = this.#options;
    const key = keys.register(random.below(REGISTERS));
    const draw = random.below(100);
    if (draw < 27) return this.#read(keys, key);
    if (draw < 32) return this.#staleRead(key);
    if (draw < 37) return this.#readTwins(keys);
    if (draw < 57) return this.#set(keys, key);
    if (draw < 61) return this.#delete(keys, key);
    if (draw < 76) return this.#cas(keys, key);
    if (draw < 82) return this.#bulk(keys);
    if (draw < 86) return this.#writeTwins(keys);
    return this.#increment(keys);
  }

  #read(keys: Generation, key: string): Call {
    const { client } = this.#options;
    const record = this.#record(keys, { f: 'read', key, value: null });
    const run = async ({ deadlineMs }: WriteOptions): Promise<void> => {
      const { found, value } = await client.get(key, { deadlineMs });
      record.value = found ? String(value) : null;
      this.#seen.set(key, record.value);
    };
    return { kind: 'read', run, records: [record], counter: null };
  }

  /** May be old: has no place in a linearizable history, and must only not fail in a strange way. */
  #staleRead(key: string): Call {
    const { client } = this.#options;
    const run = async ({ deadlineMs }: WriteOptions): Promise<void> => {
      await client.get(key, { deadlineMs, consistency: 'stale' });
    };
    return { kind: 'stale read', run, records: [], counter: null };
  }

  #set(keys: Generation, key: string): Call {
    const { client } = this.#options;
    const value = this.#newValue();
    const record = this.#record(keys, { f: 'write', key, value });
    const run = async (options: WriteOptions): Promise<void> => void (await client.set(key, value, options));
    return { kind: 'set', run, records: [record], counter: null };
  }

  #delete(keys: Generation, key: string): Call {
    const { client } = this.#options;
    const record = this.#record(keys, { f: 'write', key, value: null });
    const run = async (options: WriteOptions): Promise<void> => void (await client.delete(key, options));
    return { kind: 'delete', run, records: [record], counter: null };
  }

  #cas(keys: Generation, key: string): Call {
    const { client } = this.#options;
    const expected = this.#seen.get(key) ?? null;
    const value = this.#newValue();
    const record = this.#record(keys, { f: 'cas', key, value: [expected, value] });
    const run = async (options: WriteOptions): Promise<void> => {
      const { swapped, current } = await client.cas(key, expected, value, options);
      const seen = current === null ? null : String(current);
      this.#seen.set(key, swapped ? value : seen);
      if (swapped) return;
      record.f = 'read';
      record.value = seen;
    };
    return { kind: 'cas', run, records: [record], counter: null };
  }

  #bulk(keys: Generation): Call {
    const { client, random } = this.#options;
    const value = this.#newValue();
    const first = random.below(REGISTERS);
    const names = Array.from({ length: 2 + random.below(3) }, (_, at) => keys.register(first + at));
    return this.#bulkOf(
      keys,
      names,
      (options) =>
        client.bulkSet(
          names.map((key) => [key, value]),
          options,
        ),
      value,
    );
  }

  /** All of one prefix at once: whoever sees one of them has seen the others. */
  #writeTwins(keys: Generation): Call {
    const { client, random } = this.#options;
    const value = this.#newValue();
    const prefix = keys.twins(random.below(8));
    const names = TWIN_NAMES.map((name) => prefix + name);
    return this.#bulkOf(
      keys,
      names,
      (options) =>
        client.bulkSet(
          names.map((key) => [key, value]),
          options,
        ),
      value,
    );
  }

  #bulkOf(
    keys: Generation,
    names: readonly string[],
    write: (options: WriteOptions) => Promise<unknown>,
    value: string,
  ): Call {
    const records = names.map((key, at) => this.#record(keys, { f: 'write', key, value }, at + 1));
    const run = async (options: WriteOptions): Promise<void> => void (await write(options));
    return { kind: 'bulk', run, records, counter: null };
  }

  #readTwins(keys: Generation): Call {
    const { client, random, onViolation } = this.#options;
    const prefix = keys.twins(random.below(8));
    const names = TWIN_NAMES.map((name) => prefix + name);
    const records = names.map((key, at) => this.#record(keys, { f: 'read', key, value: null }, at + 1));
    const run = async ({ deadlineMs }: WriteOptions): Promise<void> => {
      const { items } = await client.scanPage({ prefix, deadlineMs });
      const values = new Map(items.map(({ key, value }) => [String(key), String(value)]));
      for (const record of records) record.value = values.get(record.key) ?? null;
      const [first] = records;
      if (records.some(({ value }) => value !== first?.value)) {
        const seen = records.map(({ key, value }) => `${key} ${value}`).join(', ');
        onViolation(`keys that are only written together differ: ${seen}`);
      }
    };
    return { kind: 'scan', run, records, counter: null };
  }

  #increment(keys: Generation): Call {
    const { client, random, counters } = this.#options;
    const key = keys.counter(random.below(8));
    const counter = { key, call: counters.call(key) };
    const run = async (options: WriteOptions): Promise<void> => {
      const { value } = await client.incr(key, 1, options);
      this.#guard(() => counters.answered(counter, String(value)));
    };
    return { kind: 'incr', run, records: [], counter };
  }

  #guard(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#options.onViolation(error instanceof Error ? error.message : String(error));
    }
  }

  async #carryOut(call: Call): Promise<void> {
    const { tally, now, counters } = this.#options;
    const calledMs = now();
    const outcome = await this.#attempt(call);
    const atMs = now();
    // What did not happen, a read that nobody answered, and what may have happened.
    const reply = outcome === 'ok' ? 'ok' : outcome === 'failed' ? 'fail' : 'info';
    for (const record of call.records) record.reply = { type: reply, atMs };
    if (outcome !== 'ok' && call.counter !== null) counters.unanswered(call.counter, outcome === 'unknown');
    tally.ended(call.kind, outcome, { atMs, latencyMs: atMs - calledMs });
  }

  async #attempt(call: Call): Promise<OperationOutcome> {
    const { random, tally } = this.#options;
    let session: WriteSession | null = null;
    let isInDoubt = false;
    for (let attempt = 0; ; attempt++) {
      try {
        await call.run({ deadlineMs: random.pick(DEADLINES_MS), ...(session !== null && { session }) });
        return 'ok';
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        // Once in doubt, what a later attempt is told of itself says nothing about the first.
        if (error.outcome === 'unknown') isInDoubt = true;
        session = error.session ?? session;
        const mayRepeat = isInDoubt && session !== null && attempt < REPEATS_MAX && !this.#isStopping;
        if (!mayRepeat || !random.chance(REPEATED_SHARE)) return isInDoubt ? 'unknown' : 'failed';
        tally.repeats += 1;
      }
    }
  }
}
