// `quorumlab check` without its input and output: the text of a history in, the verdict, its wording and the
// exit code out.
import { type CheckOptions, checkHistory, type Verdict } from './check.ts';
import { describeCall, describeKey, type History, type HistoryError, type Operation } from './history.ts';
import type { JsonValue } from './json-values.ts';
import { parseHistory } from './parse-history.ts';

export interface CheckedText {
  readonly result: 'ok' | 'violation' | 'undecided' | 'invalid';
  /** 0 ok, 1 violation, 2 undecided or bad input. */
  readonly exitCode: 0 | 1 | 2;
  /** One sentence. */
  readonly reason: string;
  /** null, like `history`, when the text is invalid. */
  readonly verdict: Verdict | null;
  readonly history: History | null;
  readonly errors: readonly HistoryError[];
}

/** Never throws on bad text. `text` is JSON Lines as documented in HISTORY.md. */
export function checkText(text: string, options: CheckOptions = {}): CheckedText {
  const parsed = parseHistory(text);
  if (!parsed.ok) {
    const { errors, errorCount } = parsed;
    const more = errorCount > 1 ? ` (and ${errorCount - 1} more)` : '';
    const reason = `line ${errors[0]?.line}: ${errors[0]?.message}${more}`;
    return { result: 'invalid', exitCode: 2, reason, verdict: null, history: null, errors };
  }
  const { history } = parsed;
  const verdict = checkHistory(history, options);
  const { result, reason } = verdict;
  const exitCode = result === 'ok' ? 0 : result === 'violation' ? 1 : 2;
  return { result, exitCode, reason, verdict, history, errors: [] };
}

/** For a terminal: the verdict and its reason first, then what shows it. Ends with a line break. */
export function describeCheck(checked: CheckedText): string {
  const lines = [`${checked.result}: ${checked.reason}`];
  for (const error of checked.errors) lines.push(`  line ${error.line}: ${error.message}`);
  if (checked.verdict !== null) lines.push(...describeVerdict(checked.verdict));
  return `${lines.join('\n')}\n`;
}

function describeVerdict({ counts, violation }: Verdict): string[] {
  const lines = [
    `${count(counts.operations, 'operation', 'operations')} (${counts.ok} ok, ${counts.failed} failed, ${counts.unknown} unknown) by ` +
      `${count(counts.processes, 'process', 'processes')} on ${count(counts.keys, 'key', 'keys')}; ${count(counts.steps, 'step', 'steps')} of search`,
  ];
  if (violation === null) return lines;
  const { operations, operationCountBefore, partialOrder, failing, struckElementCount } = violation;
  const places = new Map(partialOrder.map((operation, index) => [operation, index + 1]));
  lines.push(
    '',
    `${describeKey(violation.key)}: ${operations.length} of its ${operationCountBefore} operations show it`,
  );
  if (struckElementCount > 0) lines.push(`(${struckElementCount} other elements are left out of the lists)`);
  lines.push('', '  order  lines        process     operation');
  for (const operation of operations) {
    const place = places.get(operation) ?? '-';
    const note =
      operation === failing
        ? '   <- no place for this'
        : operation.outcome === 'unknown'
          ? '   (unknown)'
          : '';
    lines.push(
      `  ${String(place).padStart(5)}  ${lineRange(operation).padEnd(11)}  ${operation.process.padEnd(10)}  ${describeCall(operation)}${note}`,
    );
  }
  lines.push('', `value after the order: ${JSON.stringify(violation.partialState)}`);
  if (violation.otherKeys.length > 0) {
    lines.push(`also in violation: ${violation.otherKeys.slice(0, 10).map(describeKey).join(', ')}`);
  }
  return lines;
}

function count(amount: number, one: string, many: string): string {
  return `${amount} ${amount === 1 ? one : many}`;
}

function lineRange(operation: Operation): string {
  return `${operation.callLine}-${operation.returnLine ?? ''}`;
}

/** For `--json`: plain data, without the history itself. */
export function checkToJson(checked: CheckedText): JsonValue {
  const { result, exitCode, reason, verdict, errors } = checked;
  const errorList = errors.map(({ line, message }) => ({ line, message }));
  if (verdict === null) return { verdict: result, exitCode, reason, errors: errorList };
  const { violation } = verdict;
  return {
    verdict: result,
    exitCode,
    reason,
    counts: { ...verdict.counts },
    keys: verdict.keys.map(({ key, model, result: keyResult, operationCount, steps }) => {
      return { key: JSON.parse(key) as JsonValue, model, verdict: keyResult, operationCount, steps };
    }),
    violation:
      violation === null
        ? null
        : {
            key: JSON.parse(violation.key) as JsonValue,
            model: violation.model,
            operations: violation.operations.map(operationToJson),
            operationCountBefore: violation.operationCountBefore,
            struckElementCount: violation.struckElementCount,
            failing: operationToJson(violation.failing),
            partialOrder: violation.partialOrder.map(operationToJson),
            partialState: violation.partialState,
            unplaced: violation.unplaced.map(operationToJson),
            otherKeys: violation.otherKeys.map((key) => JSON.parse(key) as JsonValue),
          },
  };
}

function operationToJson(operation: Operation): JsonValue {
  const { process, f, value, outcome, callLine, returnLine, callTime, returnTime } = operation;
  return { process, f, value, outcome, callLine, returnLine, callTime, returnTime };
}
