// Reads a history from JSON Lines or from entries in memory: checks each line, orders them by time, and joins
// each call with its reply. Bad input is a list of errors with line numbers, never an exception.
import {
  type FaultMark,
  HISTORY_FUNCTIONS,
  type History,
  type HistoryEntry,
  type HistoryError,
  type HistoryFunction,
  type Operation,
} from './history.ts';
import { canonicalJson, findUnsafePart, type JsonValue } from './json-values.ts';

export type ParsedHistory =
  | { readonly ok: true; readonly history: History }
  /** At most ERRORS_MAX errors by line; `errorCount` counts all. */
  | { readonly ok: false; readonly errors: readonly HistoryError[]; readonly errorCount: number };

const ERRORS_MAX = 20;

interface Line {
  readonly line: number;
  readonly time: number | null;
}

interface OperationLine extends Line {
  readonly type: 'invoke' | 'ok' | 'fail' | 'info';
  /** Canonical, so that process 1 and process "1" are two. */
  readonly processId: string;
  readonly process: string;
  readonly f: HistoryFunction | null;
  readonly key: string;
  /** undefined when the line has none. */
  readonly value: JsonValue | undefined;
}

interface FaultLine extends Line {
  readonly type: 'fault';
  readonly name: string;
  readonly target: string | null;
  readonly until: number | null;
}

/** `text` is JSON Lines; empty lines and a byte order mark are skipped. */
export function parseHistory(text: string): ParsedHistory {
  const reader = new HistoryReader();
  let line = 0;
  for (const raw of text.replace(/^\uFEFF/, '').split('\n')) {
    line++;
    const trimmed = raw.trim();
    if (trimmed === '') continue;
    const entry = parseJson(trimmed);
    if (entry === undefined) reader.fail(line, `expected a JSON object, got ${excerpt(trimmed)}`);
    else reader.add(entry, line);
  }
  return reader.finish();
}

/** The same for entries that never were text: entry n counts as line n + 1. */
export function historyFromEntries(entries: Iterable<HistoryEntry>): ParsedHistory {
  const reader = new HistoryReader();
  let line = 0;
  for (const entry of entries) reader.add(entry, ++line);
  return reader.finish();
}

class HistoryReader {
  readonly #errors: HistoryError[] = [];
  readonly #lines: (OperationLine | FaultLine)[] = [];

  fail(line: number, message: string): void {
    this.#errors.push({ line, message });
  }

