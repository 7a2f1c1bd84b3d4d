// Durations as people write them: a number and its unit.
import { InvalidArgumentError } from 'commander';

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `500ms`, `30s`, `1.5h`: whole milliseconds, at least one. For commander: throws an InvalidArgumentError. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  const ms = match === null ? Number.NaN : Math.round(Number(match[1]) * (UNITS_MS[match[2] ?? ''] ?? 0));
  if (!Number.isSafeInteger(ms) || ms < 1) {
    throw new InvalidArgumentError('write a number and its unit: 500ms, 30s, 5m, 2h or 7d');
  }
  return ms;
}

/** Two units at most: `1h 5m`, `1.2s`, `30ms`. */
export function describeDuration(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(1))}s`;
  const [large, small] = ms < 3_600_000 ? ['m', 's'] : ms < 86_400_000 ? ['h', 'm'] : ['d', 'h'];
  const [largeMs, smallMs] = [UNITS_MS[large] ?? 1, UNITS_MS[small] ?? 1];
  const rest = Math.floor((ms % largeMs) / smallMs);
  return `${Math.floor(ms / largeMs)}${large}${rest === 0 ? '' : ` ${rest}${small}`}`;
}
