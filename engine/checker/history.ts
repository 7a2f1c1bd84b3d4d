// What a history is: operations of processes with the moments of their call and reply, and marks of faults.
// The file format is documented in HISTORY.md and read by parse-history.ts.
import type { JsonValue } from './json-values.ts';

export const HISTORY_FUNCTIONS = ['read', 'write', 'cas', 'append'] as const;
export type HistoryFunction = (typeof HISTORY_FUNCTIONS)[number];

/** One line of an operation: its call (`invoke`) or its reply. A recorder writes these as JSON Lines. */
export interface OperationEntry {
  readonly process: number | string;
  readonly type: 'invoke' | 'ok' | 'fail' | 'info';
  /** Needed on `invoke`; on a reply it only has to agree. */
  readonly f?: HistoryFunction;
  /** Any JSON. Absent or null: the history's only register. */
  readonly key?: JsonValue;
  /** On `invoke`: what to write, `[expected, new]`, or the element. On the `ok` of a read: what it returned. */
  readonly value?: JsonValue;
  /** Any unit, the same in the whole file. */
  readonly time?: number;
}

/** A fault, drawn over the operations; it has no part in the verdict. */
export interface FaultEntry {
  readonly type: 'fault';
  readonly name: string;
  readonly target?: string;
  readonly time?: number;
  /** When it was over; absent for a fault without duration. */
  readonly until?: number;
}

export type HistoryEntry = OperationEntry | FaultEntry;

/** Positions number all calls and replies of a history from 0 in the order in which they happened. */
export interface Operation {
  /** Its place in History.operations, which is the order of calls. */
  readonly index: number;
  readonly process: string;
  readonly f: HistoryFunction;
  /** Canonical JSON of the key; 'null' is the register without a key. */
  readonly key: string;
  /** The argument; of a read what it returned, null while nobody knows. */
  readonly value: JsonValue;
  /** `fail`: it did not happen. `unknown`: it may happen at any time after its call, or never. */
  readonly outcome: 'ok' | 'fail' | 'unknown';
  readonly callPosition: number;
  /** Infinity when the outcome is unknown. */
  readonly returnPosition: number;
  readonly callTime: number | null;
  /** When the reply or the `info` came; null without one, and in a history without times. */
  readonly returnTime: number | null;
  readonly callLine: number;
  readonly returnLine: number | null;
}

export interface FaultMark {
  readonly name: string;
  readonly target: string | null;
  /** It happened before the call or reply at this position. */
  readonly position: number;
  readonly untilPosition: number | null;
  readonly time: number | null;
  readonly until: number | null;
  readonly line: number;
}

export interface History {
  /** In the order of their calls. */
  readonly operations: readonly Operation[];
  readonly faults: readonly FaultMark[];
  /** Number of calls and replies: positions are below it. */
  readonly positionCount: number;
  /** Times ordered the lines. Otherwise the order of the lines did. */
  readonly isTimed: boolean;
}

/** Line numbers start at 1. */
export interface HistoryError {
  readonly line: number;
  readonly message: string;
}

export function describeKey(key: string): string {
  return key === 'null' ? 'the register' : `key ${key}`;
}

/** As a person would say it: `process 3 read → 1 (line 17)`. */
export function describeOperation(operation: Operation): string {
  return `process ${operation.process} ${describeCall(operation)} (line ${operation.returnLine ?? operation.callLine})`;
}

export function describeCall(operation: Operation): string {
  const value = JSON.stringify(operation.value);
  if (operation.f === 'read') return operation.outcome === 'ok' ? `read → ${value}` : 'read';
  if (operation.f === 'cas' && Array.isArray(operation.value)) {
    const [expected, next] = operation.value as readonly JsonValue[];
    return `cas ${JSON.stringify(expected)} → ${JSON.stringify(next)}`;
  }
  return `${operation.f} ${value}`;
}