  add(entry: unknown, line: number): void {
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
      this.fail(line, `expected a JSON object, got ${show(entry)}`);
      return;
    }
    const fields = entry as Readonly<Record<string, unknown>>;
    const parsed = fields.type === 'fault' ? readFault(fields, line) : readOperation(fields, line);
    if (typeof parsed === 'string') this.fail(line, parsed);
    else this.#lines.push(parsed);
  }

  finish(): ParsedHistory {
    // A line that could not be read leaves calls without replies: errors that follow from it are not reported.
    if (this.#errors.length === 0) {
      const history = joinLines(this.#lines, (line, message) => this.fail(line, message));
      if (this.#errors.length === 0) return { ok: true, history };
    }
    const errors = this.#errors.toSorted((a, b) => a.line - b.line);
    return { ok: false, errors: errors.slice(0, ERRORS_MAX), errorCount: errors.length };
  }
}

/** The parsed line, or what was expected. */
function readOperation(fields: Readonly<Record<string, unknown>>, line: number): OperationLine | string {
  const { type, process, f, key, value } = fields;
  if (type !== 'invoke' && type !== 'ok' && type !== 'fail' && type !== 'info') {
    return `"type" is ${show(type)}: expected "invoke", "ok", "fail", "info" or "fault"`;
  }
  if (typeof process !== 'string' && !(typeof process === 'number' && Number.isFinite(process))) {
    return `"process" is ${show(process)}: expected a number or a string`;
  }
  const isAbsent = f === undefined || f === null;
  if (isAbsent ? type === 'invoke' : !(HISTORY_FUNCTIONS as readonly unknown[]).includes(f)) {
    return `"f" is ${show(f)}: expected "read", "write", "cas" or "append"`;
  }
  const time = readTime(fields, 'time');
  if (typeof time === 'string') return time;
  for (const name of ['key', 'value']) {
    const problem = fields[name] === undefined ? null : findUnsafePart(fields[name]);
    if (problem !== null) return `"${name}" holds what cannot be compared: expected ${problem}`;
  }
  if (type === 'invoke' && (f === 'write' || f === 'append') && value === undefined) {
    return `"value" is missing: expected what to ${f}`;
  }
  if (type === 'invoke' && f === 'cas' && !(Array.isArray(value) && value.length === 2)) {
    return `"value" is ${show(value)}: expected [expected, new] for a cas`;
  }
  return {
    line,
    time,
    type,
    processId: canonicalJson(process),
    process: String(process),
    f: isAbsent ? null : (f as HistoryFunction),
    key: canonicalJson((key ?? null) as JsonValue),
    value: value as JsonValue | undefined,
  };
}

function readFault(fields: Readonly<Record<string, unknown>>, line: number): FaultLine | string {
  const { name, target } = fields;
  if (typeof name !== 'string') return `"name" is ${show(name)}: expected a string that names the fault`;
  const time = readTime(fields, 'time');
  if (typeof time === 'string') return time;
  const until = readTime(fields, 'until');
  if (typeof until === 'string') return until;
  const label = target === undefined || target === null ? null : String(target);
  return { line, time, type: 'fault', name, target: label, until };
}

function readTime(fields: Readonly<Record<string, unknown>>, name: string): number | null | string {
  const time = fields[name];
  if (time === undefined || time === null) return null;
  if (typeof time === 'number' && Number.isFinite(time)) return time;
  return `"${name}" is ${show(time)}: expected a number`;
}

/** A call under way. */
interface OpenCall {
  readonly line: OperationLine;
  readonly position: number;
}

type Fail = (line: number, message: string) => void;

function joinLines(lines: readonly (OperationLine | FaultLine)[], fail: Fail): History {
  const operationLines = lines.filter((line) => line.type !== 'fault');
  // Times order the history only when every operation has them: a line without one has no place among them.
  const isTimed = operationLines.length > 0 && operationLines.every((line) => line.time !== null);
  // Array.sort is stable: lines of equal time keep their order.
  const ordered = isTimed ? operationLines.toSorted((a, b) => (a.time ?? 0) - (b.time ?? 0)) : operationLines;

  const open = new Map<string, OpenCall>();
  const done: Omit<Operation, 'index'>[] = [];
  for (const [position, line] of ordered.entries()) {
    const call = open.get(line.processId);
    if (line.type === 'invoke') {
      if (call !== undefined) {
        const message = `process ${line.process} calls again: expected a reply to its call of line ${call.line.line} first`;
        fail(line.line, message);
      }
      open.set(line.processId, { line, position });
      continue;
    }
    open.delete(line.processId);
    const problem = call === undefined ? withoutCall(line, isTimed) : findDisagreement(call.line, line);
    if (problem !== null) fail(line.line, problem);
    else if (call !== undefined) done.push(join(call, line, position));
  }
  for (const call of open.values()) done.push(join(call, null, Number.POSITIVE_INFINITY));
  done.sort((a, b) => a.callPosition - b.callPosition);
  return {
    operations: done.map((operation, index) => ({ index, ...operation })),
    faults: placeFaults(lines, ordered, isTimed),
    positionCount: ordered.length,
    isTimed,
  };
}

function withoutCall(line: OperationLine, isTimed: boolean): string {
  const when = isTimed ? ' at or before its time' : ' before it';
  return `"${line.type}" of process ${line.process} answers nothing: expected an "invoke" of that process${when}`;
}

function findDisagreement(call: OperationLine, reply: OperationLine): string | null {
  if (reply.f !== null && reply.f !== call.f) {
    return `"f" is "${reply.f}": expected "${call.f}" as in the call of line ${call.line}`;
  }
  if (reply.key !== 'null' && reply.key !== call.key) {
    return `"key" is ${reply.key}: expected ${call.key} as in the call of line ${call.line}`;
  }
  if (reply.type === 'ok' && call.f === 'read' && reply.value === undefined) {
    return `"value" is missing: expected what the read returned, null for a missing key`;
  }
  return null;
}

function join(call: OpenCall, reply: OperationLine | null, position: number): Omit<Operation, 'index'> {
  const { line } = call;
  const outcome = reply === null || reply.type === 'info' ? 'unknown' : reply.type === 'ok' ? 'ok' : 'fail';
  const f = line.f ?? 'read';
  // Only a read says anything in its reply; what a write's `ok` repeats is not looked at.
  const value = f === 'read' ? (outcome === 'ok' ? reply?.value : null) : line.value;
  return {
    process: line.process,
    f,
    key: line.key,
    value: value ?? null,
    outcome,
    callPosition: call.position,
    returnPosition: outcome === 'unknown' ? Number.POSITIVE_INFINITY : position,
    callTime: line.time,
    returnTime: reply?.time ?? null,
    callLine: line.line,
    returnLine: reply?.line ?? null,
  };
}

/** A fault stands by its time where times order the history, and by its line otherwise. */
function placeFaults(
  lines: readonly (OperationLine | FaultLine)[],
  ordered: readonly OperationLine[],
  isTimed: boolean,
): FaultMark[] {
  const marks: FaultMark[] = [];
  let operationsSeen = 0;
  let timeSeen: number | null = null;
  for (const line of lines) {
    if (line.type !== 'fault') {
      operationsSeen++;
      timeSeen = line.time;
      continue;
    }
    const { name, target, until } = line;
    const time = line.time ?? timeSeen;
    const position = isTimed && time !== null ? positionOf(ordered, time) : operationsSeen;
    const untilPosition = isTimed && until !== null ? positionOf(ordered, until) : null;
    marks.push({ name, target, position, untilPosition, time, until, line: line.line });
  }
  return marks;
}

/** How many lines are earlier than `time`. */
function positionOf(ordered: readonly OperationLine[], time: number): number {
  let low = 0;
  let high = ordered.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ordered[middle]?.time ?? 0) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** undefined when it is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Lists and objects are not written out: they may be nested deeper than the stack. */
function show(value: unknown): string {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return excerpt(JSON.stringify(value) ?? String(value));
}

function excerpt(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
