// Seeded histories: of an atomic object under concurrent clients (linearizable by construction), of the same
// with lies in it, and of pure noise.
import type { HistoryFunction, OperationEntry } from '../../engine/checker/history.ts';
import type { JsonValue } from '../../engine/checker/json-values.ts';

/** Numbers in [0, 1): mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface HistoryShape {
  readonly processes: number;
  readonly operations: number;
  readonly keys: number;
  readonly functions: readonly HistoryFunction[];
  /** Values are drawn from so many; 'unique' gives each write its own. */
  readonly values: number | 'unique';
  readonly failRate: number;
  readonly unknownRate: number;
}

type Random = () => number;

/** What a client is doing: it called, may have taken effect, and has not heard of it. */
interface UnderWay {
  readonly f: HistoryFunction;
  readonly key: string;
  readonly argument: JsonValue;
  fate: 'ok' | 'fail' | 'unknown';
  happened: boolean;
  result: JsonValue;
}

/** A history of an object that does one thing at a time: each operation happens between its call and its reply. */
export function atomicHistory(shape: HistoryShape, random: Random): OperationEntry[] {
  const entries: OperationEntry[] = [];
  const state = new Map<string, JsonValue>();
  const clients: (UnderWay | null)[] = Array.from({ length: shape.processes }, () => null);
  /** Unknown ones that have not happened yet, and still can. */
  const adrift: UnderWay[] = [];
  let calls = 0;
  let fresh = 0;
  const pick = (count: number) => Math.floor(random() * count);
  const drawValue = (): JsonValue => (shape.values === 'unique' ? ++fresh : pick(shape.values));

  while (calls < shape.operations || clients.some((client) => client !== null)) {
    const lost = random() < 0.05 ? adrift.splice(pick(adrift.length), 1)[0] : undefined;
    if (lost !== undefined) happen(lost, state);
    const process = pick(shape.processes);
    const client = clients[process] ?? null;
    if (client === null) {
      if (calls >= shape.operations) continue;
      calls++;
      const f = shape.functions[pick(shape.functions.length)] ?? 'read';
      const key = `k${pick(shape.keys)}`;
      const current = state.get(key) ?? null;
      const expected = random() < 0.7 ? current : drawValue();
      const argument = f === 'read' ? null : f === 'cas' ? [expected, drawValue()] : drawValue();
      const roll = random();
      const fate =
        roll < shape.unknownRate ? 'unknown' : roll < shape.unknownRate + shape.failRate ? 'fail' : 'ok';
      clients[process] = { f, key, argument, fate, happened: false, result: null };
      entries.push({ process, type: 'invoke', f, key, ...(f === 'read' ? {} : { value: argument }) });
    } else if (!client.happened && client.fate === 'ok' && random() < 0.6) {
      happen(client, state);
    } else if (client.fate !== 'ok' || client.happened) {
      const type = client.fate === 'unknown' ? 'info' : client.fate;
      if (client.fate === 'unknown') adrift.push(client);
      clients[process] = null;
      // Half of those that never hear anything are never heard of again.
      if (type === 'info' && calls >= shape.operations && random() < 0.5) continue;
      const value = client.f === 'read' && type === 'ok' ? { value: client.result } : {};
      entries.push({ process, type, f: client.f, key: client.key, ...value });
    }
  }
  return entries;
}

function happen(client: UnderWay, state: Map<string, JsonValue>): void {
  client.happened = true;
  const current = state.get(client.key) ?? null;
  if (client.f === 'read') client.result = current;
  else if (client.f === 'write') state.set(client.key, client.argument);
  else if (client.f === 'append') {
    if (current === null || Array.isArray(current)) {
      state.set(client.key, [...((current ?? []) as JsonValue[]), client.argument]);
    } else if (client.fate === 'ok') client.fate = 'fail';
  } else {
    const [expected, next] = client.argument as readonly JsonValue[];
    if (JSON.stringify(expected) !== JSON.stringify(current)) {
      if (client.fate === 'ok') client.fate = 'fail';
    } else state.set(client.key, next ?? null);
  }
}

/** One lie: a read returns what another returned, a failure is called a success, or two replies change places. */
export function lieOnce(entries: readonly OperationEntry[], random: Random): OperationEntry[] {
  const lied = entries.slice();
  const pick = <Item>(items: readonly Item[]): Item | undefined => items[Math.floor(random() * items.length)];
  const indexesOf = (matches: (entry: OperationEntry) => boolean) =>
    lied.flatMap((entry, index) => (matches(entry) ? [index] : []));
  const kind = random();
  if (kind < 0.6) {
    const reads = indexesOf((entry) => entry.f === 'read' && entry.type === 'ok');
    const target = pick(reads);
    const source = lied[pick(reads) ?? -1];
    const entry = lied[target ?? -1];
    if (entry !== undefined && source !== undefined && target !== undefined) {
      lied[target] = { ...entry, value: source.value ?? null };
    }
  } else if (kind < 0.8) {
    const target = pick(indexesOf((entry) => entry.type === 'fail' && entry.f !== 'read'));
    const entry = lied[target ?? -1];
    if (entry !== undefined && target !== undefined) lied[target] = { ...entry, type: 'ok' };
  } else {
    const at = Math.floor(random() * (lied.length - 1));
    const [first, second] = [lied[at], lied[at + 1]];
    if (first !== undefined && second !== undefined && first.process !== second.process) {
      lied[at] = second;
      lied[at + 1] = first;
    }
  }
  return lied;
}

/** Calls and replies at random, with values at random: mostly wrong. */
export function noiseHistory(shape: HistoryShape, random: Random): OperationEntry[] {
  const values = shape.values === 'unique' ? shape.operations : shape.values;
  const drawValue = (): JsonValue => (random() < 0.15 ? null : Math.floor(random() * values));
  const elements = (): JsonValue => Array.from({ length: Math.floor(random() * 4) }, drawValue);
  const holdsLists = shape.functions.includes('append');
  return atomicHistory(shape, random).map((entry) => {
    if (entry.f === 'read' && entry.type === 'ok' && random() < 0.5) {
      return { ...entry, value: holdsLists ? elements() : drawValue() };
    }
    return entry;
  });
}
