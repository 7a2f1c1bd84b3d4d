// Keys that live for a few seconds of a run, and everything that clients saw of them. When the next generation has
// taken over and no call is under way any more, the history is complete, small, and judged key by key.
import { checkHistory } from '../checker/check.ts';
import type { HistoryEntry, HistoryFunction } from '../checker/history.ts';
import type { JsonValue } from '../checker/json-values.ts';
import { historyFromEntries } from '../checker/parse-history.ts';

export const REGISTERS = 12;
const COUNTERS = 2;
const TWINS = 2;
/** Steps of search for one generation: a sound one needs some thousands. */
export const GENERATION_BUDGET_STEPS = 3_000_000;

/** One call on one key. What it was may become known only with its reply: a swap that failed was a read. */
export interface RecordedCall {
  process: string;
  f: HistoryFunction;
  key: string;
  value: JsonValue;
  /** Milliseconds since the run began, with a fraction. */
  callMs: number;
  reply: { type: 'ok' | 'fail' | 'info'; atMs: number } | null;
}

export interface Judgement {
  result: 'ok' | 'violation' | 'undecided';
  reason: string;
  /** Of the keys in violation. */
  keys: readonly string[];
}

export class Generation {
  readonly number: number;
  readonly beganAtMs: number;
  readonly calls: RecordedCall[] = [];
  /** Calls without a reply yet, increments and scans too. */
  open = 0;
  /** Calls of any kind. */
  used = 0;

  constructor(number: number, beganAtMs: number) {
    this.number = number;
    this.beganAtMs = beganAtMs;
  }

  register(at: number): string {
    return `g${this.number}/k${at % REGISTERS}`;
  }

  counter(at: number): string {
    return `g${this.number}/n${at % COUNTERS}`;
  }

  /** Prefix of keys that are only ever written together, with one value. */
  twins(at: number): string {
    return `g${this.number}/t${at % TWINS}/`;
  }

  invoke(call: Omit<RecordedCall, 'reply'>): RecordedCall {
    const recorded: RecordedCall = { ...call, reply: null };
    this.calls.push(recorded);
    return recorded;
  }

  entries(): HistoryEntry[] {
    return this.calls.flatMap((call): HistoryEntry[] => {
      const { process, f, key, value, callMs, reply } = call;
      const invoke: HistoryEntry = {
        process,
        type: 'invoke',
        f,
        key,
        time: callMs,
        ...(f !== 'read' && { value }),
      };
      if (reply === null) return [invoke];
      const { type, atMs: time } = reply;
      return [invoke, { process, type, f, key, time, ...(f === 'read' && type === 'ok' && { value }) }];
    });
  }
}

/** Throws when the entries are no history: a mistake of the recorder. */
export function judge(entries: readonly HistoryEntry[]): Judgement {
  const parsed = historyFromEntries(entries);
  if (!parsed.ok) throw new Error(`the history cannot be read: ${parsed.errors[0]?.message}`);
  const { result, reason, keys } = checkHistory(parsed.history, { budget: GENERATION_BUDGET_STEPS });
  const failing = keys
    .filter((key) => key.result === 'violation')
    .map(({ key }) => JSON.parse(key) as string);
  return { result, reason, keys: failing };
}
