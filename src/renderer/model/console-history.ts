// The console's memory of lines, as a value: newest last, without repeats in a row, bounded; and a cursor that
// walks it while keeping what was being typed.

export const HISTORY_MAX = 500;

export interface ConsoleHistory {
  lines: readonly string[];
  /** Position in `lines`; `lines.length` is the line being typed. */
  cursor: number;
  draft: string;
}

export function historyOf(lines: readonly string[]): ConsoleHistory {
  const kept = lines.slice(-HISTORY_MAX);
  return { lines: kept, cursor: kept.length, draft: '' };
}

export function remembered(history: ConsoleHistory, line: string): ConsoleHistory {
  const text = line.trim();
  if (text === '' || history.lines.at(-1) === text) return historyOf(history.lines);
  return historyOf([...history.lines, text]);
}

/** One step back in time: an earlier line that starts with what was typed. */
export function older(history: ConsoleHistory, typed: string): { history: ConsoleHistory; text: string } {
  const draft = history.cursor === history.lines.length ? typed : history.draft;
  for (let cursor = history.cursor - 1; cursor >= 0; cursor--) {
    const line = history.lines[cursor];
    if (line?.startsWith(draft)) return { history: { ...history, cursor, draft }, text: line };
  }
  return { history: { ...history, draft }, text: typed };
}

/** One step forward; past the newest line stands the draft again. */
export function newer(history: ConsoleHistory, typed: string): { history: ConsoleHistory; text: string } {
  if (history.cursor >= history.lines.length) return { history, text: typed };
  for (let cursor = history.cursor + 1; cursor < history.lines.length; cursor++) {
    const line = history.lines[cursor];
    if (line?.startsWith(history.draft)) return { history: { ...history, cursor }, text: line };
  }
  return { history: { ...history, cursor: history.lines.length }, text: history.draft };
}
