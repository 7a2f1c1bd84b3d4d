// Keys that were written or read in the console lately, for completion. Newest first, without repeats.
import { findCommand } from '../../shared/console-commands.ts';
import { splitWords } from '../../shared/console-line.ts';

export const RECENT_KEYS_MAX = 50;
const LINES_READ_MAX = 200;

export function recentKeys(lines: readonly string[]): string[] {
  const keys = new Set<string>();
  for (const line of lines.slice(-LINES_READ_MAX).reverse()) {
    const [first, second] = splitWords(line);
    const command = findCommand(first?.text ?? '');
    if (second === undefined || command?.arguments[0]?.name !== 'key') continue;
    keys.add(second.text);
    if (keys.size >= RECENT_KEYS_MAX) break;
  }
  return [...keys];
}

/** The lines of a paste that are commands: comments and blank lines are not. */
export function pastedLines(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}
