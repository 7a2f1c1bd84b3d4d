// What clients saw, in the order in which they saw it, for engine/checker. Keys are registers: a set or delete is
// a write, a compare-and-set that succeeds is a cas, and one that fails has read the value.
import type { HistoryEntry, HistoryFunction } from '../checker/history.ts';
import type { JsonValue } from '../checker/json-values.ts';

/** One operation on one key. Its meaning may become known only with its reply. */
export interface RecordedOperation {
  process: string;
  f: HistoryFunction;
  key: string;
  value: JsonValue;
}

interface Line {
  type: 'invoke' | 'ok' | 'fail' | 'info';
  operation: RecordedOperation;
}

export class HistoryRecorder {
  readonly #lines: Line[] = [];

  /** Calls so far. */
  operationCount = 0;

  invoke(operation: RecordedOperation): RecordedOperation {
    this.operationCount += 1;
    this.#lines.push({ type: 'invoke', operation });
    return operation;
  }

  /** `fail`: it did not happen. `info`: nobody knows; its process must not be used again. */
  finish(operation: RecordedOperation, type: 'ok' | 'fail' | 'info'): void {
    this.#lines.push({ type, operation });
  }

  entries(): HistoryEntry[] {
    return this.#lines.map(({ type, operation: { process, f, key, value } }) =>
      type === 'invoke' && f === 'read' ? { process, type, f, key } : { process, type, f, key, value },
    );
  }
}
